//! Which modules may know which.

use std::{fs, path::Path};

/// What both services are made of.
const LEAVES: [&str; 8] =
    ["authorization", "domain", "events", "foundation", "regressions", "rpc", "serve", "tracks"];

#[test]
fn the_tracks_service_and_the_playlists_service_know_nothing_of_each_other() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&source.join("tracks")) {
        for used in modules_used_in(&file) {
            assert!(LEAVES.contains(&used.as_str()), "{} uses crate::{used}", file.display());
        }
    }
    for folder in ["queries", "commands", "edges", "calls", "gateways"] {
        for file in files(&source.join(folder)) {
            let used = modules_used_in(&file);
            assert!(!used.contains(&"tracks".to_owned()), "{} uses crate::tracks", file.display());
        }
    }
}

/// The leaves do not know the houses that stand on them.
#[test]
fn what_both_services_share_knows_neither() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for folder in ["authorization", "domain", "foundation", "rpc", "events"] {
        for file in files(&source.join(folder)) {
            let houses = ["tracks", "queries", "commands", "edges", "calls", "gateways", "server"];
            for used in modules_used_in(&file) {
                assert!(!houses.contains(&used.as_str()), "{} uses crate::{used}", file.display());
            }
        }
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Of `use crate::{a::B, c}` and of `crate::a::B` in the text: `a` and `c`. Links in comments do not count.
fn modules_used_in(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut part = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => used.push(std::mem::take(&mut part)),
                    _ if depth == 0 => part.push(c),
                    _ => {}
                }
            }
            used.push(part);
        } else {
            used.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    let first = |path: String| path.trim().split("::").next().unwrap_or_default().trim().to_owned();
    used.into_iter().map(first).filter(|module| !module.is_empty()).collect()
}
