//! Places at which control differs from itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::comparison::{Comparison, Tolerated};
use crate::divergence::{Divergence, Kind, Severity};
use crate::endpoint::EndpointId;
use crate::rules::{Format, Scalar};

/// How often a place must differ before it counts as noise. Once is an edit that came between the two requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Maturity {
    /// Exchanges in which it differed.
    pub sightings_min: u64,
    /// Of the exchanges in which control was asked twice.
    pub share_min: f64,
}

impl Default for Maturity {
    fn default() -> Self {
        Self { sightings_min: 3, share_min: 0.05 }
    }
}

/// One kind of difference at one place of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The generalized location, as text.
    pub location: String,
    pub kind: Kind,
}

/// What is known of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// Exchanges in which control differed from itself here.
    pub sightings: u64,
    /// Formats that every pair of values had in common so far, the most specific first.
    pub formats: Vec<Format>,
    /// Divergences between control and candidate that were hidden here.
    pub hidden: u64,
    /// Divergences here that were not hidden because they broke the format.
    pub refused: u64,
}

/// Places of one endpoint that are told apart. Members with endless names must not fill the book; what is beyond is
/// no noise.
const PLACES_MAX: usize = 500;

/// All noise that was learned, by endpoint.
#[derive(Clone, Debug, Default)]
pub struct NoiseBook {
    maturity: Maturity,
    endpoints: BTreeMap<EndpointId, EndpointNoise>,
    /// Endpoints of which something is new since it was last asked.
    changed: BTreeSet<EndpointId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointNoise {
    /// Exchanges in which control was asked twice.
    pub asked_twice: u64,
    pub places: BTreeMap<Place, Learned>,
}

impl NoiseBook {
    pub fn new(maturity: Maturity) -> Self {
        Self { maturity, ..Self::default() }
    }

    /// With what was learned before.
    pub fn with(maturity: Maturity, known: impl IntoIterator<Item = (EndpointId, EndpointNoise)>) -> Self {
        Self { maturity, endpoints: known.into_iter().collect(), ..Self::default() }
    }

    pub fn maturity(&self) -> Maturity {
        self.maturity
    }

    /// The endpoints of which something is new since the last call, each with all that is known of it.
    pub fn take_changed(&mut self) -> Vec<(EndpointId, EndpointNoise)> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .filter_map(|endpoint| {
                let noise = self.endpoints.get(&endpoint)?.clone();
                Some((endpoint, noise))
            })
            .collect()
    }

    /// What was learned of one endpoint.
    pub fn endpoint(&self, endpoint: &EndpointId) -> Option<&EndpointNoise> {
        self.endpoints.get(endpoint)
    }

    /// Learns from control compared with control: a comparison without rules, of the same request.
    pub fn learn(&mut self, endpoint: &EndpointId, control_with_itself: &Comparison) {
        self.changed.insert(endpoint.clone());
        let noise = self.endpoints.entry(endpoint.clone()).or_default();
        noise.asked_twice += 1;
        let mut here: BTreeMap<Place, Option<Vec<Format>>> = BTreeMap::new();
        for divergence in control_with_itself.divergences.iter().filter(|divergence| may_be_noise(divergence))
        {
            let formats = shared_formats(divergence);
            let known = here.entry(Place::of(divergence)).or_default();
            *known = Some(match known.take() {
                None => formats,
                Some(known) => intersection(known, &formats),
            });
        }
        for (place, formats) in here {
            let formats = formats.unwrap_or_default();
            let is_full = noise.places.len() >= PLACES_MAX;
            match noise.places.get_mut(&place) {
                None if is_full => {}
                None => {
                    noise.places.insert(place, Learned { sightings: 1, formats, hidden: 0, refused: 0 });
                }
                Some(learned) => {
                    learned.sightings += 1;
                    learned.formats = intersection(std::mem::take(&mut learned.formats), &formats);
                }
            }
        }
    }

    /// Moves what is noise from the divergences of a comparison to the tolerated, under the id of the place. What
    /// breaks the format of its place stays.
    pub fn quiet(&mut self, endpoint: &EndpointId, comparison: &mut Comparison) {
        self.take_out(endpoint, comparison, 1);
    }

    /// The same of a comparison that [`quiet`](Self::quiet) has seen before, for more may be known since. What it refused
    /// to hide is counted already.
    pub fn quiet_again(&mut self, endpoint: &EndpointId, comparison: &mut Comparison) {
        self.take_out(endpoint, comparison, 0);
    }

