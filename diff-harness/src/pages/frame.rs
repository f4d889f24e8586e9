//! What stands around every page.

use super::Links;

/// Which entry of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    Overview,
    Groups,
    Matrix,
    Rules,
    Audit,
    Elsewhere,
}

/// Who looks at the page, and what they may do.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    pub name: String,
    /// `viewer`, `reviewer` or `operator`.
    pub role: &'static str,
    pub may_decide: bool,
    pub may_flip: bool,
    /// Whether the name is what they say, because no token is asked for.
    pub claimed: bool,
    /// Whether there is a session to end.
    pub signed_in: bool,
    /// Goes with every form.
    pub form_token: String,
}

#[derive(Clone, Debug)]
pub struct Frame {
    pub title: String,
    pub here: Here,
    pub visitor: Visitor,
    /// What was just done, or why not.
    pub said: Option<String>,
    /// The deployment that evidence counts for now.
    pub epoch: String,
    pub links: Links,
    /// The page's anchor in a report; empty for a page of its own.
    pub section: String,
}

impl Frame {
    /// Of a page of its own.
    pub fn new(title: impl Into<String>, here: Here, visitor: Visitor) -> Self {
        Self {
            title: title.into(),
            here,
            visitor,
            said: None,
            epoch: String::new(),
            links: Links::Live,
            section: String::new(),
        }
    }

    /// Whether it is in a report, where nothing can be done.
    pub fn is_frozen(&self) -> bool {
        self.links == Links::Frozen
    }

    /// An id that no other page of the same file has.
    pub fn id(&self, name: &str) -> String {
        if self.section.is_empty() { name.to_owned() } else { format!("{}-{name}", self.section) }
    }

    pub fn page(&self, name: &str) -> String {
        self.links.page(name)
    }

    pub fn style(&self) -> &'static str {
        super::asset::style()
    }

    pub fn script(&self) -> &'static str {
        super::asset::script()
    }

    pub fn icon(&self) -> &'static str {
        super::asset::icon()
    }

    /// Name, link and whether it is the page.
    pub fn places(&self) -> [(&'static str, &'static str, bool); 5] {
        [
            ("Overview", "/", Here::Overview),
            ("Groups", "/groups", Here::Groups),
            ("Matrix", "/matrix", Here::Matrix),
            ("Rules", "/rules", Here::Rules),
            ("Audit", "/audit", Here::Audit),
        ]
        .map(|(name, link, here)| (name, link, here == self.here))
    }
}
