//! What was declared, and who came.

use super::*;

#[test]
fn what_is_declared_and_was_never_seen_is_named() {
    let mut case = Case::clean();
    let parameter =
        |name: &str, place: &str| Parameter { name: name.into(), place: place.into(), required: false };
    case.declaration = Declaration {
        source: String::new(),
        parameters: vec![
            parameter("id", "path"),
            parameter("limit", "query"),
            parameter("ids[]", "query"),
            parameter("filter", "query"),
            parameter("x-territory", "header"),
        ],
        statuses: ["200", "4XX", "503", "default"].map(str::to_owned).to_vec(),
    };
    case.compared("2xx auth ?filter%5Bname%5D,ids[] json", 10, 10);
    case.observed.statuses = vec![(200, 1_010)];
    let sentence = case.only(Code::Parameters);
    assert_eq!(sentence, "never compared with the declared query parameters `limit`");
    let ruling = case.judge();
    assert_eq!(ruling.reasons[0].meter.unwrap().to_string(), "2 of 3 parameters");
    let text = ruling.to_string();
    assert!(text.contains("never answered with the documented statuses `4XX`\n"), "{text}");
    assert!(text.contains("header and cookie parameters `x-territory`"), "{text}");
    case.policy.base.statuses = Demand::Require;
    case.policy.base.parameters = Demand::State;
    case.only(Code::Statuses);
    case.observed.statuses.push((404, 1));
    assert_eq!(case.codes(), []);
    assert!(case.judge().to_string().contains("never compared with"), "it is said all the same");
}

#[test]
fn callers_that_never_came_are_said_and_required_where_the_policy_says_so() {
    let mut case = Case::clean();
    assert!(case.judge().to_string().contains("every comparison was anonymous"));
    case.policy.base.callers = Demand::Require;
    case.only(Code::Callers);
    case.compared("2xx cookie json{..}", 1, 1);
    assert_eq!(case.codes(), []);
}
