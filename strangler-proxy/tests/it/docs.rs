//! What documents name is there.

use std::fs;
use std::path::{Path, PathBuf};

/// The last column of every table names a test by its modules and its name.
#[test]
fn every_test_of_the_table_of_rules_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("../docs/rfc-table.md")).unwrap();
    let sources = sources(&[root.join("src"), root.join("tests/it")]);
    let named = table.lines().filter(|line| line.starts_with("| ") && line.ends_with("` |"));
    let named: Vec<_> = named.filter_map(|line| line.rsplit('`').nth(1)).collect();
    assert!(named.len() >= 40, "{} rules", named.len());
    for name in named {
        let (modules, test) = name.rsplit_once("::").unwrap();
        let file = modules.strip_suffix("::tests").unwrap_or(modules);
        let is_there = sources.iter().any(|(path, text)| {
            let is_of_module =
                path.ends_with(format!("{file}.rs")) || path.ends_with(format!("{file}/mod.rs"));
            is_of_module && text.contains(&format!("fn {test}()"))
        });
        assert!(is_there, "docs/rfc-table.md names {name}, which is no test");
    }
}

/// A function or a module of tests, in the last column of every table.
#[test]
fn every_test_of_the_tables_of_the_data_plane_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("../docs/data-plane.md")).unwrap();
    let sources = sources(&[root.join("src"), root.join("tests/it")]);
    let rows = document.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let tests = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let named: Vec<_> = tests.flat_map(|tests| tests.split('`').skip(1).step_by(2)).collect();
    assert!(named.len() >= 150, "{} tests", named.len());
    for name in named {
        let last = name.rsplit("::").next().unwrap();
        let is_there = sources.iter().any(|(path, text)| {
            text.contains(&format!("fn {last}()"))
                || path.ends_with(format!("{last}.rs"))
                || path.ends_with(format!("{last}/mod.rs"))
        });
        assert!(is_there, "docs/data-plane.md names {name}, which is no test");
    }
}

fn sources(folders: &[PathBuf]) -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources.append(&mut self::sources(&[path]));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.push((path, text));
            }
        }
    }
    sources
}
