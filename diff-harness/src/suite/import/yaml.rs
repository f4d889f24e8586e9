//! Drafts as YAML: written for a person to read and change.

use std::fmt::Write;

use serde_json::Value;

use super::{Draft, DraftBody, DraftCase};
use crate::suite::load::load;

/// The whole draft.
pub(super) fn render(draft: &Draft) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "suite: {}", text(&draft.name));
    if !draft.personas.is_empty() {
        out.push_str("\npersonas:\n");
        for (name, headers) in &draft.personas {
            personas(&mut out, name, headers);
        }
    }
    if !draft.secrets.is_empty() {
        out.push_str("\n# These were secret where the requests came from; fill them in, or take them from ${env.NAME}.\nvariables:\n");
        for secret in &draft.secrets {
            let _ = writeln!(out, "  {}: redacted", text(secret));
        }
    }
    out.push_str("\ncases:\n");
    for case in &draft.cases {
        out.push_str(&self::case(case, "  "));
    }
    out
}

fn personas(out: &mut String, name: &str, headers: &std::collections::BTreeMap<String, String>) {
    if headers.is_empty() {
        let _ = writeln!(out, "  {}: {{}}", text(name));
        return;
    }
    let _ = writeln!(out, "  {}:\n    headers:", text(name));
    for (header, value) in headers {
        let _ = writeln!(out, "      {}: {}", text(header), text(value));
    }
}

/// One case as an element of the list, its dash at this indent.
fn case(case: &DraftCase, indent: &str) -> String {
    let mut out = String::new();
    if let Some(why) = &case.why {
        let one_line: String = why.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = writeln!(out, "{indent}# {one_line}");
    }
    let _ = writeln!(out, "{indent}- name: {}", text(&case.name));
    if !case.tags.is_empty() {
        let tags: Vec<_> = case.tags.iter().map(|tag| text(tag)).collect();
        let _ = writeln!(out, "{indent}  tags: [{}]", tags.join(", "));
    }
    if let Some(persona) = &case.persona {
        let _ = writeln!(out, "{indent}  personas: [{}]", text(persona));
    }
    let _ = writeln!(out, "{indent}  request:");
    if case.method != "GET" {
        let _ = writeln!(out, "{indent}    method: {}", text(&case.method));
    }
    let _ = writeln!(out, "{indent}    path: {}", text(&case.path));
    let plain = case.path.split('?').next().unwrap_or_default();
    if case.endpoint != plain {
        let _ = writeln!(out, "{indent}    endpoint: {}", text(&case.endpoint));
    }
    if !case.headers.is_empty() {
        let _ = writeln!(out, "{indent}    headers:");
        for (name, value) in &case.headers {
            let _ = writeln!(out, "{indent}      {}: {}", text(name), text(value));
        }
    }
    match &case.body {
        DraftBody::None => {}
        // JSON is YAML in its flow form.
        DraftBody::Json(value) => {
            let _ = writeln!(out, "{indent}    body:\n{indent}      json: {}", flow(value));
        }
        DraftBody::Text(body) => {
            let _ = writeln!(out, "{indent}    body:\n{indent}      text: {}", quoted(body));
        }
    }
    out
}

/// A text, quoted unless nothing in YAML could read it as anything else.
fn text(value: &str) -> String {
    let is_plain = value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.'))
        && !matches!(
            value.to_ascii_lowercase().as_str(),
            "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
        );
    if is_plain { value.to_owned() } else { quoted(value) }
}

/// A JSON string is a double-quoted YAML scalar.
fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // YAML reads none of these as they are (YAML 1.2 §5.1).
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(value) => quoted(value),
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{}: {}", quoted(key), flow(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// Why a case was not added to a file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AppendError {
    #[error("the suite has a case `{0}` already")]
    Known(String),
    /// With the case, so that a person can put it there.
    #[error("the file's list of cases could not be found; add this to it by hand:\n{0}")]
    NoList(String),
}

/// The text of a suite file with the draft's cases at the end of its list, and everything else in it as it was.
///
/// # Errors
///
/// Where a case is there already, or the file is written in a way that cannot be added to.
pub fn append(file: &str, draft: &Draft) -> Result<String, AppendError> {
    let known = |name: &str| {
        let environment = |_: &str| Some(String::new());
        load(file, "", environment).is_ok_and(|suite| suite.cases.iter().any(|case| case.name == name))
    };
    if let Some(case) = draft.cases.iter().find(|case| known(&case.name)) {
        return Err(AppendError::Known(case.name.clone()));
    }
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    let at = lines.iter().position(|line| line.trim_end() == "cases:" || line.trim_end() == "cases: []");
    let (indent, mut end) = match at {
        Some(at) => {
            lines[at] = "cases:".to_owned();
            let is_inside = |line: &String| {
                line.trim().is_empty() || line.starts_with([' ', '-']) || line.starts_with('#')
            };
            let inside = lines[at + 1..].iter().take_while(|line| is_inside(line)).count();
            let dash = lines[at + 1..].iter().find(|line| line.trim_start().starts_with('-'));
            let indent = dash.map_or(2, |line| line.len() - line.trim_start().len());
            (indent, at + 1 + inside)
        }
        None => {
            lines.push("cases:".to_owned());
            (2, lines.len())
        }
    };
    while end > 0 && lines[end - 1].trim().is_empty() {
        end -= 1;
    }
    let indent = " ".repeat(indent);
    let cases: String = draft.cases.iter().map(|case| self::case(case, &indent)).collect();
    lines.insert(end, cases.trim_end().to_owned());
    insert_personas(&mut lines, draft);
    insert_secrets(&mut lines, draft);
    let text = lines.join("\n") + "\n";
    // Whatever way the file was written in, it must now be what it was and the new cases.
    let count = |text: &str| load(text, "", |_| Some(String::new())).map(|suite| suite.cases.len());
    match (count(file), count(&text)) {
        (Ok(before), Ok(after)) if after == before + draft.cases.len() => Ok(text),
        _ => Err(AppendError::NoList(cases)),
    }
}

