//! `google.protobuf.FieldMask`, with its JSON form: one text with commas, names in camelCase
//! (<https://protobuf.dev/programming-guides/json/>). The generator's own form of it is an object.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct FieldMask {
    #[prost(string, repeated, tag = "1")]
    pub paths: Vec<String>,
}

impl Serialize for FieldMask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let paths: Vec<String> = self.paths.iter().map(|path| camel(path)).collect();
        serializer.serialize_str(&paths.join(","))
    }
}

impl<'de> Deserialize<'de> for FieldMask {
    /// Names in snake_case are taken, too.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let paths = text.split(',').map(str::trim).filter(|path| !path.is_empty()).map(snake);
        Ok(Self { paths: paths.collect() })
    }
}

fn camel(path: &str) -> String {
    let mut camel = String::with_capacity(path.len());
    let mut after_underscore = false;
    for c in path.chars() {
        match c {
            '_' => after_underscore = true,
            c if std::mem::take(&mut after_underscore) => camel.push(c.to_ascii_uppercase()),
            c => camel.push(c),
        }
    }
    camel
}

fn snake(path: &str) -> String {
    let mut snake = String::with_capacity(path.len() + 4);
    for c in path.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_one_text_in_json() {
        let mask = FieldMask { paths: vec!["track_count".to_owned(), "tracks.duration_ms".to_owned()] };
        let json = serde_json::to_string(&mask).unwrap();
        assert_eq!(json, "\"trackCount,tracks.durationMs\"");
        assert_eq!(serde_json::from_str::<FieldMask>(&json).unwrap(), mask);
        assert_eq!(serde_json::from_str::<FieldMask>("\"track_count, tracks.duration_ms\"").unwrap(), mask);
        assert!(serde_json::from_str::<FieldMask>("{\"paths\":[\"title\"]}").is_err());
    }
}
