//! Why a request target is refused.

/// Why a target was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum AmbiguousPath {
    #[error("the request target is empty")]
    Empty,
    #[error("the path has an encoded slash (%2F), which servers read differently")]
    EncodedSlash,
    #[error("the path has a backslash (\\ or %5C), which some servers read as a slash")]
    Backslash,
    #[error("the path has a dot segment (. or ..), which servers read differently; send the resolved path")]
    DotSegment,
    #[error("the path has an empty segment (//), which servers read differently")]
    DuplicateSlash,
    #[error("the path has path parameters (;), which servers read differently")]
    PathParameters,
    #[error("the path has an encoded NUL (%00)")]
    Nul,
    #[error("the path has a % that two hexadecimal digits do not follow")]
    InvalidPercent,
    #[error("the path has a byte outside of ASCII; percent-encode it as UTF-8")]
    NonAscii,
    #[error("the path has a space or a control character")]
    ControlCharacter,
    #[error("the request target has a fragment (#), which is never sent")]
    Fragment,
    #[error("the request target is in absolute form (RFC 9112 §3.2.2), which this proxy is set to refuse")]
    AbsoluteForm,
    #[error("the request target is an authority or lacks its leading slash (RFC 9112 §3.2)")]
    AuthorityForm,
    #[error("the request target is `*`, which names no resource (RFC 9112 §3.2.4)")]
    AsteriskForm,
}

impl AmbiguousPath {
    pub const ALL: [Self; 14] = [
        Self::Empty,
        Self::EncodedSlash,
        Self::Backslash,
        Self::DotSegment,
        Self::DuplicateSlash,
        Self::PathParameters,
        Self::Nul,
        Self::InvalidPercent,
        Self::NonAscii,
        Self::ControlCharacter,
        Self::Fragment,
        Self::AbsoluteForm,
        Self::AuthorityForm,
        Self::AsteriskForm,
    ];

    /// The word under which it is counted.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Empty => "empty_target",
            Self::EncodedSlash => "encoded_slash",
            Self::Backslash => "backslash",
            Self::DotSegment => "dot_segment",
            Self::DuplicateSlash => "duplicate_slash",
            Self::PathParameters => "path_parameters",
            Self::Nul => "nul",
            Self::InvalidPercent => "invalid_percent",
            Self::NonAscii => "non_ascii",
            Self::ControlCharacter => "control_character",
            Self::Fragment => "fragment",
            Self::AbsoluteForm => "absolute_form",
            Self::AuthorityForm => "authority_form",
            Self::AsteriskForm => "asterisk_form",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_word() {
        let words: std::collections::BTreeSet<_> = AmbiguousPath::ALL.map(AmbiguousPath::reason).into();
        assert_eq!(words.len(), AmbiguousPath::ALL.len());
    }
}
