//! Rules, and what they do not hide.

use super::*;

#[test]
fn an_ignore_rule_hides_changes_and_no_exposure() {
    let ignore = rule("path = '$.meta'\naction = 'ignore'");
    check_rules(
        &ignore,
        r#"{"meta":{"a":1}}"#,
        r#"{"meta":{"a":2}}"#,
        &["[r] changed value $.meta.a: 1 / 2"],
    );
    check_rules(&ignore, r#"{"meta":1,"x":1}"#, r#"{"x":1}"#, &["[r] breaking missing $.meta: 1 / -"]);
    check_rules(&ignore, r#"{"meta":{}}"#, r#"{"meta":{"a":2}}"#, &["exposure added $.meta.a: - / 2"]);
    check_rules(&ignore, r#"{"metadata":1}"#, r#"{"metadata":2}"#, &["changed value $.metadata: 1 / 2"]);
    check_rules(&ignore, r#"{"x":{"meta":1}}"#, r#"{"x":{"meta":2}}"#, &["changed value $.x.meta: 1 / 2"]);
    let exposing = rule("path = '$.meta'\naction = 'ignore'\nallow_exposure = true");
    check_rules(&exposing, r#"{"meta":{}}"#, r#"{"meta":{"a":2}}"#, &["[r] exposure added $.meta.a: - / 2"]);
    check_rules(&exposing, r#"{"x":1}"#, r#"{"x":1,"meta":2}"#, &["[r] exposure added $.meta: - / 2"]);
}

#[test]
fn a_rule_is_only_for_its_endpoints() {
    let rules = rule("endpoint = 'POST *'\npath = '$.a'\naction = 'ignore'");
    check_rules(&rules, r#"{"a":1}"#, r#"{"a":2}"#, &["changed value $.a: 1 / 2"]);
    let rules = rule("endpoint = ['POST *', 'GET /x/*']\npath = '$.a'\naction = 'ignore'");
    check_rules(&rules, r#"{"a":1}"#, r#"{"a":2}"#, &["[r] changed value $.a: 1 / 2"]);
}

#[test]
fn a_format_rule_still_checks_the_format() {
    let format = rule("path = '$..at'\naction = 'format'\nformat = 'timestamp'");
    let at = |value: &str| format!(r#"{{"x":{{"at":{value}}}}}"#);
    let (one, two) = (at(r#""2024-05-01T10:00:00Z""#), at(r#""2025-06-02T11:11:11Z""#));
    check_rules(
        &format,
        &one,
        &two,
        &[r#"[r] changed value $.x.at: "2024-05-01T10:00:00Z" / "2025-06-02T11:11:11Z""#],
    );
    check_rules(
        &format,
        &one,
        &at("null"),
        &[r#"breaking type $.x.at (string → null): "2024-05-01T10:00:00Z" / null"#],
    );
    check_rules(
        &format,
        &one,
        &at(r#""soon""#),
        &[r#"changed value $.x.at: "2024-05-01T10:00:00Z" / "soon""#],
    );
}

#[test]
fn a_tolerance_rule_hides_up_to_its_end() {
    let tolerance = rule("path = '$.n[*]'\naction = 'tolerance'\nabsolute = 2");
    check_rules(
        &tolerance,
        r#"{"n":[10,20]}"#,
        r#"{"n":[11,23]}"#,
        &["changed value $.n[1]: 20 / 23", "[r] changed value $.n[0]: 10 / 11"],
    );
}

#[test]
fn an_unordered_rule_hides_the_order_alone() {
    let unordered = rule("path = '$.l'\naction = 'unordered'");
    check_rules(
        &unordered,
        r#"{"l":[1,2,3]}"#,
        r#"{"l":[3,1,2]}"#,
        &["[r] changed order $.l: [1,2,3] / [3,1,2]"],
    );
    check_rules(
        &unordered,
        r#"{"l":[1,2,3]}"#,
        r#"{"l":[3,4,1]}"#,
        &["changed value $.l[1]: 2 / 4", "[r] changed order $.l: [1,3] / [3,1]"],
    );
    check_rules(&unordered, r#"{"m":[1,2]}"#, r#"{"m":[2,1]}"#, &["changed order $.m: [1,2] / [2,1]"]);
}

#[test]
fn a_keyed_rule_says_which_elements_belong_together() {
    let keyed = rule("path = '$'\naction = 'keyed'\nby = '$.track.number'");
    check_rules(
        &keyed,
        r#"[{"track":{"number":1},"p":5},{"track":{"number":2},"p":6}]"#,
        r#"[{"track":{"number":3},"p":5},{"track":{"number":1},"p":7}]"#,
        &[
            "changed value $[0].p: 5 / 7",
            r#"breaking missing $[1]: {"track":{"number":2},"p":6} / -"#,
            r#"exposure added $[0]: - / {"track":{"number":3},"p":5}"#,
        ],
    );
}

#[test]
fn a_rule_has_applied_where_it_found_its_place() {
    let applied = |rules: &str, control: &str, candidate: &str| {
        let json = |body: &str| whole("200|content-type: application/json", body);
        match judge_with(Method::GET, rules, &json(control), &json(candidate)) {
            Judgement::Compared(comparison) => comparison.applied,
            Judgement::Skipped(reason) => panic!("skipped {}", reason.as_str()),
        }
    };
    let deep = rule("path = '$.a..at'\naction = 'format'\nformat = 'timestamp'");
    // Found in a part that is equal on both sides.
    assert_eq!(applied(&deep, r#"{"a":[{"at":"x"}],"b":1}"#, r#"{"a":[{"at":"x"}],"b":2}"#), ["r"]);
    assert_eq!(applied(&deep, r#"{"at":"x","b":1}"#, r#"{"at":"x","b":2}"#), [""; 0]);
    assert_eq!(applied(&deep, r#"{"a":{"at":{}},"b":1}"#, r#"{"a":{"at":{}},"b":2}"#), [""; 0]);
    let status = rule("status = true\naction = 'ignore'");
    assert_eq!(applied(&status, "1", "2"), ["r"]);
}

#[test]
fn header_rules() {
    let with = |rules: &str, control: &str, candidate: &str| {
        lines(&judge_with(Method::GET, rules, &whole(control, ""), &whole(candidate, "")))
    };
    let compare = rule("header = 'X-Version'\naction = 'compare'");
    let found = with(&compare, "200|x-version: 1", "200|x-version: 2");
    assert_eq!(found, ["changed header header x-version (value): 1 / 2"]);
    let etag = rule("header = 'ETag'\naction = 'compare'");
    let found = with(&etag, "200|etag: \"1\"", "200|etag: \"2\"");
    assert_eq!(found, ["changed header header etag (value): \"1\" / \"2\""]);
    let tolerance = rule("header = 'retry-after'\naction = 'tolerance'\nabsolute = 2");
    let found = with(&tolerance, "200|retry-after: 5", "200|retry-after: 6");
    assert_eq!(found, ["[r] changed header header retry-after (value): 5 / 6"]);
    let found = with(&tolerance, "200|retry-after: 5", "200|retry-after: never");
    assert_eq!(found, ["changed header header retry-after (value): 5 / never"]);
    let ignore = rule("header = 'vary'\naction = 'ignore'");
    let found = with(&ignore, "200|vary: a", "200");
    assert_eq!(found, ["[r] breaking header header vary (missing): a / -"]);
}

#[test]
fn a_hidden_status_does_not_hide_the_bodies() {
    let rules = rule("status = true\naction = 'ignore'");
    let json = "content-type: application/json";
    let judgement = judge_with(
        Method::GET,
        &rules,
        &whole(&format!("500|{json}"), "[1]"),
        &whole(&format!("200|{json}"), "[2]"),
    );
    let expected = [
        "changed value $[0]: 1 / 2",
        "[r] breaking status status (5xx → 2xx): 500 Internal Server Error / 200 OK",
    ];
    assert_eq!(lines(&judgement), expected);
    // And no rule makes a match of what was not compared.
    let part = judge_with(Method::GET, &rules, &whole("206", "a"), &whole("200", "ab"));
    assert_eq!(lines(&part), ["skipped partial"]);
}

#[test]
fn a_path_of_many_descents_costs_no_more_in_a_deep_document() {
    let many = rule("path = '$..*..*..*..*..*..x'\naction = 'ignore'");
    let deep = |leaf: &str| format!("{}{leaf}{}", "{\"a\":".repeat(250), "}".repeat(250));
    let judgement = judge_with(
        Method::GET,
        &many,
        &whole("200|content-type: application/json", deep("{\"x\":1}")),
        &whole("200|content-type: application/json", deep("{\"x\":2}")),
    );
    assert!(lines(&judgement)[0].starts_with("[r] changed value $.a.a"), "{judgement:?}");
}
