use std::fs::{self, Permissions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::*;

/// Why the store cannot be opened for writing.
fn refusal(path: &Path) -> String {
    Ledger::open(path, Retention::default()).expect_err("it was opened").to_string()
}

fn check(path: &Path, expected: &str) {
    let said = refusal(path);
    assert!(said.contains(expected), "`{expected}` is not in: {said}");
    assert!(said.contains(path.file_name().unwrap().to_str().unwrap()), "the file is not named: {said}");
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let home = Home::new();
    let first = home.open();
    declared(&first);
    check(&home.path(), "in use by another `strangler serve`");
    assert!(refusal(&home.path()).contains(&std::process::id().to_string()));
    let link = home.dir.path().join("link.db");
    std::os::unix::fs::symlink(home.path(), &link).unwrap();
    assert!(refusal(&link).contains("in use"), "by another name it is the same store");

    let reader = Ledger::open_read_only(home.path()).unwrap();
    assert_eq!(reader.routes().unwrap().len(), 1);
    let error = reader.set_setting("a", "b").unwrap_err();
    assert!(error.to_string().contains("opened for reading only"), "{error}");

    drop(first);
    home.open();
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let home = Home::new();
    let text = home.dir.path().join("notes.txt");
    fs::write(&text, "not a database, but someone's notes").unwrap();
    check(&text, "no SQLite file");
    assert_eq!(fs::read_to_string(&text).unwrap(), "not a database, but someone's notes");

    let other = home.dir.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
    let before = fs::read(&other).unwrap();
    check(&other, "database of another program");
    assert!(Ledger::open_read_only(&other).unwrap_err().to_string().contains("another program"));
    assert_eq!(fs::read(&other).unwrap(), before);

    check(home.dir.path(), "is a directory");
    check(&home.dir.path().join("nowhere").join("strangler.db"), "there is no directory");
    let missing = Ledger::open_read_only(home.path()).unwrap_err().to_string();
    assert!(missing.contains("there is no store at"), "{missing}");
    assert!(!home.path().exists());
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let home = Home::new();
    declared(&home.open());
    let outside = rusqlite::Connection::open(home.path()).unwrap();
    let version: i32 = outside.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    outside.pragma_update(None, "user_version", 99).unwrap();
    check(&home.path(), "written by a newer Strangler (version 99");
    assert!(Ledger::open_read_only(home.path()).unwrap_err().to_string().contains("newer Strangler"));
    outside.pragma_update(None, "user_version", version).unwrap();
    assert_eq!(home.open().routes().unwrap().len(), 1);
}

#[test]
fn a_damaged_store_is_refused() {
    for keep in [100, 4096] {
        let home = Home::new();
        let ledger = home.open();
        declared(&ledger);
        drop(ledger);
        let mut file = fs::OpenOptions::new().read(true).write(true).open(home.path()).unwrap();
        let length = file.metadata().unwrap().len();
        file.seek(SeekFrom::Start(keep)).unwrap();
        file.write_all(&vec![0xa5; (length - keep) as usize]).unwrap();
        let mut before = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut before).unwrap();
        check(&home.path(), "is damaged");
        assert_eq!(fs::read(home.path()).unwrap(), before, "it was changed");
    }
}

#[test]
fn a_truncated_store_is_refused() {
    let home = Home::new();
    let ledger = home.open();
    declared(&ledger);
    drop(ledger);
    fs::OpenOptions::new().write(true).open(home.path()).unwrap().set_len(5000).unwrap();
    check(&home.path(), "is damaged");
}

/// This test is its own child: root may write what is read-only, so as root it asks a child that is nobody.
#[test]
fn a_read_only_store_can_be_looked_at_and_not_written() {
    const DIRECTORY: &str = "STRANGLER_TEST_READ_ONLY";
    const NAME: &str = "ledger::opening::a_read_only_store_can_be_looked_at_and_not_written";
    let look = |directory: &Path| {
        let store = directory.join("strangler.db");
        let said = refusal(&store);
        assert!(said.contains("cannot lock") || said.contains("cannot be written"), "{said}");
        let reader = Ledger::open_read_only(&store).unwrap();
        assert_eq!(reader.routes().unwrap().len(), 1);
        println!("looked");
    };
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return look(Path::new(&directory));
    }
    let home = Home::new();
    declared(&home.open());
    let dir = home.dir.path();
    // A copy, since nobody need not be able to reach the build folder.
    let copy = dir.join("child");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    for file in ["strangler.db", "strangler.db.lock"] {
        fs::set_permissions(dir.join(file), Permissions::from_mode(0o444)).unwrap();
    }
    fs::set_permissions(dir, Permissions::from_mode(0o555)).unwrap();
    let is_root = fs::write(dir.join("probe"), "").is_ok();
    if is_root {
        let mut child = Command::new(&copy);
        child.args(["--exact", NAME, "--nocapture"]).env(DIRECTORY, dir).current_dir("/").uid(65534);
        let output = child.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("looked"), "{output:?}");
    } else {
        look(dir);
    }
    fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
}
