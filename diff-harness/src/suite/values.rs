//! What variables stand for on one side.

use std::collections::BTreeMap;

/// The variables of one side, by name.
pub type Values = BTreeMap<String, Value>;

/// One value, as text for a path or a header, and as JSON where it becomes a value of a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    text: String,
    /// As it was written: a captured `17` is sent as `17` again, and not as `"17"`.
    json: String,
}

impl Value {
    /// Text: a JSON string where it becomes JSON.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        let json = serde_json::Value::from(text.as_str()).to_string();
        Self { text, json }
    }

    /// A JSON scalar that is not a string: a number, `true`, `null`.
    pub fn bare(json: impl Into<String>) -> Self {
        let json = json.into();
        Self { text: json.clone(), json }
    }

    pub fn as_text(&self) -> &str {
        &self.text
    }

    pub fn as_json(&self) -> &str {
        &self.json
    }
}
