//! One difference between the two observations of an exchange.

use std::fmt;
use std::str::FromStr;

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Status,
    Header,
    /// Control has it, the candidate does not.
    Missing,
    /// The candidate has it, control does not.
    Added,
    /// The same place holds another JSON type (or another media type).
    Type,
    Value,
    /// The same elements in another order.
    Order,
    /// Lines of a text or markup body.
    Text,
    /// Bytes that no comparison understands.
    Binary,
    /// One side gave no whole response.
    Transport,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Status,
        Self::Header,
        Self::Missing,
        Self::Added,
        Self::Type,
        Self::Value,
        Self::Order,
        Self::Text,
        Self::Binary,
        Self::Transport,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Header => "header",
            Self::Missing => "missing",
            Self::Added => "added",
            Self::Type => "type",
            Self::Value => "value",
            Self::Order => "order",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Transport => "transport",
        }
    }
}

/// How much a divergence matters, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Only the form differs: `1` and `1.0`.
    Cosmetic,
    /// A value or an order.
    Changed,
    /// A client may break: status class, missing, type, transport.
    Breaking,
    /// The candidate shows what control withheld: success where control refused, more elements, more fields,
    /// something where control had null or nothing. The worst that can happen.
    Exposure,
}

impl Severity {
    pub const ALL: [Self; 4] = [Self::Cosmetic, Self::Changed, Self::Breaking, Self::Exposure];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Changed => "changed",
            Self::Breaking => "breaking",
            Self::Exposure => "exposure",
        }
    }
}

/// Where a divergence is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Location {
    Status,
    /// A response header by its lowercase name, and within it the cookie or the attribute that differs, if any:
    /// `set-cookie` and `session; Secure`.
    Header {
        name: String,
        part: Option<String>,
    },
    /// A place in a JSON body, or in one line of an NDJSON body (whose line number is the first index).
    Json(JsonPath),
    /// A field of a form body.
    Field(String),
    /// A line of a text body, counted from 1 on the control side (on the candidate side for an added line).
    Line(usize),
    /// The body as a whole.
    Body,
    /// The exchange as a whole: a transport failure.
    Exchange,
}

/// A place in a JSON document. Prints as an RFC 9535 normalized path in its shorthand form: `$.tracks[3].id`, and
/// `$['a key']` where the shorthand cannot say it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JsonPath(pub Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    Key(String),
    /// A place in an array. All the indices of one path are counted on one side: on the candidate's for what only
    /// the candidate has, on control's for everything else, so that the path leads to the value on that side.
    Index(usize),
    /// Any place in an array: what an index becomes in a fingerprint.
    Any,
}

impl JsonPath {
    /// The path with every array index replaced by `*`: what all elements of a list have in common.
    pub fn generalized(&self) -> Self {
        let segments = self.0.iter().map(|segment| match segment {
            Segment::Index(_) => Segment::Any,
            other => other.clone(),
        });
        Self(segments.collect())
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for segment in &self.0 {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Any => f.write_str("[*]")?,
                Segment::Key(key) if is_shorthand(key) => write!(f, ".{key}")?,
                Segment::Key(key) => write_quoted(f, key)?,
            }
        }
        Ok(())
    }
}

/// RFC 9535 §2.5.1.1 `member-name-shorthand`.
fn is_shorthand(key: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let mut chars = key.chars();
    chars.next().is_some_and(first) && chars.all(|c| first(c) || c.is_ascii_digit())
}

/// RFC 9535 §2.7 `normal-name-selector`.
fn write_quoted(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    f.write_str("['")?;
    for c in key.chars() {
        match c {
            '\'' => f.write_str("\\'")?,
            '\\' => f.write_str("\\\\")?,
            '\u{8}' => f.write_str("\\b")?,
            '\t' => f.write_str("\\t")?,
            '\n' => f.write_str("\\n")?,
            '\u{c}' => f.write_str("\\f")?,
            '\r' => f.write_str("\\r")?,
            c if (c as u32) < 0x20 => write!(f, "\\u{:04x}", c as u32)?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("']")
}

/// Reads the form that [`fmt::Display`] writes.
impl FromStr for JsonPath {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || LocationError(text.to_owned());
        let mut rest = text.strip_prefix('$').ok_or_else(malformed)?;
        let mut segments = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (key, after) = after.split_at(end);
                if !is_shorthand(key) {
                    return Err(malformed());
                }
                segments.push(Segment::Key(key.to_owned()));
                rest = after;
            } else if let Some(after) = rest.strip_prefix("['") {
                let (key, after) = read_quoted(after).ok_or_else(malformed)?;
                segments.push(Segment::Key(key));
                rest = after.strip_prefix(']').ok_or_else(malformed)?;
            } else {
                let (index, after) =
                    rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or_else(malformed)?;
                segments.push(match index {
                    "*" => Segment::Any,
                    digits => Segment::Index(digits.parse().map_err(|_| malformed())?),
                });
                rest = after;
            }
        }
        Ok(Self(segments))
    }
}

