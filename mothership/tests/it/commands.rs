//! Writes: what they do, what they refuse, and that they keep everything right.

use mothership::{
    command::{
        Command, CommandError, Forbidden, INDEX_LAG_MAX, Missing, Mode, Outcome, PLAYLIST_TRACKS_MAX,
        PlaylistFields, Problem, TITLE_CHARS_MAX, TrackFields,
    },
    domain::{CommentId, PlaylistId, Sharing, TrackId, UserId, Viewer},
    seed::cast,
    store::{Store, wrong_counts},
};
use rusqlite::Connection;

use crate::support::{Database, moderator, now, user};

fn fields(title: &str) -> Box<PlaylistFields> {
    Box::new(PlaylistFields { title: Some(title.to_owned()), ..PlaylistFields::default() })
}

async fn commit(store: &Store, viewer: &Viewer, command: Command) -> Result<Outcome, CommandError> {
    store.execute(command, viewer.clone(), Mode::Commit).await
}

async fn tracks_of(store: &Store, playlist: PlaylistId) -> Vec<TrackId> {
    store.read(move |reader| Ok(reader.playlist_with_tracks(playlist)?.unwrap().track_ids)).await.unwrap()
}

#[tokio::test]
async fn a_created_playlist_is_there_with_its_tracks_permalink_and_totals() {
    let database = Database::fresh();
    let store = database.store();
    let mut wanted = fields("Träume & Co");
    wanted.track_ids = Some(vec![cast::OF_OTHER, cast::PUBLIC, cast::OF_OTHER]);
    wanted.sharing = Some(Sharing::Private);
    let create = Command::CreatePlaylist { fields: wanted };
    let first = commit(&store, &user(cast::ADA), create.clone()).await.unwrap();
    let created = first.playlist().unwrap();
    assert_eq!(created.track_ids, [cast::OF_OTHER, cast::PUBLIC]);
    assert_eq!(created.playlist.track_count, 2);
    assert_eq!(created.playlist.permalink, "tr-ume-co");
    assert_eq!(created.playlist.created_at, now());
    let id = created.playlist.id;
    let read = store.read(move |reader| reader.playlist_with_tracks(id)).await.unwrap().unwrap();
    assert_eq!(&read, created);
    let second = commit(&store, &user(cast::ADA), create).await.unwrap();
    let second = &second.playlist().unwrap().playlist;
    assert_eq!(second.permalink, "tr-ume-co-2");
    assert_eq!(second.id.get(), id.get() + 1);
    assert_ne!(second.secret_token, read.playlist.secret_token);
    assert_eq!(wrong_counts(&database.connection()).unwrap(), []);
}

#[tokio::test]
async fn ids_and_secret_tokens_of_new_playlists_are_the_same_in_every_run() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let store = Database::fresh().store();
        let create = Command::CreatePlaylist { fields: fields("Same") };
        let outcome = commit(&store, &user(cast::ADA), create).await.unwrap();
        runs.push(outcome);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn a_deleted_playlists_id_is_never_given_again() {
    let database = Database::fresh();
    let store = database.store();
    let create = || Command::CreatePlaylist { fields: fields("Short-lived") };
    let first = commit(&store, &user(cast::ADA), create()).await.unwrap().playlist().unwrap().playlist.id;
    commit(&store, &user(cast::FAN), Command::LikePlaylist { playlist_id: first }).await.unwrap();
    commit(&store, &user(cast::FAN), Command::RepostPlaylist { playlist_id: first }).await.unwrap();
    commit(&store, &user(cast::ADA), Command::DeletePlaylist { playlist_id: first }).await.unwrap();
    assert_eq!(wrong_counts(&database.connection()).unwrap(), []);
    let second = commit(&store, &user(cast::ADA), create()).await.unwrap().playlist().unwrap().playlist.id;
    assert!(second > first);
}

