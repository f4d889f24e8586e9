//! Generated playlists, and generated viewers who ask for them: the same ones for every dialect, from one seed.

use std::collections::BTreeMap;

use mothership::{domain::UserId, seed::Random};

use super::{Monolith, now, personas::Persona};

const SEED: u64 = 20_260_102;
const SHELVES: i64 = 40;
const TRACKS: i64 = 7;
const CASES: u64 = 600;
/// Owners whose standing differs: Ada (blocked Outcast, is muted by Muter), Other, Outcast, Ghost (suspended), Muter.
const OWNERS: [i64; 5] = [1, 3, 4, 6, 7];
const VIEWERS: [Option<i64>; 8] = [None, Some(1), Some(3), Some(4), Some(5), Some(6), Some(7), Some(10)];

/// A track, as the oracle knows it.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) id: i64,
    pub(crate) owner: i64,
    pub(crate) private: bool,
    pub(crate) early: bool,
    pub(crate) taken_down: bool,
    pub(crate) preview: bool,
    pub(crate) not_in_germany: bool,
}

/// A playlist, likewise.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    pub(crate) id: i64,
    pub(crate) owner: i64,
    pub(crate) private: bool,
    pub(crate) early: bool,
    pub(crate) tracks: Vec<Fact>,
}

/// Who asks for what. Its `Debug` is what a failure prints: with the seed and the number it can be made again.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    #[allow(dead_code, reason = "printed by a failure")]
    seed: u64,
    pub(crate) number: u64,
    pub(crate) shelf: Shelf,
    /// One of the shelf's, to be asked for by itself.
    pub(crate) track: Fact,
    pub(crate) viewer: Option<i64>,
    pub(crate) germany: bool,
    pub(crate) secret: Option<String>,
}

/// How often each outcome was met: an agreement about nothing shows nothing.
#[derive(Debug, Default)]
pub(crate) struct Met(BTreeMap<&'static str, u64>);

impl Question {
    pub(crate) fn persona(&self) -> Persona {
        Persona {
            user: self.viewer.map(UserId::new),
            territory: Some(if self.germany { "DE" } else { "JP" }),
            secret: self.secret.clone(),
        }
    }
}

impl Met {
    pub(crate) fn count(&mut self, outcome: &'static str) {
        *self.0.entry(outcome).or_insert(0) += 1;
    }

    pub(crate) fn assert_each_at_least(&self, least: u64, outcomes: &[&str]) {
        for outcome in outcomes {
            let times = self.0.get(outcome).copied().unwrap_or(0);
            assert!(times >= least, "seed {SEED}: the cases are one-sided, {outcome:?} in {self:?}");
        }
    }
}

/// Makes generated rows of the monolith's database into what chance says.
pub(crate) fn shelves(monolith: &Monolith) -> Vec<Shelf> {
    let mut random = Random::new(&[SEED]);
    (0..SHELVES).map(|number| shelf(monolith, &mut random, number)).collect()
}

pub(crate) fn questions(shelves: &[Shelf]) -> impl Iterator<Item = Question> {
    (0..CASES).map(|number| {
        let mut random = Random::new(&[SEED, number]);
        let shelf = random.pick(shelves).clone();
        let track = random.pick(&shelf.tracks).clone();
        let viewer = *random.pick(&VIEWERS);
        let germany = random.chance(300);
        let secret = match random.below(4) {
            0 => Some(format!("s-shelf-{}", shelf.id)),
            1 => Some(format!("s-fact-{}", track.id)),
            2 => Some("s-wrong".to_owned()),
            _ => None,
        };
        Question { seed: SEED, number, shelf, track, viewer, germany, secret }
    })
}

fn shelf(monolith: &Monolith, random: &mut Random, number: i64) -> Shelf {
    let connection = monolith.database.connection();
    let later = now().millis() + 1;
    let tracks: Vec<Fact> = (0..TRACKS)
        .map(|index| Fact {
            id: 1001 + number * TRACKS + index,
            owner: *random.pick(&OWNERS),
            private: random.chance(350),
            early: random.chance(200),
            taken_down: random.chance(150),
            preview: random.chance(250),
            not_in_germany: random.chance(350),
        })
        .collect();
    for track in &tracks {
        let sql = "UPDATE tracks SET user_id = ?2, permalink = 'fact-' || id, sharing = ?3, release_at = ?4, \
             taken_down = ?5, policy = ?6, blocked_territories = ?7, secret_token = 's-fact-' || id WHERE id = ?1";
        let changed = connection.execute(
            sql,
            (
                track.id,
                track.owner,
                if track.private { "private" } else { "public" },
                track.early.then_some(later),
                track.taken_down,
                if track.preview { "preview" } else { "full" },
                if track.not_in_germany { ",DE," } else { "" },
            ),
        );
        assert_eq!(changed.unwrap(), 1);
    }
    let (id, owner) = (1001 + number, *random.pick(&OWNERS));
    let shelf = Shelf { id, owner, private: random.chance(400), early: random.chance(200), tracks };
    let sql = "UPDATE playlists SET user_id = ?2, permalink = 'shelf-' || id, sharing = ?3, release_at = ?4, \
         secret_token = 's-shelf-' || id WHERE id = ?1";
    let sharing = if shelf.private { "private" } else { "public" };
    assert_eq!(connection.execute(sql, (id, owner, sharing, shelf.early.then_some(later))).unwrap(), 1);
    connection.execute("DELETE FROM playlist_tracks WHERE playlist_id = ?1", [id]).unwrap();
    for (position, track) in (0_i64..).zip(&shelf.tracks) {
        let sql = "INSERT INTO playlist_tracks (playlist_id, position, track_id) VALUES (?1, ?2, ?3)";
        connection.execute(sql, (id, position, track.id)).unwrap();
    }
    shelf
}
