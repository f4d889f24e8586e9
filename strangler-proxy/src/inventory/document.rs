//! A YAML or JSON document as a plain tree that keeps what typed readers lose.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::error::{Fault, Place};

/// Maps keep their order and their duplicate keys; numbers are kept as text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Reads a document that starts with `{` or `[` as JSON and any other as YAML.
    ///
    /// A tree takes no more room than a small multiple of its text: a document whose YAML aliases would make more
    /// of it is refused.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(Fault::new(Place::Document, "the document is empty", "check the name of the file"));
        }
        let room = Cell::new(text.len().saturating_mul(4).saturating_add(1 << 20));
        let seed = Seed { room: &room };
        if text.trim_start().starts_with(['{', '[']) { read_json(text, seed) } else { read_yaml(text, seed) }
    }

    /// The value of a key; of the last one, where it is there twice, as most readers have it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// One more step of a JSON pointer (RFC 6901 §3).
pub(super) fn step(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn read_json(text: &str, seed: Seed<'_>) -> Result<Node, Fault> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = seed.deserialize(&mut json).and_then(|node| json.end().map(|()| node));
    read.map_err(|error| {
        let place = Place::Position { line: error.line(), column: error.column() };
        syntax("JSON", place, &error.to_string())
    })
}

fn read_yaml(text: &str, seed: Seed<'_>) -> Result<Node, Fault> {
    seed.deserialize(yaml_serde::Deserializer::from_str(text)).map_err(|error| {
        let place = error.location().map_or(Place::Document, |location| Place::Position {
            line: location.line(),
            column: location.column(),
        });
        syntax("YAML", place, &error.to_string())
    })
}

fn syntax(language: &str, place: Place, message: &str) -> Fault {
    // The place is said already.
    let message = message.split(" at line ").next().unwrap_or(message);
    let hint = if message.contains("recursion limit") {
        "a document may be nested 128 deep"
    } else if message.contains("more than one document") {
        "split the file at its `---` lines and import each part"
    } else if message == TOO_LARGE {
        "expand the aliases and leave out what repeats"
    } else {
        "the document must be one JSON or YAML value"
    };
    Fault::new(place, format!("not readable as {language}: {message}"), hint)
}

const TOO_LARGE: &str = "its aliases make it many times larger than its text";

/// Reads one value, as long as there is room.
#[derive(Clone, Copy)]
struct Seed<'r> {
    room: &'r Cell<usize>,
}

impl Seed<'_> {
    fn take<E: de::Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.room.get().checked_sub(bytes + 1).ok_or_else(|| E::custom(TOO_LARGE))?;
        self.room.set(left);
        Ok(())
    }

    fn number<E: de::Error>(self, number: impl fmt::Display) -> Result<Node, E> {
        self.take(0)?;
        Ok(Node::Number(number.to_string()))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON or YAML value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        self.take(0)?;
        Ok(Node::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_some<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        self.take(0)?;
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        self.number(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        self.number(value)
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Node, E> {
        self.number(value)
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Node, E> {
        self.number(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        self.number(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        self.take(value.len())?;
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        self.take(0)?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        self.take(0)?;
        let mut entries: Vec<(String, Node)> = Vec::new();
        // As text, so that YAML's unquoted `200:` is the key "200".
        while let Some(key) = map.next_key::<String>()? {
            self.take(key.len())?;
            entries.push((key, map.next_value_seed(self)?));
        }
        if entries.iter().any(|(key, _)| key == "<<") {
            entries = self.merged(entries)?;
        }
        Ok(Node::Map(entries))
    }

    /// A tagged YAML value: the tag says nothing here.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node, A::Error> {
        let (_, value) = tagged.variant::<String>()?;
        value.newtype_variant_seed(self)
    }
}

impl Seed<'_> {
    /// YAML's merge keys: `<<: *alias` stands for the entries that the map does not have itself.
    fn merged<E: de::Error>(self, entries: Vec<(String, Node)>) -> Result<Vec<(String, Node)>, E> {
        let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| key == "<<");
        for (_, merge) in merges {
            let maps = match merge {
                Node::List(maps) => maps,
                map => vec![map],
            };
            for (key, value) in maps.into_iter().flat_map(|map| match map {
                Node::Map(entries) => entries,
                _ => Vec::new(),
            }) {
                // Looking through what is there is bounded by the room that each step takes.
                self.take(own.len())?;
                if own.iter().all(|(known, _)| *known != key) {
                    own.push((key, value));
                }
            }
        }
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Node::read(text).expect_err(text).of("api.yaml").to_string()
    }

    #[test]
    fn yaml_and_json_give_one_tree() {
        let yaml = "a:\n  200: x\n  '201': [1, true, ~]\n";
        let json = r#"{"a": {"200": "x", "201": [1, true, null]}}"#;
        assert_eq!(Node::read(yaml).unwrap(), Node::read(json).unwrap());
    }

    #[test]
    fn duplicate_keys_survive() {
        for text in ["a: 1\nb: 2\na: 3\n", r#"{"a": 1, "b": 2, "a": 3}"#] {
            let node = Node::read(text).unwrap();
            assert_eq!(node.entries().len(), 3, "{text}");
            assert_eq!(node.get("a"), Some(&Node::Number("3".into())));
        }
    }

    #[test]
    fn merge_keys_and_tags_are_read() {
        let node = Node::read("base: &b {x: 1, y: 2}\na:\n  <<: *b\n  y: !odd 3\n").unwrap();
        let a = node.get("a").unwrap();
        assert_eq!(a.get("x"), Some(&Node::Number("1".into())));
        assert_eq!(a.get("y"), Some(&Node::Number("3".into())));
        assert_eq!(a.entries().len(), 2);
    }

    #[test]
    fn a_syntax_error_names_its_place() {
        assert!(
            error("{\"a\": 1,\n \"b\": }").starts_with("api.yaml:2:7: not readable as JSON: expected value;")
        );
        assert!(
            error("a: 1\nb: [1, 2\nc: 3\n").starts_with("api.yaml:3:2: not readable as YAML: did not find")
        );
        assert!(error(" \n").starts_with("api.yaml: the document is empty; "));
        assert!(error("a: 1\n---\nb: 2\n").contains("split the file"));
        assert!(error(&"[".repeat(10_000)).contains("128 deep"));
        assert!(error(&"- ".repeat(10_000)).contains("128 deep"));
    }

    #[test]
    fn aliases_cannot_make_a_document_grow_without_bounds() {
        let text = "x".repeat(50_000);
        let mut bomb = format!("a0: &a0 {text}\n");
        for n in 1..6 {
            let aliases = vec![format!("*a{}", n - 1); 9].join(", ");
            bomb.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
        }
        assert!(error(&bomb).contains(TOO_LARGE));
    }
}
