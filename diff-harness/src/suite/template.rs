//! Text with `${variables}`, and how a value is escaped where it stands.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::suite::values::Values;

/// Text in which `${name}` stands for a variable and `$${` for a literal `${`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
    /// A whole JSON value: what is a number in the variable is a number here.
    Json(String),
}

/// Where a text stands, which decides how the values in it are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// A segment of a path (RFC 3986 §3.3 `pchar`): a `/` in a value is no separator.
    Segment,
    /// The value of a query parameter.
    Query,
    /// The value of a form field (WHATWG URL §5.2).
    Form,
    /// Inside of a JSON string.
    JsonString,
    /// As it is: a header, a text body.
    Plain,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    #[error("`${{` is not closed by `}}`; write `$${{` for the two characters themselves")]
    Unclosed,
    #[error("`${{{0}}}` is not a variable: a name has letters, digits, `_`, `-` and `.`")]
    Name(String),
}

/// The variable that no value was bound to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the variable `{0}` is not bound")]
pub struct Unbound(pub String);

impl Template {
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if let Some(before) = rest[..at].strip_suffix('$') {
                literal.push_str(before);
                literal.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            literal.push_str(&rest[..at]);
            let (name, after) = rest[at + 2..].split_once('}').ok_or(TemplateError::Unclosed)?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(TemplateError::Name(name.to_owned()));
            }
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self { parts })
    }

    /// Text without variables, whatever it looks like: recorded requests are sent as they were.
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        let parts = if text.is_empty() { vec![] } else { vec![Part::Text(text)] };
        Self { parts }
    }

    /// A JSON value in whose strings and keys variables stand. A string that is one variable and nothing else
    /// becomes the variable's value with the type that it has.
    pub fn of_json(value: &serde_json::Value) -> Result<Self, TemplateError> {
        let mut template = Self { parts: Vec::new() };
        template.push_json(value)?;
        Ok(template)
    }

    /// A form of fields in whose values variables stand (WHATWG URL §5.2).
    pub fn of_form<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> Result<Self, TemplateError> {
        let mut template = Self { parts: Vec::new() };
        for (index, (name, value)) in fields.into_iter().enumerate() {
            template.push_text(if index == 0 { "" } else { "&" });
            template.push_pair(Position::Form, name, &value)?;
        }
        Ok(template)
    }

    /// One query parameter, in whose value variables stand.
    pub fn of_query(name: &str, value: &str) -> Result<Self, TemplateError> {
        let mut template = Self { parts: Vec::new() };
        template.push_pair(Position::Query, name, value)?;
        Ok(template)
    }

    /// The names of the variables in it, in order, with repetitions.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable(name) | Part::Json(name) => Some(name.as_str()),
        })
    }

    /// The variable that is all there is to it.
    pub fn only_variable(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Variable(name)] => Some(name),
            _ => None,
        }
    }

    /// The text with every variable replaced by its value, escaped for where it stands.
    pub fn fill(&self, values: &Values, position: Position) -> Result<String, Unbound> {
        let mut text = String::new();
        for part in &self.parts {
            let value = |name: &str| values.get(name).ok_or_else(|| Unbound(name.to_owned()));
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Variable(name) => text.push_str(&position.escape(value(name)?.as_text())),
                Part::Json(name) => text.push_str(value(name)?.as_json()),
            }
        }
        Ok(text)
    }

    /// The template as an endpoint's path: every variable becomes a parameter.
    pub fn as_path_template(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(literal) => literal.clone(),
            Part::Variable(name) | Part::Json(name) => format!("{{{}}}", name.replace(['.', '-'], "_")),
        });
        parts.collect()
    }

    fn push_text(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Text(literal)) => literal.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    fn push_pair(&mut self, position: Position, name: &str, value: &str) -> Result<(), TemplateError> {
        self.push_text(&format!("{}=", position.escape(name)));
        for part in Self::parse(value)?.parts {
            match part {
                Part::Text(text) => self.push_text(&position.escape(&text)),
                other => self.parts.push(other),
            }
        }
        Ok(())
    }

    fn push_json(&mut self, value: &serde_json::Value) -> Result<(), TemplateError> {
        use serde_json::Value;
        match value {
            Value::Array(elements) => {
                self.push_text("[");
                for (index, element) in elements.iter().enumerate() {
                    self.push_text(if index == 0 { "" } else { "," });
                    self.push_json(element)?;
                }
                self.push_text("]");
            }
            Value::Object(members) => {
                self.push_text("{");
                for (index, (key, member)) in members.iter().enumerate() {
                    self.push_text(if index == 0 { "\"" } else { ",\"" });
                    self.push_json_string(Self::parse(key)?);
                    self.push_text("\":");
                    self.push_json(member)?;
                }
                self.push_text("}");
            }
            Value::String(text) => {
                let template = Self::parse(text)?;
                match template.only_variable() {
                    Some(name) => self.parts.push(Part::Json(name.to_owned())),
                    None => {
                        self.push_text("\"");
                        self.push_json_string(template);
                        self.push_text("\"");
                    }
                }
            }
            scalar => self.push_text(&scalar.to_string()),
        }
        Ok(())
    }

    fn push_json_string(&mut self, template: Self) {
        for part in template.parts {
            match part {
                Part::Text(text) => self.push_text(&Position::JsonString.escape(&text)),
                other => self.parts.push(other),
            }
        }
    }
}

