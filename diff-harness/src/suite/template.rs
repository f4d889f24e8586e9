//! Text with `${variables}`.

use std::collections::BTreeMap;

/// Text in which `${name}` stands for a variable and `$${` for a literal `${`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
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

    /// The names of the variables in it, in order, with repetitions.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable(name) => Some(name.as_str()),
        })
    }

    /// The text with every variable replaced; each value goes through `escape` first (for a path segment, say).
    pub fn fill(
        &self,
        values: &BTreeMap<String, String>,
        escape: impl Fn(&str) -> String,
    ) -> Result<String, Unbound> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Variable(name) => {
                    let value = values.get(name).ok_or_else(|| Unbound(name.clone()))?;
                    text.push_str(&escape(value));
                }
            }
        }
        Ok(text)
    }

    /// The template as an endpoint's path: every variable becomes a parameter.
    pub fn as_path_template(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(literal) => literal.clone(),
            Part::Variable(name) => format!("{{{}}}", name.replace(['.', '-'], "_")),
        });
        parts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, Unbound> {
        let values = BTreeMap::from([("id".to_owned(), "a/b".to_owned())]);
        Template::parse(text).unwrap().fill(&values, |value| value.replace('/', "%2F"))
    }

    #[test]
    fn variables_are_filled_and_escaped() {
        assert_eq!(filled("/playlists/${id}/tracks").unwrap(), "/playlists/a%2Fb/tracks");
        assert_eq!(filled("${id}${id}").unwrap(), "a%2Fba%2Fb");
        assert_eq!(filled("").unwrap(), "");
    }

    #[test]
    fn a_doubled_dollar_is_a_dollar_and_a_brace() {
        assert_eq!(filled("$${id} $5 {id}").unwrap(), "${id} $5 {id}");
    }

    #[test]
    fn an_unbound_variable_is_named() {
        assert_eq!(filled("${nobody}"), Err(Unbound("nobody".to_owned())));
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
}
