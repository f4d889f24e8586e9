//! What every view must hold, whatever is in it.

use askama::Template;

use super::{Frame, Here, Trouble, Visitor};

const HOSTILE: &str = "</script><script>alert(1)</script> \" onclick='x' \u{202e}\u{1b}";

#[test]
fn no_value_becomes_markup_in_a_template() {
    let visitor = Visitor { name: HOSTILE.to_owned(), claimed: true, ..Visitor::default() };
    let frame = Frame {
        said: Some(HOSTILE.to_owned()),
        epoch: HOSTILE.to_owned(),
        ..Frame::new(HOSTILE, Here::Elsewhere, visitor)
    };
    let view = Trouble {
        frame,
        message: HOSTILE.to_owned(),
        hint: Some(HOSTILE.to_owned()),
        reasons: vec![HOSTILE.to_owned()],
        back: HOSTILE.to_owned(),
    };
    let page = view.render().unwrap();
    assert!(!page.contains("<script>alert") && !page.contains("onclick='x'") && !page.contains("\" onclick"));
    // What acts or reorders is made visible, as in the report.
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'));
    assert_eq!(page.matches("⟨U+202E⟩").count(), 10, "every place was written: {page}");
}
