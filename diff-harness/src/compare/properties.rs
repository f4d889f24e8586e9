//! What holds of every comparison.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;

use super::*;
use crate::comparison::Verdict;
use crate::divergence::{Divergence, JsonPath, Kind, Location, Segment, Severity};
use crate::json::{JsonType, NodeId, Tree, parse};

/// A JSON document as it will be written: numbers by their text.
#[derive(Clone, Debug)]
enum Json {
    Null,
    Boolean(bool),
    Number(&'static str),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

use Json::{Array, Boolean, Null, Number, Object, String as Text};

/// Some are equal in value and differ in form.
const NUMBERS: [&str; 12] = [
    "0",
    "-0",
    "1",
    "1.0",
    "10e-1",
    "2",
    "2.5",
    "100",
    "1E2",
    "10000000000000000001",
    "10000000000000000002",
    "1e400",
];

const KEYS: [&str; 8] = ["id", "name", "a", "b", "c", "a b", "it's", "é"];

fn document() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Null),
        any::<bool>().prop_map(Boolean),
        select(&NUMBERS[..]).prop_map(Number),
        "[a-c\"\\\\é😀\n]{0,3}".prop_map(Text),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let members = vec((select(&KEYS[..]), inner.clone()), 0..6);
        prop_oneof![vec(inner, 0..6).prop_map(Array), members.prop_map(|members| Object(distinct(members)))]
    })
}

fn distinct(members: Vec<(&'static str, Json)>) -> Vec<(String, Json)> {
    let mut kept: Vec<(String, Json)> = Vec::new();
    for (key, value) in members {
        if kept.iter().all(|(known, _)| known != key) {
            kept.push((key.to_owned(), value));
        }
    }
    kept
}

impl Json {
    /// `roomy` writes other white space, escapes and member order: the same value in another form.
    fn write(&self, roomy: bool) -> String {
        let space = if roomy { " \n" } else { "" };
        match self {
            Null => "null".to_owned(),
            Boolean(value) => value.to_string(),
            Number(text) => (*text).to_owned(),
            Text(text) => quote(text, roomy),
            Array(elements) => {
                let texts: Vec<String> = elements.iter().map(|element| element.write(roomy)).collect();
                format!("[{space}{}{space}]", texts.join(&format!("{space},{space}")))
            }
            Object(members) => {
                let text = |(key, value): &(String, Self)| {
                    format!("{}{space}:{space}{}", quote(key, roomy), value.write(roomy))
                };
                let mut texts: Vec<String> = members.iter().map(text).collect();
                if roomy {
                    texts.reverse();
                }
                format!("{{{}}}", texts.join(","))
            }
        }
    }

    /// The value in one form: what two documents must have in common to be equal.
    fn canonical(&self) -> String {
        match self {
            Number(text) => match *text {
                "0" | "-0" => "0".to_owned(),
                "1" | "1.0" | "10e-1" => "1".to_owned(),
                "100" | "1E2" => "100".to_owned(),
                other => other.to_owned(),
            },
            Array(elements) => {
                let texts: Vec<String> = elements.iter().map(Self::canonical).collect();
                format!("[{}]", texts.join(","))
            }
            Object(members) => {
                let mut texts: Vec<String> =
                    members.iter().map(|(key, value)| format!("{key:?}:{}", value.canonical())).collect();
                texts.sort();
                format!("{{{}}}", texts.join(","))
            }
            other => other.write(false),
        }
    }

    /// How many values are in it, itself included.
    fn count(&self) -> usize {
        1 + match self {
            Array(elements) => elements.iter().map(Self::count).sum(),
            Object(members) => members.iter().map(|(_, value)| value.count()).sum(),
            _ => 0,
        }
    }

    /// The n-th value in document order.
    fn nth(&mut self, n: usize) -> &mut Self {
        if n == 0 {
            return self;
        }
        let mut left = n - 1;
        let children: Vec<&mut Self> = match self {
            Array(elements) => elements.iter_mut().collect(),
            Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        };
        for child in children {
            let count = child.count();
            if left < count {
                return child.nth(left);
            }
            left -= count;
        }
        panic!("there are not {n} values")
    }
}

fn quote(text: &str, escaped: bool) -> String {
    if !escaped {
        return serde_json::to_string(text).unwrap();
    }
    let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{}\"", units.concat())
}

/// A document and one like it: with a value replaced, or its elements turned round, or another one altogether.
fn pair() -> impl Strategy<Value = (Json, Json)> {
    let change = (document(), document(), any::<Index>(), 0..4_u8);
    change.prop_map(|(control, other, at, how)| {
        let mut candidate = control.clone();
        let place = candidate.nth(at.index(control.count()));
        match (how, &mut *place) {
            (0, _) => return (control, other),
            (1, Array(elements)) => elements.reverse(),
            (2, Array(elements)) => elements.push(other),
            (_, place) => *place = other,
        }
        (control, candidate)
    })
}

