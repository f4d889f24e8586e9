//! What to do with targets that servers read differently.

use std::str::FromStr;

use serde::Deserialize;

/// What to do with targets that servers read differently. The defaults refuse whatever could be routed as one
/// endpoint and answered as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "snake_case")]
pub struct PathPolicy {
    /// `%2F` in the path: one segment to some servers, two to others. Default: refuse.
    pub encoded_slash: Encoded,
    /// `\` or `%5C` in the path: a slash to some servers. Default: refuse.
    pub backslash: Encoded,
    /// `.` and `..` segments, raw, encoded, with path parameters (`..;x`) or behind an encoded slash: resolved
    /// by some servers. Default: refuse.
    pub dot_segments: Hazard,
    /// Empty segments (`//`): merged by some servers. Default: control, which reads them as it always did.
    pub duplicate_slash: Hazard,
    /// `;` in the path: some servers cut the segment there. Default: opaque, as it is common in ids.
    pub path_parameters: Encoded,
    /// Raw bytes outside of ASCII: read as UTF-8, as Latin-1, or not at all. Default: refuse.
    pub non_ascii: Encoded,
    /// `GET http://host/path`. RFC 9112 §3.2.2 has every server accept it, so that is the default; its authority
    /// replaces Host, which is the caller's duty. `control` is the same as `refuse` here.
    pub absolute_form: Encoded,
}

/// What to do with a target that cannot be matched safely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hazard {
    /// Answer 400.
    Refuse,
    /// Match no endpoint, so that control reads it as it does today.
    Control,
}

/// What to do with a target that can be matched as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoded {
    /// Answer 400.
    Refuse,
    /// Match no endpoint, so that control reads it as it does today.
    Control,
    /// An ordinary character of its segment.
    Opaque,
}

impl Default for PathPolicy {
    fn default() -> Self {
        Self {
            encoded_slash: Encoded::Refuse,
            backslash: Encoded::Refuse,
            dot_segments: Hazard::Refuse,
            duplicate_slash: Hazard::Control,
            path_parameters: Encoded::Opaque,
            non_ascii: Encoded::Refuse,
            absolute_form: Encoded::Opaque,
        }
    }
}

impl FromStr for Hazard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "control" => Ok(Self::Control),
            _ => Err(format!("`{text}` is not known here: expected refuse or control")),
        }
    }
}

impl FromStr for Encoded {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "control" => Ok(Self::Control),
            "opaque" => Ok(Self::Opaque),
            _ => Err(format!("`{text}` is not known here: expected refuse, control or opaque")),
        }
    }
}
