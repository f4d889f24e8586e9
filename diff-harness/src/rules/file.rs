//! The rules file: TOML tables to rules, or an error that a person can act on.

use std::collections::HashMap;

use serde::Deserialize;
use toml::Spanned;

use super::Rule;
use super::fault::{Fault, RulesError};
use super::table::RuleTable;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    #[serde(default)]
    rules: Vec<Spanned<RuleTable>>,
}

pub(super) fn parse(text: &str, name: &str) -> Result<Vec<Rule>, RulesError> {
    let file: RulesFile = toml::from_str(text).map_err(|error| {
        let fault = Fault {
            span: error.span().unwrap_or(0..0),
            message: error.message().to_owned(),
            hint: "a rule is a `[[rules]]` table with `id`, one of `path`, `header` and `status`, `action` and `reason`"
                .to_owned(),
        };
        fault.located(text, name)
    })?;
    resolve(file.rules, text, name)
}

pub(super) fn resolve(
    tables: Vec<Spanned<RuleTable>>,
    text: &str,
    name: &str,
) -> Result<Vec<Rule>, RulesError> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut rules = Vec::with_capacity(tables.len());
    for table in tables {
        let span = table.span();
        let rule = table.into_inner().resolve(span, &mut seen, text);
        rules.push(rule.map_err(|fault| fault.located(text, name))?);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Action;

    const GOOD: &str = r#"
# Both sides make these.
[[rules]]
id = "created-at"
endpoint = ["GET /playlists/{id}", "* /tracks/*"]
path = "$..created_at"
action = "format"
format = "timestamp"
reason = "each side writes its own"

[[rules]]
id = "plays"
path = "$.plays"
action = "tolerance"
absolute = 10
relative = 0.01
reason = "counted asynchronously"

[[rules]]
id = "tags"
path = "$.tags"
action = "keyed"
by = "$.tag.id"
reason = "no id of their own"

[[rules]]
id = "version"
header = "X-Version"
action = "compare"
reason = "clients read it"

[[rules]]
id = "status"
endpoint = "GET /health"
status = true
action = "ignore"
allow_exposure = true
reason = "not deployed yet"
"#;

    #[test]
    fn a_rules_file_is_read_whole() {
        let rules = parse(GOOD, "rules.toml").unwrap();
        let actions: Vec<_> = rules.iter().map(|rule| (rule.id.as_str(), rule.action.as_str())).collect();
        let expected = [
            ("created-at", "format"),
            ("plays", "tolerance"),
            ("tags", "keyed"),
            ("version", "compare"),
            ("status", "ignore"),
        ];
        assert_eq!(actions, expected);
        assert_eq!(rules[2].action, Action::Keyed { by: vec!["tag".into(), "id".into()] });
        assert_eq!(rules[0].endpoints.len(), 2);
        assert!(rules[4].allow_exposure);
    }

    #[test]
    fn a_wrong_file_is_refused_with_line_and_hint() {
        for (wrong, with, line, message) in [
            ("\"format\"\n", "\"formt\"\n", 7, "`formt` is not an action"),
            ("$..created_at", "..created_at", 6, "is not a JSON path"),
            ("$..created_at", "$[?@.x]", 6, "filters"),
            ("\"timestamp\"", "\"date-time\"", 8, "expected one of timestamp, date"),
            ("id = \"plays\"", "id = \"created-at\"", 12, "is taken by the rule on line 4"),
            ("id = \"plays\"\n", "", 11, "missing field `id`"),
            ("absolute = 10\nrelative = 0.01\n", "", 11, "does not say how much"),
            ("relative = 0.01", "relative = -1", 16, "negative"),
            ("relative = 0.01", "seconds = nan", 16, "endless"),
            ("by = \"$.tag.id\"", "by = \"$..id\"", 23, "does not lead to one member"),
            ("by = \"$.tag.id\"", "format = \"uuid\"", 19, "has no `by`"),
            ("absolute = 10", "by = \"id\"", 15, "belongs to `action = \"keyed\"`"),
            ("header = \"X-Version\"", "header = \"X Version\"", 28, "not a header name"),
            ("header = \"X-Version\"", "header = \"a\"\npath = \"$\"", 26, "exactly one target"),
            ("action = \"compare\"", "action = \"unordered\"", 29, "does not apply to a header"),
            ("status = true", "status = false", 35, "can only be true"),
            ("GET /health", "health", 34, "is not an endpoint"),
            ("reason = \"clients read it\"", "reason = \" \"", 30, "`reason` is empty"),
            ("reason = \"clients read it\"\n", "", 26, "missing field `reason`"),
            ("allow_exposure", "allow_exposures", 37, "unknown field `allow_exposures`"),
            ("# Both sides make these.", "version = 1", 2, "unknown field `version`"),
            ("[[rules]]\nid = \"plays\"", "[[rules]\nid = \"plays\"", 11, ""),
        ] {
            assert!(GOOD.contains(wrong), "{wrong}");
            let error = parse(&GOOD.replacen(wrong, with, 1), "rules.toml").unwrap_err();
            assert!(error.message.contains(message), "{with}: {error}");
            assert_eq!(error.line, line, "{with}: {error}");
            assert!(!error.hint.is_empty(), "{with}: {error}");
            assert!(error.to_string().starts_with(&format!("rules.toml:{line}:")), "{error}");
        }
    }
}