impl Position {
    pub fn escape(self, value: &str) -> String {
        match self {
            Self::Segment => utf8_percent_encode(value, SEGMENT).to_string(),
            Self::Query => utf8_percent_encode(value, QUERY).to_string(),
            Self::Form => utf8_percent_encode(value, FORM).to_string().replace("%20", "+"),
            Self::JsonString => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Plain => value.to_owned(),
        }
    }
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const SEGMENT: &AsciiSet = &UNRESERVED
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Without `+`, `&` and `=`, which mean something in most queries.
const QUERY: &AsciiSet = &UNRESERVED.remove(b':').remove(b'/').remove(b'@').remove(b',').remove(b'*');

const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::suite::values::Value;

    fn values() -> Values {
        let of = [("id", Value::text("a/b c&\"")), ("n", Value::bare("17"))];
        of.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn filled(text: &str, position: Position) -> Result<String, Unbound> {
        Template::parse(text).unwrap().fill(&values(), position)
    }

    #[test]
    fn a_value_is_escaped_for_where_it_stands() {
        for (position, expected) in [
            (Position::Segment, "x/a%2Fb%20c&%22/y"),
            (Position::Query, "x/a/b%20c%26%22/y"),
            (Position::Form, "x/a%2Fb+c%26%22/y"),
            (Position::JsonString, "x/a/b c&\\\"/y"),
            (Position::Plain, "x/a/b c&\"/y"),
        ] {
            assert_eq!(filled("x/${id}/y", position).unwrap(), expected, "{position:?}");
        }
        assert_eq!(filled("", Position::Plain).unwrap(), "");
    }

    #[test]
    fn a_doubled_dollar_is_a_dollar_and_a_brace() {
        assert_eq!(filled("$${id} $5 {id}", Position::Plain).unwrap(), "${id} $5 {id}");
    }

    #[test]
    fn an_unbound_variable_is_named() {
        assert_eq!(filled("${nobody}", Position::Plain), Err(Unbound("nobody".to_owned())));
    }

    #[test]
    fn a_malformed_variable_is_refused() {
        assert_eq!(Template::parse("/a/${id"), Err(TemplateError::Unclosed));
        assert_eq!(Template::parse("${a b}"), Err(TemplateError::Name("a b".to_owned())));
        assert_eq!(Template::parse("${}"), Err(TemplateError::Name(String::new())));
    }

    #[test]
    fn an_endpoint_has_parameters_where_the_path_has_variables() {
        let template = Template::parse("/playlists/${list.id}/tracks").unwrap();
        assert_eq!(template.as_path_template(), "/playlists/{list_id}/tracks");
    }

    #[test]
    fn a_variable_keeps_its_type_in_json_and_is_escaped_in_longer_text() {
        let body = json!({ "post": "${n}", "by": "${id}", "text": "<${id}\n${n}>", "n": [1.0, null, true], "${n}": 1 });
        let filled = Template::of_json(&body).unwrap().fill(&values(), Position::JsonString).unwrap();
        assert_eq!(
            filled,
            r#"{"post":17,"by":"a/b c&\"","text":"<a/b c&\"\n17>","n":[1.0,null,true],"17":1}"#
        );
    }

    #[test]
    fn a_form_is_encoded_once() {
        let fields = [("title", "a b&${id}".to_owned()), ("n[]", "1".to_owned())];
        let form = Template::of_form(fields).unwrap().fill(&values(), Position::Form).unwrap();
        assert_eq!(form, "title=a+b%26a%2Fb+c%26%22&n%5B%5D=1");
    }

    #[test]
    fn recorded_text_has_no_variables() {
        let template = Template::literal("${id}");
        assert_eq!(template.fill(&Values::new(), Position::Plain).unwrap(), "${id}");
    }
}
