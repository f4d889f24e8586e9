//! The same pages in one file: each is a section, and links lead to anchors.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{Frame, Here, Links, Visitor, asset};

const SCRIPT: &str = include_str!("../../assets/frozen.js");

/// A report as one file.
#[derive(Debug, Template)]
#[template(path = "frozen.html")]
pub struct Frozen {
    /// Also the name of the document.
    pub title: String,
    /// When it was made and of what, piece by piece.
    pub made: Vec<String>,
    /// Of those pages that are in it: name and anchor.
    pub places: Vec<(&'static str, &'static str)>,
    pub pages: Vec<FrozenPage>,
}

/// A page of it. The first is shown where no other is asked for.
#[derive(Clone, Debug)]
pub struct FrozenPage {
    pub anchor: String,
    pub title: String,
    /// Markup that a template made.
    content: String,
}

impl FrozenPage {
    /// `content` is the block of that name of a page's template.
    pub fn new(frame: &Frame, content: &impl Template) -> Self {
        let content = content.render().expect("a string takes everything, and no filter fails");
        Self { anchor: frame.section.clone(), title: frame.title.clone(), content }
    }
}

impl Frame {
    /// Of a page in a report: nobody in particular looks at it, and nothing can be done there.
    pub fn frozen(section: impl Into<String>, title: impl Into<String>, here: Here) -> Self {
        Self { links: Links::Frozen, section: section.into(), ..Self::new(title, here, Visitor::default()) }
    }
}

impl Frozen {
    pub fn finish(&self) -> String {
        self.render().expect("a string takes everything, and no filter fails")
    }

    fn style(&self) -> &'static str {
        asset::style_text()
    }

    fn script(&self) -> &'static str {
        SCRIPT
    }

    /// Nothing is loaded, and nothing runs but these two texts (CSP level 3, §2.3.1).
    fn policy(&self) -> String {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            hash(self.style()),
            hash(self.script())
        )
    }
}