#[tokio::test]
async fn tracks_are_added_removed_and_reordered_in_place() {
    let database = Database::fresh();
    let store = database.store();
    let ada = user(cast::ADA);
    let id = cast::ALBUM; // 101, 104, 105, 110
    let add = |tracks: &[TrackId], position| Command::AddTracks {
        playlist_id: id,
        track_ids: tracks.to_vec(),
        position,
    };
    commit(&store, &ada, add(&[cast::OF_OTHER, cast::PUBLIC, cast::OF_OTHER], Some(1))).await.unwrap();
    assert_eq!(tracks_of(&store, id).await, [101, 122, 104, 105, 110].map(TrackId::new));
    commit(&store, &ada, add(&[cast::OF_FAN], Some(99))).await.unwrap();
    assert_eq!(tracks_of(&store, id).await, [101, 122, 104, 105, 110, 127].map(TrackId::new));
    let again = commit(&store, &ada, add(&[cast::OF_FAN], None)).await.unwrap();
    assert!(!again.changed && again.events.is_empty());
    let remove =
        Command::RemoveTracks { playlist_id: id, track_ids: vec![cast::TERRITORY, cast::UNRELEASED] };
    commit(&store, &ada, remove).await.unwrap();
    assert_eq!(tracks_of(&store, id).await, [101, 122, 105, 110, 127].map(TrackId::new));
    let reorder = Command::ReorderTracks { playlist_id: id, track_ids: vec![cast::OF_FAN, cast::PREVIEW] };
    let outcome = commit(&store, &ada, reorder).await.unwrap();
    assert_eq!(tracks_of(&store, id).await, [127, 105, 101, 122, 110].map(TrackId::new));
    assert_eq!(outcome.playlist().unwrap().playlist.revision, 5);
    assert_eq!(wrong_counts(&database.connection()).unwrap(), []);
}

#[tokio::test]
async fn a_track_that_was_hidden_since_may_stay_but_not_come_in() {
    let store = Database::fresh().store();
    let other = user(cast::OTHER);
    // Other's set holds Ada's private track already.
    let keep = Command::UpdatePlaylist {
        playlist_id: cast::PLAYLIST_OF_OTHER,
        fields: Box::new(PlaylistFields {
            track_ids: Some(vec![cast::OF_OTHER, cast::PRIVATE]),
            ..PlaylistFields::default()
        }),
        if_revision: None,
    };
    commit(&store, &other, keep).await.unwrap();
    assert_eq!(tracks_of(&store, cast::PLAYLIST_OF_OTHER).await, [cast::OF_OTHER, cast::PRIVATE]);
    let add = Command::AddTracks {
        playlist_id: cast::TIES[0],
        track_ids: vec![cast::PUBLIC, cast::PRIVATE, TrackId::new(8_888_888)],
        position: None,
    };
    let refused = commit(&store, &other, add).await.unwrap_err();
    assert_eq!(
        problems(&refused),
        [("tracks", Problem::UnknownTracks(vec![cast::PRIVATE, TrackId::new(8_888_888)]))]
    );
    assert_eq!(tracks_of(&store, cast::TIES[0]).await, [cast::OF_OTHER], "nothing of it was kept");
}

#[tokio::test]
async fn limits_are_exact_and_every_problem_is_named() {
    let store = Database::fresh().store();
    let ada = user(cast::ADA);
    let longest = "é".repeat(TITLE_CHARS_MAX);
    commit(&store, &ada, Command::CreatePlaylist { fields: fields(&longest) }).await.unwrap();
    let mut bad = fields(&format!("{longest}é"));
    bad.description = Some(Some("x".repeat(4001)));
    bad.track_ids = Some((0..=500).map(|n| TrackId::new(1001 + n)).collect());
    let refused = commit(&store, &ada, Command::CreatePlaylist { fields: bad }).await.unwrap_err();
    assert_eq!(
        problems(&refused),
        [
            ("title", Problem::TooLong { max: 100, actual: 101 }),
            ("description", Problem::TooLong { max: 4000, actual: 4001 }),
            ("tracks", Problem::TooMany { max: 500, actual: 501 }),
        ]
    );
    let blank = commit(&store, &ada, Command::CreatePlaylist { fields: fields(" \t") }).await.unwrap_err();
    assert_eq!(problems(&blank), [("title", Problem::Blank)]);
    let untitled = Command::CreatePlaylist { fields: Box::default() };
    assert_eq!(problems(&commit(&store, &ada, untitled).await.unwrap_err()), [("title", Problem::Blank)]);
    let full =
        Command::AddTracks { playlist_id: cast::FULL, track_ids: vec![cast::PUBLIC], position: Some(0) };
    let refused = commit(&store, &user(cast::OTHER), full).await.unwrap_err();
    assert_eq!(problems(&refused), [("tracks", Problem::TooMany { max: PLAYLIST_TRACKS_MAX, actual: 501 })]);
    assert_eq!(tracks_of(&store, cast::FULL).await.len(), 500);
    let comment =
        Command::CreateComment { track_id: cast::PUBLIC, body: " ".to_owned(), position_ms: Some(-1) };
    let refused = commit(&store, &ada, comment).await.unwrap_err();
    let named: Vec<&str> = problems(&refused).iter().map(|(field, _)| *field).collect();
    assert_eq!(named, ["body", "timestamp"]);
    let label = PlaylistFields { label_id: Some(Some(UserId::new(7_777_777))), ..*fields("L") };
    let refused =
        commit(&store, &ada, Command::CreatePlaylist { fields: Box::new(label) }).await.unwrap_err();
    assert_eq!(problems(&refused), [("label_id", Problem::UnknownUser)]);
}

