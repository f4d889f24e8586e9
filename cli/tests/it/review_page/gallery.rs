//! An estate with something on every page: endpoints at every kind of stage, groups of every severity, decisions, a
//! hold, a matrix, undeclared traffic.

use crate::rig::Rig;

/// What control answers, and what the candidate makes of it: a private track that shows, a lost member, a number that
/// became text, another order, another sentence, an error where there was none.
fn answer(target: &str, is_candidate: bool) -> (u16, String) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let id: u64 = path.rsplit('/').find_map(|segment| segment.parse().ok()).unwrap_or(1);
    let pick =
        |control: &'static str, candidate: &'static str| if is_candidate { candidate } else { control };
    let first = path.split('/').nth(1).unwrap_or_default();
    match first {
        "playlists" => {
            let tracks: Vec<_> = (1..=14)
                .map(|n| {
                    format!(
                        r#"{{"id":{},"title":"Track {n}","duration":{},"public":true}}"#,
                        id * 100 + n,
                        180 + n
                    )
                })
                .collect();
            let (before, after) = tracks.split_at(5);
            let leaked = r#"{"id":99,"title":"Unreleased","duration":201,"public":false}"#.to_owned();
            let tracks = match is_candidate && query.contains("limit") {
                true => [before, &[leaked], after].concat().join(","),
                false => tracks.join(","),
            };
            let likes = pick("10", "\"10\"");
            let description = pick(r#""description":null,"#, "");
            (
                200,
                format!(
                    r#"{{"id":{id},"title":"Morning",{description}"likes":{likes},"owner":{{"id":7,"name":"Ann Example"}},"tracks":[{tracks}]}}"#
                ),
            )
        }
        "users" => (200, format!(r#"{{"id":{id},"name":"{}"}}"#, pick("Ann Example", "Ann E."))),
        "tracks" if id.is_multiple_of(3) => match is_candidate {
            true => (200, format!(r#"{{"id":{id},"title":"Private","state":"draft"}}"#)),
            false => (404, r#"{"error":"not found"}"#.to_owned()),
        },
        "hostile" => {
            let script =
                "<script>document.title='owned'</script><img src=x onerror=document.title='owned'></script>";
            (200, format!(r#"{{"note":"{script} {}"}}"#, pick("a", "b")))
        }
        "long" => {
            // Five megabytes of either side, with one difference in the middle.
            let line = |n: u64| format!(r#"{{"id":{n},"text":"{}"}}"#, "lorem ipsum ".repeat(850));
            let mut lines: Vec<_> = (0..500).map(line).collect();
            lines[250] = format!(r#"{{"id":250,"text":"{}"}}"#, pick("here", "there"));
            (200, format!("[{}]", lines.join(",")))
        }
        _ => (200, format!(r#"{{"id":{id},"ok":true}}"#)),
    }
}

fn control(target: &str) -> (u16, String) {
    answer(target, false)
}

fn candidate(target: &str) -> (u16, String) {
    answer(target, true)
}

const CONFIG: &str = "
[shadow]
kept_body = \"16MiB\"
";

/// Only the servers and the proxy, with room for bodies of five megabytes.
pub(super) fn empty() -> Rig {
    Rig::with(control, candidate, CONFIG)
}

pub(super) fn gallery() -> Rig {
    let rig = empty();
    let promote = |path: &str, to: &str| {
        rig.expect(
            0,
            &["promote", "GET", path, "--to", to, "--force", "--reason", "known on the old hosts too"],
        );
    };
    for path in [
        "/playlists/{id}",
        "/users/{id}",
        "/tracks/{id}",
        "/stations/{id}",
        "/me/likes",
        "/search",
        "/resolve",
    ] {
        rig.shadowed(path);
    }
    rig.expect(0, &["routes", "add", "GET", "/charts/{genre}"]);
    for n in 1..=4 {
        rig.requests(&format!("/playlists/{n}?limit=20"), 1);
        rig.requests(&format!("/playlists/{n}"), 2);
        rig.requests(&format!("/users/{n}"), 1);
        rig.requests(&format!("/stations/{n}"), 3);
        rig.requests(&format!("/playlists/{n}/comments"), 1);
    }
    rig.requests("/tracks/1", 3);
    rig.requests("/me/likes", 9);
    rig.requests("/search?q=a", 6);
    rig.requests("/resolve?url=x", 7);
    assert_eq!(rig.get("/tracks/3").status, 404);
    rig.settle();
    promote("/me/likes", "canary:10%");
    promote("/search", "live");
    promote("/resolve", "soak");
    rig.expect(0, &["hold", "GET", "/stations/{id}", "--reason", "the new cache goes out first"]);
    matrix(&rig);
    rig
}

/// The groups with their ids, the worst first.
pub(super) fn groups(rig: &Rig) -> Vec<(String, String)> {
    let listed = rig.json(0, &["divergences", "list"]);
    let text = |group: &serde_json::Value, name: &str| group[name].as_str().unwrap().to_owned();
    let groups = listed["data"]["groups"].as_array().unwrap();
    groups.iter().map(|group| (text(group, "id"), text(group, "location"))).collect()
}

/// Runs a suite with personas against the two servers, and publishes its matrix.
fn matrix(rig: &Rig) {
    let suite = "
suite: access
personas:
  anonymous: {}
  owner: { headers: { x-user: ann } }
  moderator: { headers: { x-user: max } }
cases:
  - { name: track, personas: [all], request: { path: /tracks/3, endpoint: '/tracks/{id}' } }
  - { name: user, personas: [anonymous, owner], request: { path: /users/2, endpoint: '/users/{id}' } }
  - { name: likes, personas: [owner, moderator], request: { path: /me/likes } }
";
    std::fs::write(rig.dir.path().join("access.yaml"), suite).unwrap();
    let (control, candidate) = (rig.control.url(), rig.candidate.url());
    rig.expect(
        3,
        &[
            "suite",
            "run",
            "access.yaml",
            "--control",
            &control,
            "--candidate",
            &candidate,
            "--json",
            "run.json",
            "--html",
            "suite.html",
        ],
    );
    rig.expect(0, &["suite", "publish", "run.json", "--revision", "3f2a91c"]);
}