fn compare_texts(rules: &str, control: &str, candidate: &str) -> Comparison {
    let limits = Limits { value_bytes_max: usize::MAX, ..Limits::default() };
    let comparator = Comparator::new(Rules::parse(rules, "rules.toml").unwrap(), limits);
    let json = MediaType::parse("application/json");
    let endpoint = "GET /x".parse().unwrap();
    comparator.compare_contents(&endpoint, json.as_ref(), control.as_bytes(), candidate.as_bytes())
}

/// The raw text at a path. Keys are distinct in these documents.
fn at<'t>(tree: &Tree<'t>, path: &JsonPath) -> Option<&'t str> {
    let step = |node: NodeId, segment: &Segment| match segment {
        Segment::Key(key) => tree.member(node, key),
        Segment::Index(index) if tree.json_type(node) == JsonType::Array => tree.children(node).nth(*index),
        _ => None,
    };
    path.0.iter().try_fold(tree.root(), step).map(|node| tree.raw(node))
}

fn assert_is_there(divergence: &Divergence, control: &Tree<'_>, candidate: &Tree<'_>) {
    let Location::Json(path) = &divergence.location else { panic!("{divergence:?}") };
    match divergence.kind {
        Kind::Added => assert_eq!(at(candidate, path), divergence.candidate.as_deref(), "{divergence:?}"),
        // An order names the elements by what they are known by.
        Kind::Order => assert!(at(control, path).is_some_and(|raw| raw.starts_with('[')), "{divergence:?}"),
        _ => assert_eq!(at(control, path), divergence.control.as_deref(), "{divergence:?}"),
    }
}

const IGNORE_ALL: &str = "[[rules]]\nid = 'all'\npath = '$'\naction = 'ignore'\nreason = 'test'\n";

fn config() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(0x5eed),
        failure_persistence: None,
        ..ProptestConfig::with_cases(1500)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_document_matches_itself_in_every_form(document in document()) {
        let (plain, roomy) = (document.write(false), document.write(true));
        prop_assert_eq!(compare_texts("", &plain, &plain).verdict(), Verdict::Match);
        prop_assert_eq!(compare_texts("", &plain, &roomy).verdict(), Verdict::Match);
        prop_assert_eq!(compare_texts("", &roomy, &plain).verdict(), Verdict::Match);
    }

    #[test]
    fn different_values_are_found_and_equal_ones_are_not((control, candidate) in pair()) {
        let comparison = compare_texts("", &control.write(false), &candidate.write(true));
        let worse_than_form = comparison.severity().is_some_and(|severity| severity > Severity::Cosmetic);
        prop_assert_eq!(worse_than_form, control.canonical() != candidate.canonical(), "{:?}", comparison);
    }

    #[test]
    fn every_reported_path_is_there((control, candidate) in pair()) {
        let (left, right) = (control.write(false), candidate.write(false));
        let trees = (parse(left.as_bytes(), 99).unwrap(), parse(right.as_bytes(), 99).unwrap());
        for divergence in compare_texts("", &left, &right).divergences {
            assert_is_there(&divergence, &trees.0, &trees.1);
        }
    }

    #[test]
    fn anything_more_is_an_exposure(control in document(), extra in document(), at in any::<Index>(), place in any::<Index>()) {
        let mut candidate = control.clone();
        match candidate.nth(at.index(control.count())) {
            Array(elements) => elements.insert(place.index(elements.len() + 1), extra),
            Object(members) => members.insert(place.index(members.len() + 1), ("extra".to_owned(), extra)),
            _ => return Ok(()),
        }
        let comparison = compare_texts("", &control.write(false), &candidate.write(false));
        prop_assert_eq!(comparison.severity(), Some(Severity::Exposure), "{:?}", comparison);
    }

    #[test]
    fn a_rule_hides_everything_but_exposures((control, candidate) in pair()) {
        let (left, right) = (control.write(false), candidate.write(false));
        let open = compare_texts("", &left, &right);
        let ruled = compare_texts(IGNORE_ALL, &left, &right);
        let (exposures, others): (Vec<_>, Vec<_>) =
            open.divergences.iter().cloned().partition(|divergence| divergence.severity == Severity::Exposure);
        prop_assert_eq!(ruled.divergences, exposures);
        prop_assert_eq!(ruled.tolerated.len(), others.len());
        let allowed = compare_texts(&format!("{IGNORE_ALL}allow_exposure = true"), &left, &right);
        prop_assert_eq!(allowed.tolerated.len(), open.divergences.len());
    }
}