/// What [`write_quoted`] wrote, up to its closing quote, and what stands behind it.
fn read_quoted(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '\'') => return Some((key, &text[at + 1..])),
            (_, '\\') => key.push(match chars.next()?.1 {
                'b' => '\u{8}',
                't' => '\t',
                'n' => '\n',
                'f' => '\u{c}',
                'r' => '\r',
                'u' => {
                    let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                }
                c => c,
            }),
            (_, c) => key.push(c),
        }
    }
}

/// Reads the form that [`fmt::Display`] writes.
impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "status" => return Ok(Self::Status),
            "body" => return Ok(Self::Body),
            "exchange" => return Ok(Self::Exchange),
            path if path.starts_with('$') => return path.parse().map(Self::Json),
            _ => {}
        }
        let malformed = || LocationError(text.to_owned());
        match text.split_once(' ').ok_or_else(malformed)? {
            ("field", name) => Ok(Self::Field(name.to_owned())),
            ("line", number) => number.parse().map(Self::Line).map_err(|_| malformed()),
            ("header", header) => Ok(match header.split_once(' ') {
                None => Self::Header { name: header.to_owned(), part: None },
                Some((name, part)) => {
                    let part = part.strip_prefix('(').and_then(|part| part.strip_suffix(')'));
                    Self::Header { name: name.to_owned(), part: Some(part.ok_or_else(malformed)?.to_owned()) }
                }
            }),
            _ => Err(malformed()),
        }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a place in a response, such as `status`, `header location` or `$.tracks[3].id`")]
pub struct LocationError(String);

impl Location {
    /// The location that all divergences of a group share: indices become `*`, line numbers go.
    pub fn generalized(&self) -> Self {
        match self {
            Self::Json(path) => Self::Json(path.generalized()),
            Self::Line(_) => Self::Body,
            other => other.clone(),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status => f.write_str("status"),
            Self::Header { name, part: None } => write!(f, "header {name}"),
            Self::Header { name, part: Some(part) } => write!(f, "header {name} ({part})"),
            Self::Json(path) => write!(f, "{path}"),
            Self::Field(name) => write!(f, "field {name}"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Body => f.write_str("body"),
            Self::Exchange => f.write_str("exchange"),
        }
    }
}

/// One difference: kind, location, both values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    pub kind: Kind,
    pub severity: Severity,
    pub location: Location,
    /// What sets this divergence apart from others of its kind at its location, without values: the types of a
    /// `type` (`string → null`), the classes of a `status` (`4xx → 2xx`). Part of the fingerprint, so that a
    /// decision about one never covers the other.
    pub detail: Option<String>,
    /// The value on the control side, as text for a person (JSON as JSON), cut at a limit; `None` where it has none.
    pub control: Option<String>,
    /// The same on the candidate side.
    pub candidate: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(segments: &[Segment]) -> String {
        JsonPath(segments.to_vec()).to_string()
    }

    #[test]
    fn a_path_prints_by_rfc_9535() {
        let key = |text: &str| Segment::Key(text.to_owned());
        assert_eq!(path(&[]), "$");
        assert_eq!(path(&[key("tracks"), Segment::Index(3), key("id")]), "$.tracks[3].id");
        assert_eq!(path(&[key("a b"), key("it's"), key("0")]), "$['a b']['it\\'s']['0']");
        assert_eq!(path(&[key("naïve"), key("\u{1}")]), "$.naïve['\\u0001']");
        assert_eq!(path(&[key("")]), "$['']");
    }

    #[test]
    fn a_location_reads_back_what_it_prints() {
        let key = |text: &str| Segment::Key(text.to_owned());
        let json = |segments: &[Segment]| Location::Json(JsonPath(segments.to_vec()));
        let header = |part: Option<&str>| Location::Header {
            name: "set-cookie".to_owned(),
            part: part.map(str::to_owned),
        };
        for location in [
            Location::Status,
            Location::Body,
            Location::Exchange,
            Location::Line(7),
            Location::Field("a b".to_owned()),
            header(None),
            header(Some("session (1); Secure")),
            json(&[]),
            json(&[key("tracks"), Segment::Index(3), Segment::Any, key("naïve")]),
            json(&[key(""), key("it's\\"), key("]['"), key("\u{1}\u{8}\n\u{fffd}."), Segment::Index(0)]),
        ] {
            assert_eq!(location.to_string().parse(), Ok(location.clone()), "{location}");
        }
        for text in ["", "stat", "$x", "$.", "$[x]", "$['a", "$['a'", "line x", "header a b", "$.a b"] {
            assert!(text.parse::<Location>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn indices_become_a_star_in_a_group() {
        let location = Location::Json(JsonPath(vec![Segment::Key("t".into()), Segment::Index(7)]));
        assert_eq!(location.generalized().to_string(), "$.t[*]");
    }

    #[test]
    fn exposure_is_the_worst() {
        assert_eq!(Severity::ALL.iter().max(), Some(&Severity::Exposure));
    }
}
