use super::*;
use crate::routes::Template;

fn discovery(requests: impl IntoIterator<Item = String>) -> Discovery {
    let mut discovery = Discovery::default();
    for request in requests {
        observe(&mut discovery, &request);
    }
    discovery
}

fn observe(discovery: &mut Discovery, request: &str) {
    let (method, path) = request.split_once(' ').unwrap();
    let path = PathView::of(path, &PathPolicy::default()).unwrap();
    discovery.observe(&method.parse().unwrap(), &path);
}

fn proposed(discovery: &Discovery) -> Vec<String> {
    let lines =
        discovery.proposals().into_iter().map(|proposal| format!("{} {}", proposal.count, proposal.endpoint));
    lines.collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn identifiers_become_parameters_named_after_what_stands_before_them() {
    let discovery = discovery(lines(
        "
        GET /users/1
        GET /users/2?x=y
        HEAD /users/2
        GET /users/me
        GET /users/1/playlists/0b5b3a50-4b5e-4f0c-9d0e-1c0f9e7f2a11
        POST /users/1/playlists
        GET /users/1/2
        GET /reports/2026-11-22.csv
        GET /api/2/issues/soundcloud:issues:1:cancel
        GET /v1/7
        ",
    ));
    assert_eq!(
        proposed(&discovery),
        [
            "1 GET /api/2/issues/{issue_id}:cancel",
            "1 GET /reports/{date}.csv",
            "1 GET /users/me",
            "3 GET /users/{user_id}",
            "1 POST /users/{user_id}/playlists",
            "1 GET /users/{user_id}/playlists/{playlist_id}",
            "1 GET /users/{user_id}/{id}",
            "1 GET /v1/{id}",
        ]
    );
    let users = &discovery.proposals()[3];
    assert_eq!(users.examples, ["/users/1", "/users/2"]);
    assert_eq!(users.parameters, [Evidence { name: "user_id".into(), distinct: 2, looks: vec!["integer"] }]);
}

#[test]
fn many_words_below_one_noun_are_one_parameter_but_for_the_prominent() {
    let names = (0..40).flat_map(|n| {
        let name = format!(
            "{}{}",
            ["ann", "bob", "cat", "dan", "eve"][n % 5],
            "xyzwvuts".get(n / 5..=n / 5).unwrap()
        );
        [format!("GET /users/{name}"), format!("GET /users/{name}/tracks")]
    });
    let me = std::iter::repeat_n("GET /users/me".to_owned(), 50);
    let discovery = discovery(names.chain(me));
    assert_eq!(
        proposed(&discovery),
        ["50 GET /users/me", "40 GET /users/{user_id}", "40 GET /users/{user_id}/tracks"]
    );
    let evidence = &discovery.proposals()[1].parameters[0];
    assert_eq!((evidence.distinct, &evidence.looks[..]), (40, &[][..]));
}

#[test]
fn many_resources_below_a_version_stay_words() {
    let discovery = discovery((0..100).map(|n| format!("GET /api/v1/{}", word(n))));
    assert_eq!(discovery.proposals().len(), 100);
}

/// A word without digits.
fn word(number: usize) -> String {
    let letter = |digit: usize| char::from(b'a' + (digit % 26) as u8);
    format!("re{}{}{}", letter(number), letter(number / 26), letter(number / 676))
}

#[test]
fn memory_is_bounded_and_what_is_not_learned_is_counted() {
    let limits = DiscoveryLimits { nodes_max: 100, ..DiscoveryLimits::default() };
    let mut discovery = Discovery::new(limits);
    for n in 0..10_000 {
        observe(&mut discovery, &format!("GET /{}/{}", word(n / 100), word(n)));
    }
    let learned: u64 = discovery.proposals().iter().map(|proposal| proposal.count).sum();
    assert_eq!(learned + discovery.overlooked(), 10_000);
    assert!(discovery.proposals().len() <= 100 && learned > 0 && discovery.overlooked() > 0);

    // Without that limit, children of one parent are bounded by counting as one parameter.
    let mut discovery = Discovery::default();
    for n in 0..10_000 {
        observe(&mut discovery, &format!("GET /{}", word(n)));
    }
    assert_eq!(proposed(&discovery), ["10000 GET /{id}"]);
    assert_eq!(discovery.overlooked(), 0);

    observe(&mut discovery, &format!("GET {}", "/a".repeat(25)));
    observe(&mut discovery, "TRACE /a");
    observe(&mut discovery, "GET /a//b");
    assert_eq!(discovery.overlooked(), 3);
}

#[test]
fn what_is_taken_adds_up_and_is_taken_once() {
    let mut discovery = discovery(lines("GET /users/1\nGET /users/2\nGET /a"));
    let counts = |taken: Vec<Undeclared>| -> Vec<String> {
        taken.into_iter().map(|one| format!("{} {}", one.count, one.proposed)).collect()
    };
    assert_eq!(counts(discovery.take()), ["1 GET /a", "2 GET /users/{user_id}"]);
    assert_eq!(discovery.take(), []);
    discovery.seen(&Method::GET, "/users/3");
    discovery.seen(&Method::GET, "/users/%zz");
    assert_eq!(counts(discovery.take()), ["1 GET /users/{user_id}"]);
    assert_eq!(discovery.overlooked(), 1);
}

#[test]
fn earlier_proposals_are_covered_by_later_ones() {
    let kept: Vec<_> = (0..30)
        .map(|n| format!("/users/{}", word(n)))
        .chain(["/users/{user_id}".to_owned(), "/users/{user_id}/a.{x}".to_owned()])
        .map(|template| Undeclared {
            proposed: EndpointId::new(Method::GET, template.as_str()),
            count: 2,
            examples: vec![template],
        })
        .collect();
    let after: Vec<_> =
        consolidated(&kept).iter().map(|one| format!("{} {}", one.count, one.proposed)).collect();
    assert_eq!(after, ["62 GET /users/{user_id}", "2 GET /users/{user_id}/a.{x}"]);
}

#[test]
fn tokens_are_hidden_in_examples() {
    let discovery = discovery(lines("GET /reset/cus_9s6XKzkNRiz8i3.json"));
    let proposal = &discovery.proposals()[0];
    assert_eq!(proposal.endpoint.to_string(), "GET /reset/{reset_id}.json");
    assert_eq!(proposal.examples, ["/reset/***.json"]);
}

#[test]
fn every_proposal_is_a_template_that_matches_its_examples() {
    let requests = lines(
        "
        GET /
        GET /a/
        GET /a/1/
        GET /a/1:b
        GET /a/%7B1%7D
        GET /a/x%20y/1.json
        GET /a/@me/(1)/1,2;3
        GET /1/2/3/4
        ",
    );
    let discovery = discovery(requests);
    assert_eq!(discovery.proposals().len(), 8);
    for proposal in discovery.proposals() {
        let template = Template::parse(proposal.endpoint.template()).unwrap();
        for example in &proposal.examples {
            let view = PathView::of(example, &PathPolicy::default()).unwrap();
            assert!(template.matches(&view), "{template} does not match {example}");
        }
    }
}
