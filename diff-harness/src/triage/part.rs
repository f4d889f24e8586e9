//! A part of a group: what the group's divergences have in common, and something more.
//!
//! A group is told by its fingerprint, which generalizes the place and knows nothing of the request. Where that takes
//! two things for one, a person names a part by what its requests or its places have in common. The part is a group of
//! its own, with an id that follows from the group's and from the predicate, so that the proxy and every CI job give it
//! the same one.

use std::collections::BTreeSet;
use std::fmt;

use crate::divergence::{JsonPath, Location, Segment};
use crate::fingerprint::Fingerprint;

/// What sets a part apart from the rest of its group. At least one of the two is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Predicate {
    shape: BTreeSet<ShapeWord>,
    place: Option<Location>,
}

/// Of which group something is a part, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub of: Fingerprint,
    pub predicate: Predicate,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct ShapeWord {
    is_there: bool,
    word: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Word {
    /// Any query parameter at all.
    AnyParameter,
    /// A query parameter of this name.
    Parameter(String),
    /// A status class, how the request was authenticated, what its body looks like.
    Plain(String),
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PredicateError {
    #[error("a part is named by its shape, by its place, or by both: give --shape or --at")]
    Empty,
    #[error(
        "`{0}` is not what a shape can be asked for: words such as `auth`, `4xx`, `?limit` (a query parameter) or \
         `!?limit` (without it), with spaces between"
    )]
    Shape(String),
    #[error("{0}")]
    Place(String),
}

impl Predicate {
    /// `shape` is words with spaces between, all of which the shape of a request must have: `2xx`, `auth`, `json[..]`;
    /// `?limit` for a query parameter, `?` for any at all; `!` before a word for a shape without it. A whole shape, as it
    /// is printed, is such words too. `place` is a place of the group in which an index may stand for the star.
    pub fn new(shape: Option<&str>, place: Option<&str>) -> Result<Self, PredicateError> {
        let mut words = BTreeSet::new();
        for text in shape.unwrap_or_default().split_whitespace() {
            words.extend(read_words(text).ok_or_else(|| PredicateError::Shape(text.to_owned()))?);
        }
        let place = place
            .map(str::parse::<Location>)
            .transpose()
            .map_err(|error| PredicateError::Place(error.to_string()))?;
        if words.is_empty() && place.is_none() {
            return Err(PredicateError::Empty);
        }
        Ok(Self { shape: words, place })
    }

    /// The words for the shape as [`Predicate::new`] takes them, in one order.
    pub fn shape(&self) -> Option<String> {
        let words: Vec<_> = self.shape.iter().map(ToString::to_string).collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    pub fn place(&self) -> Option<String> {
        self.place.as_ref().map(Location::to_string)
    }

    /// Whether a divergence at this place, in an exchange of this shape, is in the part.
    pub fn holds(&self, shape: &str, location: &Location) -> bool {
        self.holds_shape(shape) && self.place.as_ref().is_none_or(|place| is_within(place, location))
    }

    pub fn holds_shape(&self, shape: &str) -> bool {
        self.shape.iter().all(|word| word.is_there == has(shape, &word.word))
    }

    /// The part's own id: the same wherever the same predicate is said of the same group.
    pub fn part_of(&self, group: &Fingerprint) -> Fingerprint {
        let (shape, place) = (self.shape().unwrap_or_default(), self.place().unwrap_or_default());
        Fingerprint::of_parts(&["part", group.as_str(), &shape, &place])
    }
}

/// `requests with ?limit and without auth, at $.tracks[0].id`.
impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |is_there| {
            let words = self.shape.iter().filter(|word| word.is_there == is_there);
            words.map(|word| word.word.to_string()).collect::<Vec<_>>().join(" and ")
        };
        let mut said = Vec::new();
        match (list(true), list(false)) {
            (with, without) if with.is_empty() && without.is_empty() => {}
            (with, without) if without.is_empty() => said.push(format!("requests with {with}")),
            (with, without) if with.is_empty() => said.push(format!("requests without {without}")),
            (with, without) => said.push(format!("requests with {with} and without {without}")),
        }
        said.extend(self.place.as_ref().map(|place| format!("at {place}")));
        f.write_str(&said.join(", "))
    }
}

impl fmt::Display for ShapeWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_there { "" } else { "!" }, self.word)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyParameter => f.write_str("?"),
            Self::Parameter(name) => write!(f, "?{name}"),
            Self::Plain(word) => f.write_str(word),
        }
    }
}

/// `?a,b` is two words; `None` for what is none.
fn read_words(text: &str) -> Option<Vec<ShapeWord>> {
    let (is_there, bare) = text.strip_prefix('!').map_or((true, text), |bare| (false, bare));
    if bare.is_empty() || bare.starts_with('!') || bare.chars().any(char::is_control) {
        return None;
    }
    let words = match bare.strip_prefix('?') {
        None => vec![Word::Plain(bare.to_owned())],
        Some("") => vec![Word::AnyParameter],
        Some(names) if names.split(',').all(|name| !name.is_empty()) => {
            names.split(',').map(|name| Word::Parameter(name.to_owned())).collect()
        }
        Some(_) => return None,
    };
    Some(words.into_iter().map(|word| ShapeWord { is_there, word }).collect())
}

fn has(shape: &str, asked: &Word) -> bool {
    shape.split(' ').any(|word| match (asked, word.strip_prefix('?')) {
        (Word::AnyParameter, Some(_)) => true,
        (Word::Parameter(name), Some(names)) => names.split(',').any(|known| known == name),
        (Word::Plain(plain), None) => plain == word,
        _ => false,
    })
}

/// Whether `place`, in which an index may be a star, is where the divergence is.
fn is_within(place: &Location, location: &Location) -> bool {
    match (place, location) {
        (Location::Json(JsonPath(place)), Location::Json(JsonPath(path))) => {
            place.len() == path.len()
                && place.iter().zip(path).all(|(asked, found)| match (asked, found) {
                    (Segment::Any, Segment::Any | Segment::Index(_)) => true,
                    (asked, found) => asked == found,
                })
        }
        (place, location) => place == location,
    }
}
