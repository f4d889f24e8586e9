//! What is wrong with a text that is not a path template.

use super::Template;

/// A text that is not a path template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{template}` is not a path template: {problem}")]
pub struct TemplateError {
    /// As it was written.
    pub template: String,
    pub problem: Problem,
}

/// What is wrong with it, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("it must start with a slash")]
    NoLeadingSlash,
    #[error("it has {0} segments, more than the {max} that are read", max = Template::SEGMENTS_MAX)]
    TooManySegments(usize),
    #[error("it has {0} bytes, more than the {max} that are read", max = Template::BYTES_MAX)]
    TooLong(usize),
    #[error("the `{{` in segment `{0}` is never closed; write a parameter as `{{name}}`")]
    Unclosed(String),
    #[error("the `}}` in segment `{0}` closes nothing; write a parameter as `{{name}}`")]
    Unopened(String),
    #[error("a parameter in segment `{0}` has no name; write it as `{{name}}`")]
    Nameless(String),
    #[error("`{{{0}}}` has a pattern, which is not supported; write the bare name, `{{{1}}}`")]
    Constrained(String, String),
    #[error("`{{{0}}}` adds to the query or the fragment; leave it out, a template is the path alone")]
    Expansion(String),
    #[error(
        "`{{{0}}}` is more than one segment and must be the whole last segment; end the template there, or write `{{{1}}}`"
    )]
    CatchAllInside(String, String),
    #[error(
        "the {0} is no part of a template; leave it out, endpoints are told apart by method and path alone"
    )]
    BeyondPath(&'static str),
    #[error("it has an empty segment (`//`), which is never matched; write one slash")]
    EmptySegment,
    #[error("it has a dot segment (`{0}`), which is never matched; write the resolved path")]
    DotSegment(String),
    #[error(
        "the `%` in segment `{0}` is not followed by two hexadecimal digits; write a literal `%` as `%25`"
    )]
    InvalidPercent(String),
    #[error("segment `{0}` has a control character")]
    ControlCharacter(String),
    #[error("`{0}` is optional, which is not supported; declare one template with it and one without")]
    Optional(String),
}
