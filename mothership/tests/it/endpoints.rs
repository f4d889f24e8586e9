//! Every playlist endpoint of every dialect that has a document: counted, listed in the README, called by everyone.

use std::collections::BTreeSet;

use http::Method;
use mothership::{
    domain::{PlaylistId, Track, Viewer},
    seed::cast,
    store::Store,
    visibility::{read_track, read_track_in_playlist},
};

use crate::support::{
    Document, Monolith, Operation,
    personas::{PERSONAS, Persona},
};

/// What the reference estate promises over its three dialects.
const ENDPOINTS_MIN: usize = 54;

#[test]
fn the_readme_lists_every_playlist_endpoint() {
    let readme = include_str!("../../README.md");
    let row = |line: &str| -> Option<(String, String, String)> {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [dialect, method, path, _] = cells[..] else { return None };
        let path = path.strip_prefix('`')?.strip_suffix('`')?;
        Some((dialect.to_owned(), method.to_owned(), path.to_owned()))
    };
    let listed: BTreeSet<_> = readme.lines().filter(|line| line.starts_with('|')).filter_map(row).collect();
    let documents = Document::all();
    let mut promised = BTreeSet::new();
    for document in &documents {
        for operation in document.operations().iter().filter(|operation| operation.is_about_playlists()) {
            let path = format!("{}{}", document.mount, operation.path);
            promised.insert((document.dialect.to_owned(), operation.method.to_string(), path));
        }
    }
    let missing: Vec<_> = promised.difference(&listed).collect();
    let extra: Vec<_> = listed.difference(&promised).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "missing in the README: {missing:#?}\nno endpoint: {extra:#?}"
    );
    let public = promised.iter().filter(|(dialect, ..)| dialect == "public").count();
    assert!(public >= 20, "the public dialect has only {public} playlist endpoints");
    if documents.len() == 3 {
        assert!(promised.len() >= ENDPOINTS_MIN, "only {} playlist endpoints", promised.len());
    }
}

/// The titles of hidden tracks say which they are, so a leak shows whatever the representation is.
#[tokio::test]
async fn every_persona_may_call_every_playlist_endpoint_and_nothing_leaks() {
    for document in Document::all() {
        for name in PERSONAS {
            let monolith = Monolith::start().await;
            let store = monolith.database.store();
            let mut operations = document.operations();
            operations.retain(Operation::is_about_playlists);
            operations.sort_by_key(|operation| (order(&operation.method), operation.path.clone()));
            for operation in &operations {
                for playlist in [cast::EVERYTHING, cast::PRIVATE_PLAYLIST, cast::PRIVATE_PLAYLIST_OF_OTHER] {
                    let persona = Persona::named(name, cast::ADA, &cast::playlist_secret(playlist));
                    let mut request = document.example(operation);
                    request.path = replace_id(&request.path, cast::EVERYTHING, playlist);
                    // A secret link opens its playlist to whoever calls it.
                    let mut viewer = persona.viewer();
                    let link = cast::playlist_secret(cast::PRIVATE_PLAYLIST);
                    let by_link = request.path.contains(&link);
                    if by_link {
                        viewer.secret_token = Some(link);
                    }
                    let opened = if by_link { cast::PRIVATE_PLAYLIST } else { playlist };
                    let hidden = hidden_titles(&store, &viewer, opened).await;
                    let request = persona.ask(request);
                    let what = format!("{} {} as {name}", request.method, request.path);
                    let answer = request.send(monolith.address).await;
                    document.check(operation, &answer, &what);
                    let shown = String::from_utf8_lossy(&answer.body);
                    for title in &hidden {
                        assert!(!shown.contains(&format!("\"{title}\"")), "{what} shows {title:?}: {shown}");
                    }
                }
            }
        }
    }
}

/// Of the cast's tracks that this viewer may see neither by themselves nor in the playlist.
async fn hidden_titles(store: &Store, viewer: &Viewer, playlist: PlaylistId) -> Vec<String> {
    let viewer = viewer.clone();
    let hidden = store.read(move |reader| {
        let tracks: Vec<Track> = reader.tracks(&cast::TRACKS)?;
        let owners: Vec<_> = tracks.iter().map(|track| track.user_id).collect();
        let blocks = reader.blocks(viewer.user_id(), &owners)?;
        let playlist = reader.playlist(playlist)?;
        let hidden = tracks.into_iter().filter(|track| {
            let block = blocks.block(track.user_id);
            let inside = playlist
                .as_ref()
                .is_some_and(|playlist| read_track_in_playlist(track, playlist, block, &viewer).is_visible());
            // What is called like what may be seen says nothing.
            let told = [cast::PUBLIC, cast::BLANK_TRACK];
            !inside && !read_track(track, block, &viewer).is_visible() && !told.contains(&track.id)
        });
        Ok(hidden.map(|track| track.title).collect::<Vec<_>>())
    });
    hidden.await.unwrap()
}

/// In a path with example ids: one segment is `201`, or ends in `:201`.
fn replace_id(path: &str, from: PlaylistId, to: PlaylistId) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let (from, to) = (from.to_string(), to.to_string());
    let segments = path.split('/').map(|segment| match segment.strip_suffix(&from) {
        Some(before) if before.is_empty() || before.ends_with(':') => format!("{before}{to}"),
        _ => segment.to_owned(),
    });
    let path = segments.collect::<Vec<_>>().join("/");
    query.map_or(path.clone(), |query| format!("{path}?{query}"))
}

fn order(method: &Method) -> u8 {
    match method.as_str() {
        "GET" => 0,
        "POST" => 1,
        "PUT" | "PATCH" => 2,
        _ => 3,
    }
}

#[test]
fn ids_are_replaced_where_they_stand_alone() {
    let replaced = |path: &str| replace_id(path, PlaylistId::new(201), PlaylistId::new(7));
    assert_eq!(replaced("/playlists/201/tracks?a=201"), "/playlists/7/tracks?a=201");
    assert_eq!(replaced("/x/urn:playlists:201"), "/x/urn:playlists:7");
    assert_eq!(replaced("/x/1201/s-playlist202"), "/x/1201/s-playlist202");
}