#[tokio::test]
async fn what_may_not_be_seen_does_not_exist_and_what_is_not_ones_own_is_forbidden() {
    let store = Database::fresh().store();
    let like = |playlist_id| Command::LikePlaylist { playlist_id };
    let delete = |playlist_id| Command::DeletePlaylist { playlist_id };
    let missing = |id| format!("{:?}", CommandError::NotFound(Missing::Playlist(id)));
    let forbidden = format!("{:?}", CommandError::Forbidden(Forbidden::NotOwner));
    let unknown = PlaylistId::new(9_999_999);
    let cases = [
        (Viewer::anonymous(now()), like(cast::EVERYTHING), format!("{:?}", CommandError::SignInRequired)),
        (user(cast::FAN), like(unknown), missing(unknown)),
        (user(cast::FAN), delete(unknown), missing(unknown)),
        (user(cast::OTHER), like(cast::PRIVATE_PLAYLIST), missing(cast::PRIVATE_PLAYLIST)),
        (
            user(cast::OTHER),
            Command::UnlikePlaylist { playlist_id: cast::PRIVATE_PLAYLIST },
            missing(cast::PRIVATE_PLAYLIST),
        ),
        (user(cast::OTHER), delete(cast::UNRELEASED_ALBUM), missing(cast::UNRELEASED_ALBUM)),
        (user(cast::OUTCAST), like(cast::EVERYTHING), missing(cast::EVERYTHING)),
        (user(cast::FAN), delete(cast::EVERYTHING), forbidden.clone()),
        (
            user(cast::FAN),
            Command::UpdateTrack { track_id: cast::PUBLIC, fields: Box::default() },
            forbidden.clone(),
        ),
        (user(cast::FAN), Command::DeleteComment { comment_id: CommentId::new(2) }, forbidden),
        (
            user(cast::OTHER),
            Command::CreateComment { track_id: cast::PRIVATE, body: "x".to_owned(), position_ms: None },
            format!("{:?}", CommandError::NotFound(Missing::Track(cast::PRIVATE))),
        ),
        (
            user(cast::FAN),
            Command::CreateComment { track_id: cast::NO_COMMENTS, body: "x".to_owned(), position_ms: None },
            format!("{:?}", CommandError::Forbidden(Forbidden::CommentsOff)),
        ),
        (
            user(cast::OUTCAST),
            Command::Follow { user_id: cast::ADA },
            format!("{:?}", CommandError::Forbidden(Forbidden::BlockedByUser)),
        ),
        (
            user(cast::FAN),
            Command::Follow { user_id: cast::GHOST },
            format!("{:?}", CommandError::NotFound(Missing::User(cast::GHOST))),
        ),
    ];
    for (viewer, command, wanted) in cases {
        let shown = format!("{command:?} by {viewer:?}");
        let refused = commit(&store, &viewer, command).await.expect_err(&shown);
        assert_eq!(format!("{refused:?}"), wanted, "{shown}");
    }
    let holder =
        Viewer { secret_token: Some(cast::playlist_secret(cast::PRIVATE_PLAYLIST)), ..user(cast::OTHER) };
    assert!(commit(&store, &holder, like(cast::PRIVATE_PLAYLIST)).await.unwrap().changed);
    assert!(commit(&store, &moderator(cast::MOD), delete(cast::PRIVATE_PLAYLIST)).await.unwrap().changed);
}

#[tokio::test]
async fn what_one_liked_can_be_taken_back_after_it_was_hidden() {
    let database = Database::fresh();
    let store = database.store();
    let fan = user(cast::FAN);
    for command in [
        Command::UnlikePlaylist { playlist_id: cast::PRIVATE_PLAYLIST },
        Command::UnlikeTrack { track_id: cast::TAKEN_DOWN },
        Command::UnrepostTrack { track_id: cast::PRIVATE },
        Command::Unfollow { user_id: cast::GHOST },
    ] {
        assert!(commit(&store, &fan, command).await.unwrap().changed);
    }
    assert_eq!(wrong_counts(&database.connection()).unwrap(), []);
}

