//! What people do on the page, in a real browser.

use super::browser::browser;
use super::gallery;
use crate::rig::Rig;

/// Two groups on one endpoint, an exposure and a change, and an endpoint that always matched.
pub(super) fn estate() -> Rig {
    let rig = Rig::new();
    for path in ["/leak/{id}", "/songs/{id}", "/same/{id}"] {
        rig.shadowed(path);
    }
    for n in 0..3 {
        rig.requests(&format!("/leak/{n}"), 1);
    }
    rig.requests("/songs/1?limit=2", 2);
    rig.requests("/same/1", 6);
    rig
}

#[test]
fn an_endpoint_is_flipped_and_taken_back_and_every_count_moves_by_itself() {
    let rig = estate();
    let browser = browser();
    browser.goto(&format!("http://{}/", rig.proxy().admin));
    assert!(browser.text("h1").contains("Overview"));

    // What needs a person stands first: the exposure.
    assert!(browser.text(".needs li").contains("GET /leak/{id}"), "{}", browser.text(".needs"));

    browser.goto(&format!("http://{}/endpoint?of=GET%20/same/{{id}}", rig.proxy().admin));
    browser.until("it is live", "return document.querySelector('#connection').textContent === 'live'");
    browser.click("#flip");
    browser.until_path("/endpoint/flip");
    // Its effect stands there before it is confirmed, and nothing was done yet.
    assert!(
        browser.text(".effects").contains("the candidate answers 1% of the cohorts"),
        "{}",
        browser.text("main")
    );
    assert_eq!(rig.stage("GET /same/{id}"), "shadow");
    browser.click("#confirm");
    browser.until_path("/endpoint?of=");
    assert!(browser.text(".said").contains("shadow → canary:1%"), "{}", browser.text(".said"));
    assert_eq!(rig.stage("GET /same/{id}"), "canary:1%");
    browser.click("#take-back");
    browser.until(
        "it stands at shadow",
        "return document.querySelector('.said').innerText.includes('canary:1% → shadow')",
    );
    assert_eq!(rig.stage("GET /same/{id}"), "shadow");

    // A live count, and a flip that somebody else makes.
    let seen = "document.querySelector('[data-of] [data-live=seen]').textContent";
    assert_eq!(browser.run(&format!("return {seen}")), "6");
    let evidence = "document.querySelector('[data-of] [data-live=evidence]').textContent";
    let meter = "document.querySelector('[data-of] [data-live=meter]').value";
    let before = browser.run(&format!("return [{evidence}, {meter}]"));
    browser.until("it is live", "return document.querySelector('#connection').textContent === 'live'");
    rig.requests("/same/2", 5);
    browser.until("the count moved", &format!("return {seen} === '11'"));
    // The gate's own count, which takes one request only so often.
    browser.until(
        "the evidence moved with it, and its meter",
        &format!("return {evidence} !== {} && {meter} > {}", before[0], before[1]),
    );
    rig.expect(0, &["hold", "GET", "/same/{id}", "--reason", "a look first"]);
    browser.until(
        "the hold is shown",
        "return document.querySelector('[data-live=standing] .hold')?.textContent === 'paused'",
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_lost_connection_says_so_and_recovers() {
    let mut rig = estate();
    // The same address again after a restart.
    let (path, admin) = (rig.dir.path().join("strangler.toml"), rig.proxy().admin.clone());
    let config = std::fs::read_to_string(&path).unwrap();
    let (before, after) = config.split_once("[admin]\naddress = \"127.0.0.1:0\"").unwrap();
    std::fs::write(&path, format!("{before}[admin]\naddress = \"{admin}\"{after}")).unwrap();

    let browser = browser();
    browser.goto(&format!("http://{admin}/"));
    let says = |what: &str| {
        let script = format!("return document.querySelector('#connection').textContent.startsWith('{what}')");
        browser.until(what, &script);
    };
    says("live");
    rig.stop();
    says("connection lost");
    rig.start();
    says("live");
    rig.requests("/same/3", 2);
    let row = "document.querySelector('[data-of=\"GET /same/{id}\"] [data-live=compared]').textContent";
    browser.until("it counts again", &format!("return {row} === '8'"));
}

#[test]
fn a_group_is_reviewed_from_the_list_to_the_decision_with_the_keyboard_alone() {
    let rig = estate();
    let browser = browser();
    browser.goto(&format!("http://{}/", rig.proxy().admin));
    // Keys are told, and the table of them closes.
    browser.press("?");
    browser.until("the keys are told", "return document.querySelector('#help').open");
    browser.escape();
    browser.until("they are gone", "return !document.querySelector('#help').open");

    browser.press("g");
    browser.press("g");
    browser.until_path("/groups");
    let on = |what: &str| {
        let script =
            format!("return document.activeElement.closest('tr')?.innerText.includes('{what}') ?? false");
        browser.until(&format!("the row of {what} has the focus"), &script);
    };
    browser.press("j");
    on("/leak/{id}");
    browser.press("j");
    on("/songs/{id}");
    browser.press("k");
    on("/leak/{id}");
    browser.enter();
    browser.until_path("/groups/v1-");
    assert!(browser.text("h1").contains("added $.private"), "{}", browser.text("h1"));
    assert!(browser.text(".bodies").contains("\"private\": true"), "{}", browser.text(".bodies"));
    browser.press("]");
    browser.until(
        "the second sample is there",
        "return document.querySelector('#sample').textContent.includes('2 of 3')",
    );

    // An exposure cannot be called noise: the key does nothing.
    browser.press("n");
    assert_eq!(
        browser.run("return document.querySelector('input[name=call]:checked')"),
        serde_json::Value::Null
    );
    browser.press("b");
    browser.press("the owner's flag must not leave the monolith");
    browser.enter();

    // On to the next, where the same key flow waives it.
    browser
        .until("it goes on", "return document.querySelector('h1')?.textContent.includes('$.title') ?? false");
    assert!(browser.text(".said").contains("Done: bug"), "{}", browser.text(".said"));
    browser.press("e");
    browser.press("agreed with mobile");
    browser.enter();
    browser.until_path("/groups?done=");

    let groups = rig.json(0, &["divergences", "list"]);
    let states: Vec<_> =
        groups["data"]["groups"].as_array().unwrap().iter().map(|group| &group["state"]).collect();
    assert_eq!(states, ["bug", "expected"], "{groups}");

    // What was looked at stays marked, until it changes; what was waived is in its own list, and can be taken back.
    assert!(browser.text(".groups tbody tr").contains("bug"), "{}", browser.text(".groups"));
    browser.goto(&format!("http://{}/groups?state=waived", rig.proxy().admin));
    browser.press("j");
    browser.enter();
    browser.until_path("/groups/v1-");
    browser.press("u");
    browser.enter();
    browser.until(
        "it was taken back",
        "return document.querySelector('.said')?.textContent.includes('undo') ?? false",
    );
    let open = rig.json(0, &["divergences", "list"])["data"]["groups"].to_string();
    assert!(open.contains("\"new\""), "{open}");
}

#[test]
fn what_was_looked_at_is_marked_until_it_changes() {
    let rig = estate();
    let browser = browser();
    let list = format!("http://{}/groups?search=songs", rig.proxy().admin);
    let is_viewed = "return document.querySelector('.groups tbody tr').classList.contains('viewed')";
    browser.goto(&list);
    assert_eq!(browser.run(is_viewed), false);
    browser.press("j");
    browser.enter();
    browser.until_path("/groups/v1-");
    browser.goto(&list);
    assert_eq!(browser.run(is_viewed), true);
    // Twice as often is more of the same; ten times is news.
    rig.requests("/songs/1", 2);
    browser.goto(&list);
    assert_eq!(browser.run(is_viewed), true);
    rig.requests("/songs/1", 8);
    browser.goto(&list);
    assert_eq!(browser.run(is_viewed), false);
}

#[test]
fn a_body_with_a_script_does_not_run_and_one_of_five_megabytes_does_not_freeze_the_page_or_the_report() {
    let rig = gallery::empty();
    for path in ["/hostile", "/long"] {
        rig.shadowed(path);
        rig.requests(path, 1);
    }
    let groups = gallery::groups(&rig);
    assert_eq!(groups.len(), 2, "{groups:?}");
    let browser = browser();
    for (group, location) in &groups {
        browser.goto(&format!("http://{}/groups/{group}", rig.proxy().admin));
        let is_long = location.contains("text");
        let expected = if is_long { "there" } else { "<script>document.title='owned'</script>" };
        assert!(browser.text(".bodies").contains(expected), "{}", browser.text("main"));
        assert!(browser.run("return document.title").as_str().unwrap().ends_with("Strangler"));
        // It answers keys, and it was sent in less than 300 KB.
        browser.press("?");
        browser.until("the keys are told", "return document.querySelector('#help').open");
        let bytes = browser
            .run("return performance.getEntriesByType('navigation')[0].transferSize")
            .as_u64()
            .unwrap();
        assert!((1..300_000).contains(&bytes), "{location}: {bytes} bytes");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());

    // The same, frozen in one file, from the disk, without a network.
    let file = rig.dir.path().join("report.html");
    rig.expect(0, &["report", "--html", file.to_str().unwrap()]);
    browser.offline(true);
    browser.goto(&format!("file://{}", file.display()));
    assert_eq!(browser.run("return document.title"), "Strangler report");
    // The overview is what is seen first; a link leads to a page within the file.
    assert!(browser.text("h1").contains("Overview"));
    browser.click(".top nav a[href='#groups']");
    let rows = "return document.querySelectorAll('#groups tbody tr').length";
    assert_eq!(browser.run(rows), 2);
    // The navigation and the title say where that is.
    browser.until(
        "the navigation says so",
        "return document.querySelector('.top nav a[aria-current=page]').hash === '#groups'",
    );
    assert!(browser.run("return document.title").as_str().unwrap().starts_with("Groups"));
    let (hostile, _) = groups.iter().find(|(_, location)| location.contains("note")).unwrap();
    browser.click(&format!("#groups a[href='#group-{hostile}']"));
    let seen = "return [...document.querySelectorAll('.page')].filter((page) => page.checkVisibility()).map((page) => page.id)";
    assert_eq!(browser.run(seen), serde_json::json!([format!("group-{hostile}")]));
    let text = browser.text(&format!("#group-{hostile}"));
    assert!(text.contains("<script>document.title='owned'</script>"), "{text}");
    assert!(!browser.run("return document.title").as_str().unwrap().contains("owned"));
    assert_eq!(browser.run("return document.forms.length"), 0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
