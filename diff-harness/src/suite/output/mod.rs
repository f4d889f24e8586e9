//! What a run is written as, one format a file. Each builds its own view of the [`RunReport`] and takes everything
//! that a server said for hostile.
//!
//! [`RunReport`]: crate::suite::outcome::RunReport

pub mod terminal;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod github;
pub mod code_quality;
pub mod sarif;
pub mod html;

#[cfg(test)]
pub(super) mod fixture;

/// At most `most` bytes of a text, cut between characters, with a mark that it was cut.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}