#[tokio::test]
async fn repeating_a_like_repost_or_follow_changes_nothing() {
    let store = Database::fresh().store();
    for command in [
        Command::LikePlaylist { playlist_id: cast::EMPTY },
        Command::RepostPlaylist { playlist_id: cast::EMPTY },
        Command::LikeTrack { track_id: cast::OF_OUTCAST },
        Command::RepostTrack { track_id: cast::OF_OUTCAST },
        Command::Follow { user_id: cast::ADA },
        Command::Block { user_id: cast::OTHER },
    ] {
        let label = user(cast::LABEL);
        let first = commit(&store, &label, command.clone()).await.unwrap();
        assert!(first.changed && !first.events.is_empty(), "{command:?}");
        let second = commit(&store, &label, command.clone()).await.unwrap();
        assert!(!second.changed && second.events.is_empty(), "{command:?}");
        assert_eq!(second.entity, first.entity, "{command:?}");
    }
}

#[tokio::test]
async fn an_update_of_an_old_revision_is_refused() {
    let store = Database::fresh().store();
    let update = |title: &str| Command::UpdatePlaylist {
        playlist_id: cast::EVERYTHING,
        fields: fields(title),
        if_revision: Some(1),
    };
    commit(&store, &user(cast::ADA), update("First")).await.unwrap();
    let refused = commit(&store, &user(cast::ADA), update("Second")).await.unwrap_err();
    assert!(matches!(refused, CommandError::StaleRevision { expected: 1, actual: 2 }));
}

