//! What somebody tries who should not be here: no token, the wrong role, another origin, tricks with paths and fields.

use crate::rig::{Answered, Rig, candidate, control, raw};

pub(super) const TOKENS: &str = "
[[admin.tokens]]
name = \"vera\"
token = \"viewer-viewer-viewer\"
role = \"viewer\"
[[admin.tokens]]
name = \"rhea\"
token = \"reviewer-reviewer-reviewer\"
role = \"reviewer\"
[[admin.tokens]]
name = \"otto\"
token = \"operator-operator-operator\"
";

/// Somebody with a browser.
pub(super) struct Person<'a> {
    admin: &'a str,
    cookie: String,
}

impl<'a> Person<'a> {
    pub(super) fn nobody(rig: &'a Rig) -> Self {
        Self { admin: &rig.proxy().admin, cookie: String::new() }
    }

    pub(super) fn signed_in(rig: &'a Rig, token: &str) -> Self {
        let nobody = Self::nobody(rig);
        let answered = nobody.post("/login", &format!("token={token}"), &nobody.own_origin());
        assert_eq!(answered.status, 303, "{answered:#?}");
        let cookie = field(&answered, "set-cookie").expect("a session");
        assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
        Self { cookie: cookie.split(';').next().unwrap().to_owned(), ..nobody }
    }

    pub(super) fn own_origin(&self) -> String {
        format!("origin: http://{}\r\n", self.admin)
    }

    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    pub(super) fn get(&self, path: &str) -> Answered {
        raw(
            self.admin,
            &format!(
                "GET {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\nconnection: close\r\n\r\n",
                self.admin, self.cookie
            ),
        )
    }

    pub(super) fn post(&self, path: &str, form: &str, fields: &str) -> Answered {
        raw(
            self.admin,
            &format!(
                "POST {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n{fields}content-type: application/x-www-form-urlencoded\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{form}",
                self.admin,
                self.cookie,
                form.len()
            ),
        )
    }

    /// What goes with the forms of this person's pages.
    pub(super) fn form_token(&self) -> String {
        let page = self.get("/").body;
        let (_, after) = page.split_once("name=\"form_token\" value=\"").expect("a form");
        after.split('"').next().unwrap().to_owned()
    }
}

fn field(answered: &Answered, name: &str) -> Option<String> {
    let fields = answered.head.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
}

pub(super) fn guarded() -> Rig {
    Rig::with(control, candidate, TOKENS)
}

#[test]
fn without_a_token_nothing_is_shown_and_nothing_is_done() {
    let rig = guarded();
    let nobody = Person::nobody(&rig);
    for path in ["/", "/groups", "/groups/v1-0123456789abcdef", "/endpoint?of=GET%20/a", "/audit", "/matrix"]
    {
        let answered = nobody.get(path);
        assert_eq!(answered.status, 303, "{path}: {answered:#?}");
        assert!(field(&answered, "location").unwrap().starts_with("/login"), "{answered:#?}");
        assert_eq!(answered.body, "");
    }
    assert_eq!(nobody.get("/events").status, 401);
    for path in
        ["/endpoint/promote", "/endpoint/rollback", "/groups/v1-0123456789abcdef/decide", "/logout", "/name"]
    {
        let answered = nobody.post(path, "of=GET+/a&form_token=x", &nobody.own_origin());
        assert_eq!(answered.status, 401, "{path}: {answered:#?}");
    }
    for wrong in ["", "viewer-viewer-viewe", "viewer-viewer-viewer2", "vera"] {
        let answered = nobody.post("/login", &format!("token={wrong}"), &nobody.own_origin());
        assert_eq!((answered.status, field(&answered, "set-cookie")), (401, None), "{wrong}");
    }
    // The way back is a path of this site, whatever was asked for.
    for then in
        ["//evil.example", "https://evil.example", "%2F%5Cevil.example", "%2Fa%0D%0Aset-cookie:%20a=b"]
    {
        let form = format!("token=viewer-viewer-viewer&then={then}");
        let answered = nobody.post("/login", &form, &nobody.own_origin());
        assert_eq!(field(&answered, "location").as_deref(), Some("/"), "{answered:#?}");
    }
}

#[test]
fn a_role_may_do_its_own_and_no_more() {
    let rig = guarded();
    let own = |person: &Person<'_>| person.own_origin();
    let (vera, rhea, otto) = (
        Person::signed_in(&rig, "viewer-viewer-viewer"),
        Person::signed_in(&rig, "reviewer-reviewer-reviewer"),
        Person::signed_in(&rig, "operator-operator-operator"),
    );
    for person in [&vera, &rhea, &otto] {
        assert_eq!(person.get("/").status, 200);
    }
    let flip = |person: &Person<'_>| {
        let form = format!("of=GET+/a&to=legacy&form_token={}", person.form_token());
        person.post("/endpoint/rollback", &form, &own(person)).status
    };
    let decide = |person: &Person<'_>| {
        let form = format!("call=bug&reason=x&form_token={}", person.form_token());
        person.post("/groups/v1-0123456789abcdef/decide", &form, &own(person)).status
    };
    // Neither the endpoint nor the group is known; who may not is told so before that is looked at.
    assert_eq!([flip(&vera), flip(&rhea), flip(&otto)], [403, 403, 404]);
    assert_eq!([decide(&vera), decide(&rhea), decide(&otto)], [403, 404, 404]);
    // The API has the same roles.
    let api = |token: &str, path: &str| {
        let body = "{\"endpoint\":\"GET /a\",\"reason\":\"x\"}";
        let admin = &rig.proxy().admin;
        raw(
            admin,
            &format!(
                "POST {path} HTTP/1.1\r\nhost: {admin}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            ),
        )
        .status
    };
    assert_eq!(api("viewer-viewer-viewer", "/api/v1/rollback"), 403);
    assert_eq!(api("reviewer-reviewer-reviewer", "/api/v1/rollback"), 403);
    assert_eq!(api("operator-operator-operator", "/api/v1/rollback"), 404);
}