fn insert_personas(lines: &mut Vec<String>, draft: &Draft) {
    let known = |lines: &[String], name: &str| {
        lines.iter().any(|line| line.trim_start().starts_with(&format!("{}:", text(name))))
    };
    for (name, headers) in &draft.personas {
        if known(lines, name) {
            continue;
        }
        let mut entry = String::new();
        personas(&mut entry, name, headers);
        insert_under(lines, "personas:", entry.trim_end());
    }
}

fn insert_secrets(lines: &mut Vec<String>, draft: &Draft) {
    for secret in &draft.secrets {
        if !lines.iter().any(|line| line.trim_start().starts_with(&format!("{}:", text(secret)))) {
            insert_under(lines, "variables:", &format!("  {}: redacted", text(secret)));
        }
    }
}

/// Puts an entry right below a key of the file, which is made above the cases if it is not there.
fn insert_under(lines: &mut Vec<String>, key: &str, entry: &str) {
    let at = match lines.iter().position(|line| line.trim_end() == key) {
        Some(at) => at,
        None => {
            let cases = lines.iter().position(|line| line == "cases:").unwrap_or(lines.len());
            lines.insert(cases, key.to_owned());
            cases
        }
    };
    lines.insert(at + 1, entry.to_owned());
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::json;

    use super::*;

    fn draft() -> Draft {
        let case = |name: &str, body| DraftCase {
            name: name.into(),
            tags: vec!["read".into(), "a b".into()],
            persona: Some("no".into()),
            method: "POST".into(),
            path: "/x/${secret-7f3a}?q=%20: #".replace(" #", ""),
            endpoint: "/x/{id}".into(),
            headers: BTreeMap::from([("Content-Type".into(), "text/plain; a=\"b\"".into())]),
            body,
            why: Some("exposure (added) at $.x\nsecond".into()),
        };
        Draft {
            name: "a: b # c".into(),
            personas: BTreeMap::from([
                ("no".to_owned(), BTreeMap::from([("X".to_owned(), "true".to_owned())])),
                ("other".to_owned(), BTreeMap::new()),
            ]),
            secrets: BTreeSet::from(["secret-7f3a".to_owned()]),
            cases: vec![
                case(
                    "one",
                    DraftBody::Json(
                        json!({"a b": [1.5, null, true, "x\u{1}\n\u{2028}"], "no": "${secret-7f3a}"}),
                    ),
                ),
                case("- two: 'x'", DraftBody::Text("line\r\n\u{0}%\t\"\\".into())),
            ],
            notes: vec![],
        }
    }

    fn loaded(text: &str) -> crate::suite::Suite {
        load(text, "s.yaml", |_| None).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
    }

    #[test]
    fn what_is_written_is_read_as_it_was_meant() {
        let draft = draft();
        let suite = loaded(&draft.to_yaml());
        assert_eq!(suite.name, "a: b # c");
        let names: Vec<_> = suite.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["one", "- two: 'x'"]);
        let step = &suite.cases[1].steps[0];
        assert_eq!(step.endpoint.to_string(), "POST /x/{id}");
        let crate::suite::Body::Text { text, position, .. } = &step.body else { panic!("no body") };
        assert_eq!(text.fill(&suite.values, *position).unwrap(), "line\r\n\u{0}%\t\"\\");
        let crate::suite::Body::Text { text, position, .. } = &suite.cases[0].steps[0].body else { panic!() };
        let body: Value = serde_json::from_str(&text.fill(&suite.values, *position).unwrap()).unwrap();
        assert_eq!(body, json!({"a b": [1.5, null, true, "x\u{1}\n\u{2028}"], "no": "redacted"}));
    }

    #[test]
    fn a_case_is_added_and_the_rest_of_the_file_stays() {
        for file in [
            "suite: x # mine\ncases:\n- name: a # why\n  request: { path: / }\n\nvariables: { v: 1 }\n",
            "suite: x # mine\ncases:\n  # all\n  - name: a # why\n    request: { path: / }\n",
            "suite: x # mine\npersonas:\n  other: {}\n",
            "suite: x # mine\ncases: []\n",
        ] {
            let text = append(file, &draft());
            if file.contains("variables: {") {
                assert!(matches!(text, Err(AppendError::NoList(_))), "a map in one line cannot be added to");
                continue;
            }
            let text = text.unwrap();
            let before = loaded(file).cases.len();
            assert_eq!(loaded(&text).cases.len(), before + 2, "{text}");
            for line in file.lines().filter(|line| !line.contains("[]")) {
                assert!(text.contains(line), "{line} is gone from\n{text}");
            }
            let again = append(&text, &draft()).unwrap_err();
            assert_eq!(again, AppendError::Known("one".to_owned()));
        }
    }

    #[test]
    fn a_file_that_cannot_be_added_to_is_left_with_what_to_add() {
        let error =
            append("{ suite: x, cases: [{ name: a, request: { path: / } }] }\n", &draft()).unwrap_err();
        assert!(matches!(&error, AppendError::NoList(case) if case.contains("- name: one")), "{error}");
    }
}