#[tokio::test]
async fn renaming_moves_a_playlist_in_the_search_index_and_keeps_its_permalink() {
    let database = Database::fresh();
    let store = database.store();
    let rename = Command::UpdatePlaylist {
        playlist_id: cast::EVERYTHING,
        fields: fields("Zebrafish"),
        if_revision: None,
    };
    let outcome = commit(&store, &user(cast::ADA), rename).await.unwrap();
    assert_eq!(outcome.playlist().unwrap().playlist.permalink, "everything-201");
    commit(&store, &user(cast::ADA), Command::DeletePlaylist { playlist_id: cast::EMPTY }).await.unwrap();
    let conn = database.connection();
    let found = |word: &str| -> Vec<i64> {
        let mut statement =
            conn.prepare("SELECT rowid FROM playlist_names WHERE playlist_names MATCH ?1").unwrap();
        statement.query_map([word], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(found("zebrafish"), [201]);
    assert_eq!(found("everything"), [0_i64; 0]);
    assert!(!found("empty").contains(&205));
    conn.execute("INSERT INTO playlist_names (playlist_names, rank) VALUES ('integrity-check', 1)", [])
        .unwrap();
}

#[tokio::test]
async fn indexed_likes_lag_a_little_and_catch_up() {
    let store = Database::fresh().store();
    let counts = |outcome: &Outcome| {
        let playlist = &outcome.playlist().unwrap().playlist;
        (playlist.likes_count, playlist.indexed_likes_count)
    };
    let mut seen = Vec::new();
    for n in 1..=INDEX_LAG_MAX + 2 {
        let like = Command::LikePlaylist { playlist_id: cast::EMPTY };
        seen.push(counts(&commit(&store, &user(UserId::new(1000 + n)), like).await.unwrap()));
    }
    assert_eq!(seen, [(1, 0), (2, 0), (3, 0), (4, 4), (5, 4)]);
    let touch = Command::RotateSecret { playlist_id: cast::EMPTY };
    assert_eq!(counts(&commit(&store, &user(cast::ADA), touch).await.unwrap()), (5, 5));
}

#[tokio::test]
async fn deleting_a_track_takes_it_out_of_everything_and_keeps_the_counts() {
    let database = Database::fresh();
    let store = database.store();
    let delete = Command::DeleteTrack { track_id: cast::PUBLIC };
    let outcome = commit(&store, &user(cast::ADA), delete).await.unwrap();
    let left_playlists =
        outcome.events.iter().filter(|event| event.event_type == "playlist.tracks_changed").count();
    assert!(left_playlists >= 8, "every playlist that held it says so");
    assert_eq!(outcome.events.last().unwrap().event_type, "track.deleted");
    assert!(!tracks_of(&store, cast::EVERYTHING).await.contains(&cast::PUBLIC));
    assert_eq!(wrong_counts(&database.connection()).unwrap(), []);
    positions_have_no_gaps(&database.connection());
}

#[tokio::test]
async fn changing_who_sees_a_thing_moves_it_between_the_owners_counts() {
    let database = Database::fresh();
    let store = database.store();
    let ada = user(cast::ADA);
    let private = PlaylistFields { sharing: Some(Sharing::Private), ..PlaylistFields::default() };
    let update = Command::UpdatePlaylist {
        playlist_id: cast::EVERYTHING,
        fields: Box::new(private),
        if_revision: None,
    };
    commit(&store, &ada, update).await.unwrap();
    let public = TrackFields { sharing: Some(Sharing::Public), ..TrackFields::default() };
    commit(&store, &ada, Command::UpdateTrack { track_id: cast::PRIVATE, fields: Box::new(public) })
        .await
        .unwrap();
    assert_eq!(wrong_counts(&database.connection()).unwrap(), []);
    let unseen =
        commit(&store, &user(cast::FAN), Command::RepostPlaylist { playlist_id: cast::EVERYTHING }).await;
    assert!(matches!(unseen, Err(CommandError::NotFound(_))));
}

#[tokio::test]
async fn blocking_ends_follows_both_ways() {
    let database = Database::fresh();
    let store = database.store();
    let outcome = commit(&store, &user(cast::ADA), Command::Block { user_id: cast::OTHER }).await.unwrap();
    let types: Vec<&str> = outcome.events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["user.unfollowed", "user.unfollowed", "user.blocked"]);
    assert_eq!(wrong_counts(&database.connection()).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_writers_lose_no_update_and_break_no_count() {
    const USERS: i64 = 60;
    let database = Database::fresh();
    // Two handles with a writer each, as two processes would have: the transactions alone must keep them apart.
    let handles = [database.store(), database.store()];
    let store = &handles[0];
    let before = store.read(|reader| reader.playlist(cast::EMPTY)).await.unwrap().unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for (n, store) in (1..=USERS).zip(handles.iter().cycle()) {
        let store = store.clone();
        writers.spawn(async move {
            let me = user(UserId::new(1000 + n));
            let like = || Command::LikePlaylist { playlist_id: cast::EMPTY };
            let mut changes = 0;
            for command in [
                like(),
                like(),
                Command::UnlikePlaylist { playlist_id: cast::EMPTY },
                like(),
                Command::RepostPlaylist { playlist_id: cast::EMPTY },
                Command::Follow { user_id: cast::ADA },
                Command::LikeTrack { track_id: cast::OF_OTHER },
                Command::CreateComment { track_id: cast::OF_OTHER, body: format!("{n}"), position_ms: None },
            ] {
                changes += i64::from(store.execute(command, me.clone(), Mode::Commit).await.unwrap().changed);
            }
            // At the same time, Ada's tracks come in one by one.
            let track_ids = vec![TrackId::new(1000 + n)];
            let add = Command::AddTracks { playlist_id: cast::EMPTY, track_ids, position: Some(0) };
            store.execute(add, user(cast::ADA), Mode::Commit).await.unwrap();
            changes
        });
    }
    let changes: i64 = writers.join_all().await.into_iter().sum();
    let after = store.read(|reader| reader.playlist_with_tracks(cast::EMPTY)).await.unwrap().unwrap();
    assert_eq!(after.playlist.likes_count, before.likes_count + USERS);
    assert_eq!(after.playlist.reposts_count, before.reposts_count + USERS);
    assert_eq!(after.track_ids.len(), usize::try_from(USERS).unwrap());
    assert_eq!(after.playlist.revision, before.revision + USERS);
    assert_eq!(wrong_counts(&database.connection()).unwrap(), []);
    positions_have_no_gaps(&database.connection());
    let events = store.read(|reader| reader.events_after(0, 10_000)).await.unwrap().len();
    assert_eq!(i64::try_from(events).unwrap(), changes + USERS, "one event per change");
}

#[tokio::test]
async fn a_dry_run_answers_like_a_commit_and_leaves_nothing() {
    let private =
        || Box::new(PlaylistFields { sharing: Some(Sharing::Private), ..PlaylistFields::default() });
    let commands = [
        (cast::ADA, Command::CreatePlaylist { fields: fields("Dry") }),
        (
            cast::ADA,
            Command::UpdatePlaylist { playlist_id: cast::ALBUM, fields: private(), if_revision: None },
        ),
        (cast::ADA, Command::DeletePlaylist { playlist_id: cast::EVERYTHING }),
        (cast::ADA, Command::RotateSecret { playlist_id: cast::ALBUM }),
        (
            cast::ADA,
            Command::AddTracks { playlist_id: cast::EMPTY, track_ids: vec![cast::PUBLIC], position: None },
        ),
        (cast::ADA, Command::RemoveTracks { playlist_id: cast::ALBUM, track_ids: vec![cast::PUBLIC] }),
        (cast::ADA, Command::ReorderTracks { playlist_id: cast::ALBUM, track_ids: vec![cast::PREVIEW] }),
        (cast::LABEL, Command::LikePlaylist { playlist_id: cast::ALBUM }),
        (cast::FAN, Command::UnlikePlaylist { playlist_id: cast::ALBUM }),
        (cast::LABEL, Command::RepostPlaylist { playlist_id: cast::ALBUM }),
        (cast::FAN, Command::UnrepostPlaylist { playlist_id: cast::ALBUM }),
        (cast::ADA, Command::UpdateTrack { track_id: cast::PUBLIC, fields: Box::default() }),
        (cast::ADA, Command::DeleteTrack { track_id: cast::PUBLIC }),
        (cast::LABEL, Command::LikeTrack { track_id: cast::PUBLIC }),
        (cast::FAN, Command::UnlikeTrack { track_id: cast::PUBLIC }),
        (cast::LABEL, Command::RepostTrack { track_id: cast::PUBLIC }),
        (cast::FAN, Command::UnrepostTrack { track_id: cast::PUBLIC }),
        (cast::LABEL, Command::Follow { user_id: cast::ADA }),
        (cast::FAN, Command::Unfollow { user_id: cast::ADA }),
        (cast::LABEL, Command::Block { user_id: cast::ADA }),
        (cast::ADA, Command::Unblock { user_id: cast::OUTCAST }),
        (
            cast::FAN,
            Command::CreateComment { track_id: cast::PUBLIC, body: "Dry".to_owned(), position_ms: None },
        ),
        (cast::FAN, Command::DeleteComment { comment_id: CommentId::new(1) }),
    ];
    for (who, command) in commands {
        let database = Database::fresh();
        let store = database.store();
        let before = contents(&database.connection());
        let dry = store.execute(command.clone(), user(who), Mode::DryRun).await.unwrap();
        assert!(dry.changed, "{command:?} would change something");
        assert_eq!(contents(&database.connection()), before, "{command:?} left something behind");
        assert_eq!(*store.last_event().borrow(), 0, "{command:?} announced an event");
        let wet = store.execute(command.clone(), user(who), Mode::Commit).await.unwrap();
        assert_eq!(dry, wet, "{command:?} did what its dry run said");
        assert_ne!(contents(&database.connection()), before, "{command:?} changed something");
    }
}

#[tokio::test]
async fn a_refused_command_leaves_nothing() {
    let database = Database::fresh();
    let store = database.store();
    let before = contents(&database.connection());
    let mut bad = fields("Half");
    // The title is written before the tracks are looked at.
    bad.track_ids = Some(vec![cast::PUBLIC, TrackId::new(8_888_888)]);
    commit(&store, &user(cast::ADA), Command::CreatePlaylist { fields: bad.clone() }).await.unwrap_err();
    let update = Command::UpdatePlaylist { playlist_id: cast::ALBUM, fields: bad, if_revision: None };
    commit(&store, &user(cast::ADA), update).await.unwrap_err();
    commit(&store, &user(cast::OTHER), Command::LikePlaylist { playlist_id: cast::PRIVATE_PLAYLIST })
        .await
        .unwrap_err();
    assert_eq!(contents(&database.connection()), before);
}

fn problems(error: &CommandError) -> Vec<(&'static str, Problem)> {
    let CommandError::Invalid(invalid) = error else { panic!("not a validation error: {error:?}") };
    invalid.iter().map(|invalid| (invalid.field, invalid.problem.clone())).collect()
}

fn positions_have_no_gaps(conn: &Connection) {
    let sql = "SELECT count(*) FROM (SELECT playlist_id FROM playlist_tracks GROUP BY playlist_id \
               HAVING max(position) <> count(*) - 1 OR min(position) <> 0)";
    assert_eq!(conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "playlists with gaps");
}

/// Every row of every table, also of the search index's tables and the sequences.
fn contents(conn: &Connection) -> Vec<String> {
    let mut tables =
        conn.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut contents = Vec::new();
    for table in tables {
        let mut statement = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..columns).map(|index| row.get_ref(index).unwrap()).collect();
            contents.push(format!("{table} {values:?}"));
        }
    }
    contents
}