#[test]
fn a_page_of_another_origin_can_do_nothing() {
    let rig = guarded();
    let otto = Person::signed_in(&rig, "operator-operator-operator");
    let token = otto.form_token();
    let form = format!("of=GET+/a&to=legacy&form_token={token}");
    let own = otto.own_origin();
    let send = |form: &str, fields: &str| otto.post("/endpoint/rollback", form, fields).status;
    assert_eq!(send(&form, &own), 404, "what is right is taken: the endpoint is not known");
    for fields in [
        "origin: http://evil.example\r\n",
        "origin: null\r\n",
        &format!("origin: http://{}.evil.example\r\n", otto.admin),
        &format!("{own}sec-fetch-site: cross-site\r\n"),
        &format!("{own}sec-fetch-site: same-site\r\n"),
        "",
    ] {
        assert_eq!(send(&form, fields), 421, "{fields}");
    }
    let zeros = "0".repeat(64);
    let of_another = Person::signed_in(&rig, "viewer-viewer-viewer").form_token();
    for form_token in ["", "x", &zeros, &of_another] {
        assert_eq!(send(&format!("of=GET+/a&to=legacy&form_token={form_token}"), &own), 403, "{form_token}");
    }
    // Not as JSON either, which a script of another page could send without asking.
    let admin = otto.admin;
    let plain = raw(
        admin,
        &format!(
            "POST /endpoint/rollback HTTP/1.1\r\nhost: {admin}\r\n{own}cookie: {}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{form}",
            otto.cookie,
            form.len()
        ),
    );
    assert_eq!(plain.status, 400);
    // A name that was resolved to loopback is no name of this listener.
    let rebound = raw(
        admin,
        &format!(
            "GET / HTTP/1.1\r\nhost: evil.example\r\ncookie: {}\r\nconnection: close\r\n\r\n",
            otto.cookie
        ),
    );
    assert_eq!(rebound.status, 421);
    // A GET changes nothing.
    assert_eq!(otto.get("/endpoint/rollback?of=GET%20/a&to=legacy").status, 405);
}

#[test]
fn tricks_with_paths_and_fields_lead_nowhere() {
    let rig = guarded();
    let vera = Person::signed_in(&rig, "viewer-viewer-viewer");
    for path in [
        "/assets/../strangler.toml",
        "/assets/..%2fstrangler.toml",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/",
        "/assets/pages.css",
        "//assets/x",
        "/groups/..%2f..%2fapi",
        "/groups/%00",
        "/groups/<script>alert(1)</script>",
        "/groups/v1-0123456789abcdef/../decide",
        "/login/../",
        "/%2e/",
        "/nothing",
    ] {
        let answered = vera.get(path);
        assert!(matches!(answered.status, 400 | 404), "{path}: {answered:#?}");
        assert!(!answered.body.contains("[admin") && !answered.body.contains("<script>alert"), "{path}");
    }
    // A line break in a value ends no field of an answer.
    for path in [
        "/endpoint?of=GET%20/a%0d%0aset-cookie:%20a=b",
        "/groups?search=%0d%0aset-cookie:%20a=b&page=1",
        "/login?then=/%0d%0aset-cookie:%20a=b",
        "/endpoint/flip?of=GET%20/a&to=%0d%0aset-cookie:%20a=b",
    ] {
        let answered = vera.get(path);
        assert_eq!(field(&answered, "set-cookie"), None, "{path}: {}", answered.head);
    }
    // What was searched for comes back as text.
    let answered = vera.get("/groups?search=%22%3E%3Cscript%3Ealert(1)%3C/script%3E");
    assert_eq!(answered.status, 200);
    assert!(!answered.body.contains("<script>alert"), "{}", answered.body);
    assert!(answered.body.contains("&quot;&gt;&lt;script&gt;"));
}

#[test]
fn every_answer_tells_the_browser_to_run_and_load_nothing_but_our_own() {
    let rig = guarded();
    let vera = Person::signed_in(&rig, "viewer-viewer-viewer");
    for path in ["/", "/groups", "/login", "/audit", "/healthz", "/api/v1/status", "/nothing", "/events"] {
        // An event stream does not end by itself; its head is enough, and nobody is signed in to it here.
        let person = if path == "/events" { &Person::nobody(&rig) } else { &vera };
        let answered = person.get(path);
        let policy = field(&answered, "content-security-policy")
            .unwrap_or_else(|| panic!("{path}: {}", answered.head));
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(field(&answered, "x-content-type-options").as_deref(), Some("nosniff"));
        // Nothing stands in the page that the policy would have to allow.
        let inline = [" style=\"", " onclick", " onload", "javascript:", "<style"];
        assert!(!inline.iter().any(|inline| answered.body.contains(inline)), "{path}");
        for script in answered.body.split("<script").skip(1) {
            assert!(script.starts_with(" src=\"/assets/"), "{path}: {script}");
        }
    }
}
