//! JSON bodies.

use super::*;
use crate::comparison::Verdict;

#[test]
fn values_members_and_types() {
    check_json(r#"{"a":1}"#, "{ \"a\" : 1 }", &[]);
    check_json(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, &[]);
    check_json(r#"{"a":"é\n"}"#, r#"{"\u0061":"\u00e9\u000a"}"#, &[]);
    check_json(r#"{"a":1}"#, r#"{"a":2}"#, &["changed value $.a: 1 / 2"]);
    check_json(r#"{"a":1}"#, r#"{"a":1.0}"#, &["cosmetic value $.a (form): 1 / 1.0"]);
    check_json(r#"{"a":"x","b":1}"#, r#"{"a":"x"}"#, &["breaking missing $.b: 1 / -"]);
    check_json(r#"{"b":1}"#, r#"{"a":{"x":2},"b":1}"#, &[r#"exposure added $.a: - / {"x":2}"#]);
    check_json(r#"{"a":"x"}"#, r#"{"a":null}"#, &[r#"breaking type $.a (string → null): "x" / null"#]);
    check_json(r#"{"a":1}"#, r#"{"a":"1"}"#, &[r#"breaking type $.a (number → string): 1 / "1""#]);
    check_json("{}", "[]", &["breaking type $ (object → array): {} / []"]);
    check_json("true", "false", &["changed value $: true / false"]);
    check_json(
        r#"{"a b":{"it's":1}}"#,
        r#"{"a b":{"it's":2}}"#,
        &[r"changed value $['a b']['it\'s']: 1 / 2"],
    );
}

#[test]
fn something_where_control_had_nothing_is_an_exposure() {
    check_json(r#"{"a":null}"#, r#"{"a":"x"}"#, &[r#"exposure type $.a (null → string): null / "x""#]);
    check_json(r#"{"a":null}"#, r#"{"a":false}"#, &["exposure type $.a (null → boolean): null / false"]);
    check_json(r#"{"a":""}"#, r#"{"a":"x"}"#, &[r#"exposure value $.a: "" / "x""#]);
    check_json(r#"{"a":""}"#, r#"{"a":[1]}"#, &[r#"exposure type $.a (string → array): "" / [1]"#]);
    check_json(r#"{"a":[]}"#, r#"{"a":[1]}"#, &["exposure added $.a[0]: - / 1"]);
    check_json(r#"{"a":null}"#, r#"{"a":""}"#, &[r#"breaking type $.a (null → string): null / """#]);
}

#[test]
fn numbers_of_any_size_are_kept() {
    let (a, b) = ("[10000000000000000001]", "[10000000000000000002]");
    check_json(a, b, &["changed value $[0]: 10000000000000000001 / 10000000000000000002"]);
    check_json(
        "[1e999999999]",
        "[10e999999998]",
        &["cosmetic value $[0] (form): 1e999999999 / 10e999999998"],
    );
    check_json("[1e999999999]", "[1e999999998]", &["changed value $[0]: 1e999999999 / 1e999999998"]);
}

#[test]
fn duplicate_keys_are_kept() {
    check_json(r#"{"a":1,"a":2}"#, r#"{"a":1,"a":3}"#, &["changed value $.a: 2 / 3"]);
    check_json(r#"{"a":1,"b":0,"a":2}"#, r#"{"b":0,"a":1}"#, &["breaking missing $.a: 2 / -"]);
    check_json(r#"{"a":1}"#, r#"{"a":1,"a":1}"#, &["exposure added $.a: - / 1"]);
}

#[test]
fn one_insertion_is_one_divergence() {
    check_json("[1,2,3]", "[1,9,2,3]", &["exposure added $[1]: - / 9"]);
    check_json("[1,2,3]", "[2,3]", &["breaking missing $[0]: 1 / -"]);
    check_json("[1,2,1,2]", "[1,2,7,1,2]", &["exposure added $[2]: - / 7"]);
    check_json(
        r#"[{"id":1,"v":1},{"id":2,"v":2}]"#,
        r#"[{"id":3,"v":3},{"id":1,"v":1},{"id":2,"v":9}]"#,
        &["changed value $[1].v: 2 / 9", r#"exposure added $[0]: - / {"id":3,"v":3}"#],
    );
    check_json(
        r#"{"l":[{"slug":"a","n":1},{"slug":"b","n":2},{"slug":"c","n":3}]}"#,
        r#"{"l":[{"slug":"a","n":1},{"slug":"c","n":3}]}"#,
        &[r#"breaking missing $.l[1]: {"slug":"b","n":2} / -"#],
    );
}

#[test]
fn a_reordering_is_one_divergence() {
    check_json("[1,2,3]", "[3,1,2]", &["changed order $: [1,2,3] / [3,1,2]"]);
    check_json(
        r#"[{"id":1,"v":1},{"id":2,"v":2}]"#,
        r#"[{"id":2,"v":2},{"id":1,"v":7}]"#,
        &["changed order $: [1,2] / [2,1]", "changed value $[0].v: 1 / 7"],
    );
    check_json("[1,2,3]", "[3,2,1,4]", &["changed order $: [1,2,3] / [3,2,1]", "exposure added $[3]: - / 4"]);
}

#[test]
fn an_id_that_became_text_still_names_its_element() {
    check_json(
        r#"[{"id":1,"v":1},{"id":2,"v":2},{"id":"c","v":3}]"#,
        r#"[{"id":"c","v":3},{"id":"2","v":8},{"id":"1","v":1}]"#,
        &[
            r#"changed order $: [1,2,"c"] / ["c","2","1"]"#,
            r#"breaking type $[0].id (number → string): 1 / "1""#,
            r#"breaking type $[1].id (number → string): 2 / "2""#,
            "changed value $[1].v: 2 / 8",
        ],
    );
}

#[test]
fn changed_elements_are_compared_as_changes() {
    check_json("[1,2,3]", "[1,9,3]", &["changed value $[1]: 2 / 9"]);
    check_json("[1,null,3]", "[1,9,3]", &["exposure type $[1] (null → number): null / 9"]);
    check_json(r#"[{"v":1}]"#, r#"[{"v":2}]"#, &["changed value $[0].v: 1 / 2"]);
    check_json("[[1,2],[3]]", "[[1,2,5],[3]]", &["exposure added $[0][2]: - / 5"]);
    // Ids that each side makes by itself tell nothing; the rest of the element does.
    check_json(
        r#"[{"id":"a1","t":"x","n":1},{"id":"a2","t":"y","n":2}]"#,
        r#"[{"id":"b1","t":"x","n":1},{"id":"b2","t":"y","n":2}]"#,
        &[r#"changed value $[0].id: "a1" / "b1""#, r#"changed value $[1].id: "a2" / "b2""#],
    );
    // Another element in place of one is shown as what it is.
    check_json(
        r#"[{"id":1,"t":"x"},{"id":2,"t":"y"}]"#,
        r#"[{"id":1,"t":"x"},{"id":5,"t":"private"}]"#,
        &[
            r#"breaking missing $[1]: {"id":2,"t":"y"} / -"#,
            r#"exposure added $[1]: - / {"id":5,"t":"private"}"#,
        ],
    );
}

#[test]
fn what_the_candidate_adds_is_placed_by_the_candidates_indices() {
    check_json(
        r#"[{"id":1},{"id":2,"l":[{"id":7}]}]"#,
        r#"[{"id":2,"l":[{"id":7,"x":1}]}]"#,
        &[r#"breaking missing $[0]: {"id":1} / -"#, "exposure added $[0].l[0].x: - / 1"],
    );
}

#[test]
fn depth_is_a_limit_and_never_an_overflow() {
    let json = |body: String| whole("200|content-type: application/json", body);
    let deep = |depth: usize, leaf: &str| json("[".repeat(depth) + leaf + &"]".repeat(depth));
    let objects = |depth: usize, leaf: &str| json("{\"a\":".repeat(depth) + leaf + &"}".repeat(depth));
    check(&deep(256, "1"), &deep(256, "2"), &[&format!("changed value ${}: 1 / 2", "[0]".repeat(256))]);
    check(&objects(256, "1"), &objects(256, "2"), &[&format!("changed value ${}: 1 / 2", ".a".repeat(256))]);
    check(&deep(10_000, "1"), &deep(10_000, "1"), &[]);
    let found = judge(&deep(10_000, "1"), &deep(10_000, "2"));
    assert!(lines(&found)[0].starts_with("changed text line 1: …[["), "{found:?}");
    let Judgement::Compared(comparison) = found else { panic!("skipped") };
    assert!(comparison.notes[0].contains("nested deeper than 256"), "{:?}", comparison.notes);
}

#[test]
fn a_report_has_a_limit_and_says_what_it_left_out() {
    let json = |body: String| whole("200|content-type: application/json", body);
    let list = |items: usize| json(format!("[{}]", vec!["7"; items].join(",")));
    let Judgement::Compared(comparison) = judge(&list(0), &list(800)) else { panic!("skipped") };
    assert_eq!(comparison.divergences.len(), Limits::default().divergences_max);
    assert_eq!(comparison.notes, ["800 divergences of severity exposure, 500 of them listed"]);
    let long = |end: &str| json(format!("\"{}{end}\"", "x".repeat(10_000)));
    let Judgement::Compared(comparison) = judge(&long("a"), &long("b")) else { panic!("skipped") };
    let value = comparison.divergences[0].control.as_ref().unwrap();
    assert!(value.len() < 1100 && value.contains("xa\""), "{value}");
}

/// The names in a path are as long as a body makes them.
#[test]
fn what_a_report_lists_takes_no_more_memory_than_it_may() {
    let json = |name: usize, count: usize, leaf: &str| {
        let list = vec![leaf; count].join(",");
        whole("200|content-type: application/json", format!("{{\"{}\":[{list}]}}", "n".repeat(name)))
    };
    let found = |name, count| match judge(&json(name, count, "1"), &json(name, count, "2")) {
        Judgement::Compared(comparison) => comparison,
        skipped @ Judgement::Skipped(_) => panic!("{skipped:?}"),
    };
    let comparison = found(100_000, 60);
    let listed = comparison.divergences.len();
    assert!((30..45).contains(&listed), "{listed}");
    let note = format!("60 divergences of severity changed, {listed} of them listed");
    assert_eq!(comparison.notes, [note]);
    // However long it is, the first one says that there is any.
    let comparison = found(Limits::default().listed_bytes_max, 2);
    assert_eq!((comparison.divergences.len(), comparison.verdict()), (1, Verdict::Mismatch));
    assert_eq!(comparison.notes, ["2 divergences of severity changed, 1 of them listed"]);
}

#[test]
fn wide_objects_in_another_order_are_compared_all_the_same() {
    let wide = |keys: &mut dyn Iterator<Item = u32>, leaf: &str| {
        let members: Vec<String> = keys.map(|key| format!("\"k{key}\":{key}")).collect();
        format!("[{{{},\"leaf\":{leaf}}}]", members.join(","))
    };
    let (control, candidate) = (wide(&mut (0..20_000), "1"), wide(&mut (0..20_000).rev(), "2"));
    check_json(&control, &candidate, &["changed value $[0].leaf: 1 / 2"]);
}
