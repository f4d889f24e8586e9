//! What stands on the pages, asked for without a browser.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::journeys::estate;
use super::safety::{Person, guarded};
use crate::rig::Rig;

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[test]
fn whatever_is_typed_into_a_search_is_text() {
    let rig = estate();
    let person = Person::nobody(&rig);
    let found = |typed: &str| {
        let answered = person.get(&format!("/groups?search={}", encoded(typed)));
        assert_eq!(answered.status, 200, "{typed}: {answered:#?}");
        answered.body.matches("data-group=").count()
    };
    assert_eq!((found("priv"), found("TITL"), found("songs title"), found("$.")), (1, 1, 1, 2));
    let long = "\"x\" OR ".repeat(1_500);
    for hostile in [
        "\"",
        "\"\" OR \"\"",
        "NEAR(a b, 3)",
        "title*",
        "words : title",
        "-title",
        ")",
        "\u{0}qqq\u{0}",
        &long,
    ] {
        assert_eq!(found(hostile), 0, "{hostile}");
        for page in ["/", "/audit"] {
            let answered = person.get(&format!("{page}?search={}", encoded(hostile)));
            assert_eq!(answered.status, 200, "{page} {hostile}: {answered:#?}");
        }
    }
}

#[test]
fn the_audit_has_everything_that_was_done_and_is_searched() {
    let rig = Rig::with(crate::rig::control, crate::rig::candidate, "rules_file = \"rules.toml\"");
    rig.shadowed("/leak/{id}");
    rig.requests("/leak/1", 2);
    let groups = super::gallery::groups(&rig);
    let waiver =
        ["--as", "expected", "--reason", "agreed with mobile", "--owner", "grace", "--expires", "30d"];
    rig.expect(0, &[&["divergences", "triage", groups[0].0.as_str()], &waiver[..]].concat());
    std::fs::write(
        rig.dir.path().join("rules.toml"),
        "[[rules]]\nid = \"etag\"\nheader = \"etag\"\naction = \"ignore\"\nreason = \"weak\"\n",
    )
    .unwrap();
    rig.expect(0, &["rules", "reload"]);
    rig.expect(0, &["epoch", "name", "--candidate", "build-77"]);
    let person = Person::nobody(&rig);
    let audit = |query: &str| person.get(&format!("/audit{query}")).body;
    let all = audit("");
    for said in [
        "legacy → shadow",
        "waiver: expected until",
        "agreed with mobile",
        "rules read anew",
        "→ build-77",
        "an epoch began",
    ] {
        assert!(all.contains(said), "{said}: {all}");
    }
    assert!(all.contains(&format!("/groups/{}", groups[0].0)), "a decision leads to its group");
    let rows = |query: &str| audit(query).matches("class=\"when\"").count();
    assert_eq!(
        [rows("?of=waivers"), rows("?of=rules"), rows("?of=moves"), rows("?of=matrices")],
        [1, 1, 1, 0]
    );
    assert_eq!((rows("?search=build-77"), rows("?search=agreed+leak"), rows("?search=nobody")), (1, 1, 0));
    assert_eq!(rows("?page=1"), 0);
    assert_eq!(person.get("/audit?of=nonsense").status, 400);

    // A group says in which deployments it was found.
    rig.requests("/leak/2", 1);
    let page = person.get(&format!("/groups/{}", groups[0].0)).body;
    assert!(page.contains("<td>build-77</td>") && page.contains("<td>unnamed</td>"), "{page}");
    // The waiver hid something in each comparison, and the page of rules says so.
    assert!(person.get("/rules").body.contains("hid something in every comparison"));
}

#[test]
fn a_matrix_is_published_by_a_reviewer_and_shown_with_its_revision_in_parts() {
    let rig = guarded();
    let cell = |n: usize, persona: usize, allowed: u64| {
        format!(
            r#"{{"endpoint":"GET /things{n}/{{id}}","persona":"persona {persona}","control":[0,1,0],"candidate":[{allowed},{},0],"exposed":{allowed}}}"#,
            1 - allowed
        )
    };
    let matrix = |endpoints: usize| {
        let cells: Vec<_> = (0..endpoints)
            .flat_map(|n| (0..20).map(move |persona| (n, persona)))
            .map(|(n, persona)| cell(n, persona, u64::from(n == 299 && persona == 3)))
            .collect();
        format!(r#"{{"suite":"access","revision":"3f2a91c","cells":[{}]}}"#, cells.join(","))
    };
    let admin = &rig.proxy().admin;
    let publish = |token: &str, body: &str| {
        crate::rig::raw(
            admin,
            &format!(
                "POST /api/v1/matrix HTTP/1.1\r\nhost: {admin}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            ),
        )
    };
    let reviewer = "reviewer-reviewer-reviewer";
    assert_eq!(publish("viewer-viewer-viewer", &matrix(1)).status, 403);
    assert_eq!(publish(reviewer, r#"{"suite":"access","cells":[]}"#).status, 400);
    let too_many = publish(reviewer, &matrix(501));
    assert!(too_many.status == 400 && too_many.body.contains("10000 cells"), "{too_many:#?}");
    assert_eq!(publish(reviewer, &matrix(300)).status, 200);

    let vera = Person::signed_in(&rig, "viewer-viewer-viewer");
    let page = vera.get("/matrix");
    assert!(page.body.len() < 300_000, "{} bytes", page.body.len());
    for said in ["revision 3f2a91c", "published 0 s ago by rhea", "of 300 endpoints"] {
        assert!(page.body.replace('\u{202f}', "").contains(said), "{said}: {}", page.body);
    }
    // What is worst stands first, wherever it is in the alphabet.
    let (_, rows) = page.body.split_once("<tbody>").unwrap();
    let (first, _) = rows.split_once("</tr>").unwrap();
    assert!(first.contains("/things299/") && first.contains("allows more"), "{first}");
    assert!(vera.get("/matrix?page=3").body.contains("/things99/"), "the last part has the last one");
    assert!(vera.get("/audit?of=matrices").body.contains("suite access, revision 3f2a91c, 1 exposed"));
}
