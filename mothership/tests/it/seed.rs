//! The generator and the cast.

use mothership::{
    seed::{self, Scale, SeedError, cast},
    store::{Store, StoreError, wrong_counts},
};

use crate::support::{Database, SEED};

const CAST_PAGE: &str = include_str!("../../../docs/mothership-cast.md");

#[test]
fn the_same_seed_gives_the_same_file_and_another_seed_another() {
    let directory = tempfile::tempdir().unwrap();
    let make = |name: &str, seed| {
        let path = directory.path().join(name);
        seed::generate(&path, Scale::Small, seed, &mut |_| {}).unwrap();
        std::fs::read(path).unwrap()
    };
    let first = make("first", SEED);
    assert!(first == make("second", SEED), "two runs of one seed differ");
    assert!(first != make("third", SEED + 1), "two seeds give one database");
}

#[test]
fn progress_rises_to_its_total() {
    let directory = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    seed::generate(&directory.path().join("db"), Scale::Small, SEED, &mut |step| seen.push(step)).unwrap();
    assert!(seen.is_sorted_by_key(|step| step.done));
    let last = seen.last().unwrap();
    assert_eq!(last.done, last.total);
}

#[test]
fn seeded_counts_are_right_and_the_search_index_is_whole() {
    let conn = Database::fresh().connection();
    assert_eq!(wrong_counts(&conn).unwrap(), []);
    for index in ["playlist_names", "track_names", "user_names"] {
        conn.execute(&format!("INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)"), [])
            .unwrap();
    }
    let integrity: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    assert!(conn.prepare("PRAGMA foreign_key_check").unwrap().query([]).unwrap().next().unwrap().is_none());
}

#[test]
fn a_seed_never_overwrites_and_an_interrupted_one_starts_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    std::fs::write(directory.path().join("db.partial"), "half of something").unwrap();
    seed::generate(&path, Scale::Small, SEED, &mut |_| {}).unwrap();
    assert!(!directory.path().join("db.partial").exists());
    let again = seed::generate(&path, Scale::Small, SEED, &mut |_| {});
    assert!(matches!(again, Err(SeedError::Exists(_))));
}

#[test]
fn what_is_no_seeded_database_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    assert!(matches!(Store::open(&path), Err(StoreError::Open { .. })));
    std::fs::write(&path, "this is no database, and long enough to look at").unwrap();
    assert!(Store::open(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"this is no database, and long enough to look at");
    let empty = directory.path().join("empty");
    rusqlite::Connection::open(&empty).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    assert!(Store::open(&empty).is_err());
}

#[test]
fn odd_values_are_in_the_data() {
    let conn = Database::fresh().connection();
    for (what, sql) in [
        ("titles at their longest", "SELECT count(*) FROM playlists WHERE length(title) = 100"),
        ("titles with <", "SELECT count(*) FROM playlists WHERE title LIKE '%<%'"),
        ("titles beyond ASCII", "SELECT count(*) FROM playlists WHERE title GLOB '*[^ -~]*'"),
        ("empty descriptions", "SELECT count(*) FROM playlists WHERE description = ''"),
        ("missing descriptions", "SELECT count(*) FROM playlists WHERE description IS NULL"),
        ("private playlists", "SELECT count(*) FROM playlists WHERE sharing = 'private' AND id > 1000"),
        (
            "unreleased playlists",
            "SELECT count(*) FROM playlists WHERE release_at > 1767225600000 AND id > 1000",
        ),
        (
            "private tracks in others' playlists",
            "SELECT count(*) FROM playlist_tracks e JOIN tracks t ON t.id = e.track_id \
         JOIN playlists p ON p.id = e.playlist_id WHERE t.sharing = 'private' AND t.user_id <> p.user_id AND p.id > 1000",
        ),
        ("taken down tracks", "SELECT count(*) FROM tracks WHERE taken_down AND id > 1000"),
        ("preview tracks", "SELECT count(*) FROM tracks WHERE policy = 'preview' AND id > 1000"),
        ("territories", "SELECT count(*) FROM tracks WHERE blocked_territories <> '' AND id > 1000"),
        ("suspended users", "SELECT count(*) FROM users WHERE suspended AND id > 1000"),
        ("ties of creation", "SELECT count(*) - count(DISTINCT created_at) FROM tracks"),
        ("empty playlists", "SELECT count(*) FROM playlists WHERE track_count = 0"),
        ("playlists of 500", "SELECT count(*) FROM playlists WHERE track_count = 500"),
    ] {
        let count: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        assert!(count > 0, "no {what}");
    }
}

/// docs/mothership-cast.md has a row for each of the cast, with the id, the name and the token it really has.
#[test]
fn the_page_of_the_cast_is_true() {
    let conn = Database::fresh().connection();
    let title = |table: &str, id: i64| -> String {
        let column = if table == "users" { "permalink" } else { "title" };
        conn.query_row(&format!("SELECT {column} FROM {table} WHERE id = ?1"), [id], |row| row.get(0))
            .unwrap()
    };
    let mut met = 0;
    for (heading, table) in [("Users", "users"), ("Tracks", "tracks"), ("Playlists", "playlists")] {
        let section =
            CAST_PAGE.split("\n## ").find(|section| section.lines().next() == Some(heading)).unwrap();
        for line in section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id")) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let id: i64 = cells[0].parse().unwrap();
            let named = cells[1].trim_matches('`');
            assert!(
                title(table, id).starts_with(named.trim_end_matches('…')),
                "{table} {id} is not called {named:?}"
            );
            met += 1;
        }
        let known: i64 = conn
            .query_row(&format!("SELECT count(*) FROM {table} WHERE id <= 1000"), [], |row| row.get(0))
            .unwrap();
        assert_eq!(met, known, "the page leaves out some of the {table}");
        met = 0;
    }
    for (token, user) in cast::TOKENS {
        let owner: i64 = conn
            .query_row("SELECT user_id FROM bearer_tokens WHERE token = ?1", [token], |row| row.get(0))
            .unwrap();
        assert_eq!(owner, user.get());
        assert!(CAST_PAGE.contains(&format!("`{token}`")), "the page does not name {token}");
    }
}
