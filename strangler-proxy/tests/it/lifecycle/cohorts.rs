//! Who a canary takes in, over endpoints and over a restart.

use super::estate::Estate;
use crate::data_plane::origin::Origin;

const PEOPLE: usize = 200;

fn inside(estate: &Estate, request: &str) -> Vec<bool> {
    let mut client = estate.client();
    let mut is_in = |person: usize| {
        client
            .send(format!("{request} HTTP/1.1\r\nHost: a\r\nX-User: u{person}\r\nContent-Length: 0\r\n\r\n"));
        client.response().field("x-side") == Some("candidate")
    };
    (0..PEOPLE).map(&mut is_in).collect()
}

#[test]
fn whoever_writes_by_the_candidate_reads_by_it_and_still_does_after_a_restart() {
    let side = |side| move |_: &_| format!("HTTP/1.1 200 OK\r\nX-Side: {side}\r\nContent-Length: 0\r\n\r\n");
    let (control, candidate) = (Origin::new(side("control")), Origin::new(side("candidate")));
    let config = "[cohort]\nkey = \"header:x-user\"\n[cohort.groups]\n\
                  \"/me/playlists\" = \"playlists\"\n";
    let mut estate = Estate::start(control, candidate, config);
    for endpoint in ["POST /playlists", "POST /me/playlists", "GET /playlists/{id}", "POST /users"] {
        estate.at(endpoint, "canary:25%");
    }
    let writes = inside(&estate, "POST /playlists");
    let taken_in = writes.iter().filter(|is_in| **is_in).count();
    // A quarter: mean 50, standard deviation 6.
    assert!((20..80).contains(&taken_in), "{taken_in} of {PEOPLE} are in");
    assert_eq!(writes, inside(&estate, "GET /playlists/7"), "somebody reads where they do not write");
    assert_eq!(writes, inside(&estate, "POST /me/playlists"), "the group that was named is another one");
    assert_ne!(writes, inside(&estate, "POST /users"), "all resources have one cohort");

    estate.restart();
    assert_eq!(writes, inside(&estate, "POST /playlists"), "a restart moved somebody");
    estate.at("POST /playlists", "canary:50%");
    let grown = inside(&estate, "POST /playlists");
    assert!(writes.iter().zip(&grown).all(|(before, after)| *after || !before), "somebody left");
    assert!(grown.iter().filter(|is_in| **is_in).count() > taken_in);
}
