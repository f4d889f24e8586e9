//! Every page, light and dark, wide and narrow: no violation that axe-core knows of (WCAG 2.2 AA and its best
//! practices). With `STRANGLER_SCREENSHOTS` naming a folder, a picture of each is put there.

use std::path::PathBuf;

use serde_json::Value;

use super::browser::{Browser, browser};
use super::journeys::estate;

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
    let rig = estate();
    let pictures = std::env::var_os("STRANGLER_SCREENSHOTS").map(PathBuf::from);
    let browser = browser();
    let group = rig.json(0, &["divergences", "list"])["data"]["groups"][0]["id"].as_str().unwrap().to_owned();
    let pages = [
        ("overview", "/".to_owned()),
        ("endpoint", "/endpoint?of=GET%20/leak/%7Bid%7D".to_owned()),
        ("flip", "/endpoint/flip?of=GET%20/leak/%7Bid%7D".to_owned()),
        ("groups", "/groups".to_owned()),
        ("group", format!("/groups/{group}")),
        ("audit", "/audit".to_owned()),
        ("missing", "/groups/v1-0000000000000000".to_owned()),
    ];
    let mut found = Vec::new();
    for (name, path) in &pages {
        for (theme, width) in [("light", 1280), ("dark", 1280), ("phone", 420)] {
            browser.size(width, 900);
            browser.dark(theme == "dark");
            browser.goto(&format!("http://{}{path}", rig.proxy().admin));
            found.extend(violations(&browser).into_iter().map(|one| format!("{name}, {theme}: {one}")));
            if let Some(folder) = &pictures {
                let height = browser.run("return document.documentElement.scrollHeight").as_u64().unwrap();
                browser.size(width, u32::try_from(height.clamp(500, 1_800)).unwrap());
                std::fs::write(folder.join(format!("{name}-{theme}.png")), browser.screenshot()).unwrap();
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
