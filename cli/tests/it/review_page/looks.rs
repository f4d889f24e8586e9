//! Every page, light and dark, wide and narrow: no violation that axe-core knows of (WCAG 2.2 AA and its best
//! practices). With `STRANGLER_SCREENSHOTS` naming a folder, a picture of each is put there.

use std::path::PathBuf;

use serde_json::Value;

use super::browser::{Browser, browser};
use super::gallery::{gallery, groups};
use super::safety::TOKENS;
use crate::rig::{Rig, candidate, control};

const AXE: &str = include_str!("../../vendor/axe-core/axe.min.js");

const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        resultTypes: ['violations'],
    }).then(
        (found) => done(found.violations.map((one) => `${one.id}: ${one.help}\\n` +
            one.nodes.map((node) => `    ${node.target}: ${node.failureSummary}`).join('\\n'))),
        (error) => done([String(error)]));";

pub(super) fn violations(browser: &Browser) -> Vec<String> {
    // Through the DevTools, which no policy of a page keeps out.
    browser.cdp("Runtime.evaluate", serde_json::json!({ "expression": AXE }));
    let Value::Array(found) = browser.run_async(RUN) else { panic!("axe-core gave no list") };
    found.iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn no_page_has_a_violation_that_axe_knows_light_or_dark_wide_or_narrow() {
    let rig = gallery();
    let pictures = std::env::var_os("STRANGLER_SCREENSHOTS").map(PathBuf::from);
    let browser = browser();
    let groups = groups(&rig);
    let leak = groups.iter().find(|(_, location)| location == "$.tracks[*]").expect("the leak is a group");
    let (waived, _) = groups.last().unwrap();
    let waiver = ["--as", "expected", "--reason", "agreed with mobile", "--owner", "ann", "--expires", "30d"];
    rig.expect(0, &[&["divergences", "triage", waived], &waiver[..]].concat());
    let report = rig.dir.path().join("report.html");
    rig.expect(0, &["report", "--html", report.to_str().unwrap()]);
    let frozen = |anchor: &str| format!("file://{}{anchor}", report.display());
    browser.goto(&frozen(""));
    let first_endpoint =
        browser.run("return document.querySelector('.endpoints tbody a').href").as_str().unwrap().to_owned();
    // A proxy that asks for a token.
    let guarded = Rig::with(control, candidate, TOKENS);
    let site = |path: &str| format!("http://{}{path}", rig.proxy().admin);
    let pages = [
        ("overview", site("/")),
        ("endpoint", site("/endpoint?of=GET%20/playlists/%7Bid%7D")),
        ("held", site("/endpoint?of=GET%20/stations/%7Bid%7D")),
        ("flip", site("/endpoint/flip?of=GET%20/me/likes")),
        ("groups", site("/groups")),
        ("group", site(&format!("/groups/{}", leak.0))),
        ("waived", site(&format!("/groups/{waived}"))),
        ("matrix", site("/matrix")),
        ("rules", site("/rules")),
        ("audit", site("/audit")),
        ("missing", site("/groups/v1-0000000000000000")),
        ("report", frozen("")),
        ("report-group", frozen(&format!("#group-{}", leak.0))),
        ("report-endpoint", first_endpoint),
        ("report-groups", frozen("#groups")),
        ("report-matrix", frozen("#matrix")),
        ("report-rules", frozen("#rules")),
        ("report-audit", frozen("#audit")),
        ("report-suite", format!("file://{}#matrix", rig.dir.path().join("suite.html").display())),
        ("sign-in", format!("http://{}/login", guarded.proxy().admin)),
    ];
    let mut found = Vec::new();
    for (name, url) in &pages {
        for (theme, width) in [("light", 1280), ("dark", 1280), ("phone", 420)] {
            browser.size(width, 900);
            browser.dark(theme == "dark");
            browser.goto(url);
            found.extend(violations(&browser).into_iter().map(|one| format!("{name}, {theme}: {one}")));
            if let Some(folder) =
                pictures.as_ref().filter(|_| theme != "phone" || ["overview", "group"].contains(name))
            {
                let height = browser.run("return document.documentElement.scrollHeight").as_u64().unwrap();
                browser.size(width, u32::try_from(height.clamp(500, 1_000)).unwrap());
                std::fs::write(folder.join(format!("{name}-{theme}.png")), browser.screenshot()).unwrap();
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