    fn take_out(&mut self, endpoint: &EndpointId, comparison: &mut Comparison, refusal: u64) {
        let maturity = self.maturity;
        let Some(noise) = self.endpoints.get_mut(endpoint) else { return };
        let asked_twice = noise.asked_twice;
        let mut touched = false;
        let mut kept = Vec::with_capacity(comparison.divergences.len());
        for divergence in std::mem::take(&mut comparison.divergences) {
            let place = Place::of(&divergence);
            let learned =
                noise.places.get_mut(&place).filter(|learned| learned.is_mature(asked_twice, maturity));
            match learned {
                Some(learned) if may_be_noise(&divergence) && learned.covers(&divergence) => {
                    touched = true;
                    learned.hidden += 1;
                    comparison.tolerated.push(Tolerated { rule: place.id(), divergence });
                }
                Some(learned) => {
                    touched = true;
                    learned.refused += refusal;
                    kept.push(divergence);
                }
                None => kept.push(divergence),
            }
        }
        comparison.divergences = kept;
        if touched {
            self.changed.insert(endpoint.clone());
        }
    }
}

impl NoiseBook {
    /// What [`quiet`](Self::quiet) would leave, without counting it.
    pub fn try_quiet(&self, endpoint: &EndpointId, comparison: &mut Comparison) {
        let known = self.endpoints.get_key_value(endpoint).map(|(id, noise)| (id.clone(), noise.clone()));
        Self::with(self.maturity, known).quiet(endpoint, comparison);
    }
}

impl EndpointNoise {
    /// The places that count as noise.
    pub fn mature(&self, maturity: Maturity) -> impl Iterator<Item = (&Place, &Learned)> {
        self.places.iter().filter(move |(_, learned)| learned.is_mature(self.asked_twice, maturity))
    }

    /// The place whose noise hides this divergence.
    pub fn hides(&self, maturity: Maturity, divergence: &Divergence) -> Option<(&Place, &Learned)> {
        let (place, learned) = self.places.get_key_value(&Place::of(divergence))?;
        let hides = learned.is_mature(self.asked_twice, maturity)
            && may_be_noise(divergence)
            && learned.covers(divergence);
        hides.then_some((place, learned))
    }
}

impl Place {
    fn of(divergence: &Divergence) -> Self {
        Self { location: divergence.location.generalized().to_string(), kind: divergence.kind }
    }

    /// How the place is named where rules are counted.
    pub fn id(&self) -> String {
        format!("noise:{}:{}", self.kind.as_str(), self.location)
    }
}

impl Learned {
    /// The format that a value here must have: the most specific one, for a timestamp also reads as a token.
    pub fn format(&self) -> Option<Format> {
        self.formats.first().copied()
    }

    /// Whether it differed often enough to count as noise.
    pub fn is_mature(&self, asked_twice: u64, maturity: Maturity) -> bool {
        self.sightings >= maturity.sightings_min
            && self.sightings as f64 >= maturity.share_min * asked_twice as f64
    }

    /// Whether the candidate's value still has a format that control's values always had. Where they never had one,
    /// the type is all there is, and another type is another kind of divergence.
    fn covers(&self, divergence: &Divergence) -> bool {
        self.format().is_none_or(|format| shared_formats(divergence).contains(&format))
    }
}

/// Only what changes a value, an order or a text may be noise, and never what shows more than control did.
fn may_be_noise(divergence: &Divergence) -> bool {
    divergence.severity < Severity::Breaking
        && matches!(divergence.kind, Kind::Value | Kind::Order | Kind::Text | Kind::Header)
}

fn shared_formats(divergence: &Divergence) -> Vec<Format> {
    let (Some(control), Some(candidate)) = (&divergence.control, &divergence.candidate) else {
        return vec![];
    };
    let (Some(control), Some(candidate)) = (Value::of(control), Value::of(candidate)) else { return vec![] };
    Format::ALL.into_iter().filter(|format| format.holds(control.scalar(), candidate.scalar())).collect()
}

fn intersection(mut formats: Vec<Format>, other: &[Format]) -> Vec<Format> {
    formats.retain(|format| other.contains(format));
    formats
}

/// A value as a divergence shows it: JSON for JSON places, plain text for headers.
enum Value {
    Text(String),
    Number(String),
}

