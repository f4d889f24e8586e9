//! The few files that pages refer to, in the binary. Their names carry a hash, so that a browser may keep them.

use std::sync::LazyLock;

/// A file that a page refers to.
#[derive(Debug)]
pub struct Asset {
    /// As it stands in the path, with the hash of the content.
    pub name: String,
    pub media: &'static str,
    pub content: String,
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = [include_str!("../../assets/pieces.css"), include_str!("../../assets/pages.css")].concat();
    Asset::new("pages", "css", "text/css; charset=utf-8", content)
});

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../assets/pages.js").to_owned();
    Asset::new("pages", "js", "text/javascript; charset=utf-8", content)
});

static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("icon", "svg", "image/svg+xml", include_str!("../../assets/icon.svg").to_owned())
});

impl Asset {
    fn new(stem: &str, extension: &str, media: &'static str, content: String) -> Self {
        let hash = blake3::hash(content.as_bytes()).to_hex();
        Self { name: format!("{stem}-{}.{extension}", &hash[..12]), media, content }
    }
}

/// The asset of this name; nothing for any other name.
pub fn asset(name: &str) -> Option<&'static Asset> {
    [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.name == name)
}

/// The style sheet itself.
pub(super) fn style_text() -> &'static str {
    &STYLE.content
}

pub(super) fn style() -> &'static str {
    &STYLE.name
}

pub(super) fn script() -> &'static str {
    &SCRIPT.name
}

pub(super) fn icon() -> &'static str {
    &ICON.name
}
