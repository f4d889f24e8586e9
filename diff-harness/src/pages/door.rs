//! The page that asks for a token, and the page that says why not.

use askama::Template;

use super::Frame;

/// Asks for a token.
#[derive(Debug, Template)]
#[template(path = "door.html")]
pub struct Door {
    pub frame: Frame,
    /// Whether the token that was given is none.
    pub refused: bool,
    /// Where to go then: a path of this site.
    pub then: String,
}

/// Why something is not shown or was not done.
#[derive(Debug, Template)]
#[template(path = "trouble.html")]
pub struct Trouble {
    pub frame: Frame,
    pub message: String,
    pub hint: Option<String>,
    pub reasons: Vec<String>,
    /// Where to go back to.
    pub back: String,
}