impl Value {
    fn of(shown: &str) -> Option<Self> {
        match serde_json::from_str::<&serde_json::value::RawValue>(shown) {
            Ok(raw) if raw.get().starts_with('"') => serde_json::from_str(shown).ok().map(Self::Text),
            Ok(raw) if raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Some(Self::Number(shown.to_owned()))
            }
            // true, false, null, an array or an object has no format.
            Ok(_) => None,
            Err(_) => Some(Self::Text(shown.to_owned())),
        }
    }

    fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Text(text) => Scalar::Text(text),
            Self::Number(number) => Scalar::Number(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::compare::Comparator;

    fn endpoint() -> EndpointId {
        EndpointId::new(Method::GET, "/playlists/{id}")
    }

    fn compared(control: &str, candidate: &str) -> Comparison {
        Comparator::default().compare_contents(&endpoint(), None, control.as_bytes(), candidate.as_bytes())
    }

    /// A book that saw control differ from itself in the given pairs.
    fn taught(pairs: &[(&str, &str)]) -> NoiseBook {
        let mut book = NoiseBook::default();
        for (first, second) in pairs {
            book.learn(&endpoint(), &compared(first, second));
        }
        book
    }

    /// What is left of a comparison once the book has quieted it.
    fn left(book: &mut NoiseBook, control: &str, candidate: &str) -> Vec<(Kind, String)> {
        let mut comparison = compared(control, candidate);
        book.quiet(&endpoint(), &mut comparison);
        comparison.divergences.iter().map(|d| (d.kind, d.location.to_string())).collect()
    }

    const TIMES: [(&str, &str); 3] = [
        (r#"{"at":"2026-01-01T00:00:01Z"}"#, r#"{"at":"2026-01-01T00:00:02Z"}"#),
        (r#"{"at":"2026-01-01T00:00:03Z"}"#, r#"{"at":"2026-01-01T00:00:05Z"}"#),
        (r#"{"at":"2026-01-01T00:00:06Z"}"#, r#"{"at":"2026-01-01T00:00:09Z"}"#),
    ];

    #[test]
    fn a_timestamp_that_always_differs_is_noise() {
        let mut book = taught(&TIMES);
        assert_eq!(
            left(&mut book, r#"{"at":"2026-01-01T00:00:01Z"}"#, r#"{"at":"2026-02-01T00:00:00Z"}"#),
            []
        );
        let noise = book.endpoint(&endpoint()).unwrap();
        let learned = noise.places.values().next().unwrap();
        assert_eq!((noise.asked_twice, learned.sightings, learned.hidden), (3, 3, 1));
        assert_eq!(learned.format(), Some(Format::Timestamp));
    }

    /// The blind spot of tools that mask a noisy field whole.
    #[test]
    fn a_noisy_field_that_becomes_null_a_word_a_number_or_goes_away_is_found() {
        let mut book = taught(&TIMES);
        let control = r#"{"at":"2026-01-01T00:00:01Z"}"#;
        for candidate in [
            r#"{"at":null}"#,
            r#"{"at":"soon"}"#,
            r#"{"at":5}"#,
            "{}",
            r#"{"at":"2026/01/01 00:00:01 +0000"}"#,
        ] {
            assert_eq!(left(&mut book, control, candidate).len(), 1, "{candidate} went through");
        }
    }

    #[test]
    fn one_edit_between_two_requests_is_no_noise() {
        let mut book = taught(&TIMES[..2]);
        let left = left(&mut book, r#"{"at":"2026-01-01T00:00:01Z"}"#, r#"{"at":"2026-02-01T00:00:00Z"}"#);
        assert_eq!(left, [(Kind::Value, "$.at".to_owned())]);
    }

    #[test]
    fn a_place_that_rarely_differs_is_no_noise() {
        let mut book = taught(&TIMES);
        for _ in 0..97 {
            book.learn(&endpoint(), &compared("{}", "{}"));
        }
        let left = left(&mut book, r#"{"at":"2026-01-01T00:00:01Z"}"#, r#"{"at":"2026-02-01T00:00:00Z"}"#);
        assert_eq!(left.len(), 1, "3 of 100 is below the share");
    }

    #[test]
    fn more_than_control_showed_is_never_noise() {
        let growing = [(r#"{"t":[1]}"#, r#"{"t":[1,2]}"#); 5];
        let mut book = taught(&growing);
        let left = left(&mut book, r#"{"t":[1]}"#, r#"{"t":[1,2]}"#);
        assert_eq!(left, [(Kind::Added, "$.t[1]".to_owned())]);
    }

    #[test]
    fn an_order_that_control_does_not_keep_is_noise() {
        let mut book = taught(&[("[1,2,3]", "[3,2,1]"); 3]);
        assert_eq!(left(&mut book, "[1,2,3]", "[2,1,3]"), []);
    }

    #[test]
    fn noise_of_one_endpoint_hides_nothing_of_another() {
        let mut book = taught(&TIMES);
        let mut comparison = compared(r#"{"at":"2026-01-01T00:00:01Z"}"#, r#"{"at":"2026-02-01T00:00:00Z"}"#);
        book.quiet(&EndpointId::new(Method::GET, "/other"), &mut comparison);
        assert_eq!(comparison.divergences.len(), 1);
    }
}
