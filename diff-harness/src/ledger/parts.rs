//! Parts of groups: what is found falls into them, and what was counted before moves when one is split off.

use rusqlite::{Connection, OptionalExtension, params};

use super::Failure;
use super::counting::OTHER_SHAPES;
use super::encoding::{DivergenceRow, int, json, uint};
use super::samples::divergences_of;
use super::trouble::unreadable;
use crate::divergence::{Divergence, Location};
use crate::fingerprint::Fingerprint;
use crate::redact::Redacted;
use crate::triage::{Part, Predicate, Refusal, part_of};

/// The splits that count, oldest first.
#[derive(Debug, Default)]
pub(super) struct Parts(Vec<(Fingerprint, Part)>);

impl Parts {
    pub(super) fn read(connection: &Connection) -> Result<Self, Failure> {
        let mut statement = connection.prepare_cached(
            "SELECT fingerprint, part, shape, place FROM decisions d
             WHERE act = 'split' AND NOT EXISTS (SELECT 1 FROM decisions u WHERE u.takes_back = d.sequence)
             ORDER BY sequence",
        )?;
        let mut rows = statement.query(())?;
        let mut parts = Self::default();
        while let Some(row) = rows.next()? {
            let (group, part): (String, String) = (row.get(0)?, row.get(1)?);
            let predicate = predicate(row.get(2)?, row.get(3)?)?;
            parts.0.push((fingerprint(&part)?, Part { of: fingerprint(&group)?, predicate }));
        }
        Ok(parts)
    }

    /// The group itself, or the part of it (or the part of that part) in which such a divergence is.
    pub(super) fn of(&self, group: &Fingerprint, shape: &str, location: &Location) -> Fingerprint {
        if self.0.is_empty() { group.clone() } else { part_of(&self.0, group, shape, location) }
    }

    pub(super) fn into_all(self) -> Vec<(Fingerprint, Part)> {
        self.0
    }

    pub(super) fn has_parts(&self, group: &Fingerprint) -> bool {
        self.0.iter().any(|(_, part)| part.of == *group)
    }

    pub(super) fn find(&self, part: &Fingerprint) -> Option<&Part> {
        self.0.iter().find_map(|(id, found)| (id == part).then_some(found))
    }
}

pub(super) fn predicate(shape: Option<String>, place: Option<String>) -> Result<Predicate, Failure> {
    Predicate::new(shape.as_deref(), place.as_deref())
        .map_err(|error| unreadable("a part", &error.to_string()).into())
}

pub(super) fn fingerprint(text: &str) -> Result<Fingerprint, Failure> {
    text.parse().map_err(|_| unreadable("a group", text).into())
}

pub(super) fn group_id(connection: &Connection, group: &Fingerprint) -> Result<Option<i64>, Failure> {
    let mut known = connection.prepare_cached("SELECT id FROM groups WHERE fingerprint = ?1")?;
    Ok(known.query_row([group.as_str()], |row| row.get(0)).optional()?)
}

/// Moves what is known of such a part of the group out of it. Counts by shape are exact; of a part that is told by its
/// place, what the kept exchanges show moves. Fails where nothing of it is known.
pub(super) fn split(
    connection: &Connection,
    group: &Fingerprint,
    predicate: &Predicate,
) -> Result<Fingerprint, Failure> {
    let part = predicate.part_of(group);
    let from = group_id(connection, group)?.ok_or_else(|| Refusal::UnknownGroup(group.clone()))?;
    connection
        .prepare_cached(
            "INSERT INTO groups (fingerprint, endpoint_id, kind, severity, location, detail)
             SELECT ?2, endpoint_id, kind, severity, location, detail FROM groups WHERE id = ?1
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![from, part.as_str()])?;
    let to = group_id(connection, &part)?.ok_or_else(|| Refusal::UnknownGroup(part.clone()))?;
    let moving = Moving { connection, from, to };
    let by_place = predicate.place().is_some();
    let mut moved = false;
    if !by_place {
        for counted in moving.shapes()? {
            if counted.shape != OTHER_SHAPES && predicate.holds_shape(&counted.shape) {
                moving.counts(&counted)?;
                moved = true;
            }
        }
        moving.mismatches(|shape| shape != OTHER_SHAPES && predicate.holds_shape(shape))?;
    }
    for sample in moving.samples()? {
        // Of an exchange that was kept before shapes were, nobody knows its shape.
        if sample.shape.is_empty() && predicate.shape().is_some() {
            continue;
        }
        let found = divergences_of(&sample.divergences)?;
        let is_in = |(of, found): &(Fingerprint, Redacted<Divergence>)| {
            of == group && predicate.holds(&sample.shape, &found.get().location)
        };
        let inside = found.iter().filter(|found| is_in(found)).count();
        let Some((_, example)) = found.iter().find(|found| is_in(found)) else { continue };
        let stays = found.iter().any(|found| found.0 == *group && !is_in(found));
        if by_place {
            moving.counts(&Counted {
                epoch: sample.epoch,
                shape: sample.shape.clone(),
                count: inside as u64,
                exchanges: 1,
                stay: u64::from(stays),
                first_ms: sample.at_ms,
                last_ms: sample.at_ms,
                example: json(&DivergenceRow::new(None, example)),
            })?;
            moved = true;
        }
        let rows: Vec<_> = found
            .iter()
            .map(|found| DivergenceRow::new(Some(if is_in(found) { &part } else { &found.0 }), &found.1))
            .collect();
        moving.sample(&sample, &rows, stays)?;
    }
    if !moved {
        return Err(Refusal::NothingInPart(group.clone()).into());
    }
    moving.refresh(from)?;
    Ok(part)
}

/// Gives the group back what its part has.
pub(super) fn join(connection: &Connection, part: &Fingerprint, of: &Fingerprint) -> Result<(), Failure> {
    let (Some(from), Some(to)) = (group_id(connection, part)?, group_id(connection, of)?) else {
        // One of them was never seen here.
        return Ok(());
    };
    let moving = Moving { connection, from, to };
    for counted in moving.shapes()? {
        moving.counts(&counted)?;
    }
    for sample in moving.samples()? {
        let found = divergences_of(&sample.divergences)?;
        let rows: Vec<_> = found
            .iter()
            .map(|found| DivergenceRow::new(Some(if found.0 == *part { of } else { &found.0 }), &found.1))
            .collect();
        moving.sample(&sample, &rows, false)?;
    }
    moving.mismatches(|_| true)?;
    moving.refresh(to)
}

/// What one group hands to another.
struct Moving<'a> {
    connection: &'a Connection,
    from: i64,
    to: i64,
}

struct Counted {
    epoch: i64,
    shape: String,
    count: u64,
    exchanges: u64,
    /// Of the exchanges, those that have a divergence of the old group too.
    stay: u64,
    first_ms: i64,
    last_ms: i64,
    example: String,
}

struct KeptSample {
    id: i64,
    epoch: i64,
    at_ms: i64,
    shape: String,
    divergences: String,
}

impl Moving<'_> {
    fn shapes(&self) -> Result<Vec<Counted>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT epoch_id, shape, count, exchanges, first_ms, last_ms, example FROM group_shapes
             WHERE group_id = ?1",
        )?;
        let shapes = statement.query_map([self.from], |row| {
            Ok(Counted {
                epoch: row.get(0)?,
                shape: row.get(1)?,
                count: uint(row.get(2)?),
                exchanges: uint(row.get(3)?),
                stay: 0,
                first_ms: row.get(4)?,
                last_ms: row.get(5)?,
                example: row.get(6)?,
            })
        })?;
        Ok(shapes.collect::<Result<_, _>>()?)
    }

    fn samples(&self) -> Result<Vec<KeptSample>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT s.id, sg.epoch_id, sg.at_ms, s.shape, s.divergences FROM sample_groups sg
             JOIN samples s ON s.id = sg.sample_id WHERE sg.group_id = ?1",
        )?;
        let samples = statement.query_map([self.from], |row| {
            Ok(KeptSample {
                id: row.get(0)?,
                epoch: row.get(1)?,
                at_ms: row.get(2)?,
                shape: row.get(3)?,
                divergences: row.get(4)?,
            })
        })?;
        Ok(samples.collect::<Result<_, _>>()?)
    }

    /// Takes these counts from the one, in both tables, and adds them to the other.
    fn counts(&self, moved: &Counted) -> Result<(), Failure> {
        for (table, keyed, of_key) in [
            ("group_shapes", "group_id, epoch_id, shape", "AND shape = ?3"),
            ("group_counts", "group_id, epoch_id", "AND ?3 IS NOT NULL"),
        ] {
            let leaving = int(moved.exchanges.saturating_sub(moved.stay));
            self.connection
                .prepare_cached(&format!(
                    "UPDATE {table} SET count = count - ?4, exchanges = exchanges - ?5
                     WHERE group_id = ?1 AND epoch_id = ?2 {of_key}"
                ))?
                .execute(params![self.from, moved.epoch, moved.shape, int(moved.count), leaving])?;
            self.connection
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE group_id = ?1 AND epoch_id = ?2 {of_key} AND count <= 0"
                ))?
                .execute(params![self.from, moved.epoch, moved.shape])?;
            let shape = if table == "group_shapes" { "?3, " } else { "" };
            self.connection
                .prepare_cached(&format!(
                    "INSERT INTO {table} ({keyed}, count, exchanges, first_ms, last_ms, example)
                     SELECT ?1, ?2, {shape}?4, ?5, ?6, ?7, ?8 WHERE ?3 IS NOT NULL
                     ON CONFLICT DO UPDATE SET count = count + ?4, exchanges = exchanges + ?5,
                         first_ms = min(first_ms, ?6), last_ms = max(last_ms, ?7),
                         example = CASE WHEN ?7 >= last_ms THEN ?8 ELSE example END"
                ))?
                .execute(params![
                    self.to,
                    moved.epoch,
                    moved.shape,
                    int(moved.count),
                    int(moved.exchanges),
                    moved.first_ms,
                    moved.last_ms,
                    moved.example
                ])?;
        }
        Ok(())
    }

    /// Mismatches are counted by shape and by all their groups: in those of these shapes, the one takes the other's place.
    fn mismatches(&self, of_shape: impl Fn(&str) -> bool) -> Result<(), Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT epoch_id, endpoint_id, shape, groups, n, confirmed FROM mismatches
             WHERE endpoint_id = (SELECT endpoint_id FROM groups WHERE id = ?1)
                 AND instr(',' || groups || ',', ',' || ?1 || ',') > 0",
        )?;
        let rows = statement.query_map([self.from], |row| {
            let key: (i64, i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok((key, row.get::<_, i64>(4)?, row.get::<_, i64>(5)?))
        })?;
        for ((epoch, endpoint, shape, groups), n, confirmed) in rows.collect::<Result<Vec<_>, _>>()? {
            if !of_shape(&shape) {
                continue;
            }
            let ids = groups.split(',').map(str::parse::<i64>).collect::<Result<Vec<_>, _>>();
            let mut ids = ids.map_err(|_| unreadable("groups of mismatches", &groups))?;
            for id in &mut ids {
                if *id == self.from {
                    *id = self.to;
                }
            }
            ids.sort_unstable();
            ids.dedup();
            let now = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
            self.connection
                .prepare_cached(
                    "DELETE FROM mismatches
                     WHERE epoch_id = ?1 AND endpoint_id = ?2 AND shape = ?3 AND groups = ?4",
                )?
                .execute(params![epoch, endpoint, shape, groups])?;
            self.connection
                .prepare_cached(
                    "INSERT INTO mismatches (epoch_id, endpoint_id, shape, groups, n, confirmed)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT DO UPDATE SET n = n + ?5, confirmed = confirmed + ?6",
                )?
                .execute(params![epoch, endpoint, shape, now, n, confirmed])?;
        }
        Ok(())
    }

    /// `rows` are what the sample's divergences are in now; it `stays` with the old group where one still is.
    fn sample(&self, sample: &KeptSample, rows: &[DivergenceRow], stays: bool) -> Result<(), Failure> {
        self.connection
            .prepare_cached("UPDATE samples SET divergences = ?2 WHERE id = ?1")?
            .execute(params![sample.id, json(&rows)])?;
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO sample_groups (group_id, epoch_id, at_ms, sample_id) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![self.to, sample.epoch, sample.at_ms, sample.id])?;
        if !stays {
            self.connection
                .prepare_cached("DELETE FROM sample_groups WHERE group_id = ?1 AND sample_id = ?2")?
                .execute(params![self.from, sample.id])?;
        }
        Ok(())
    }

    /// When it was seen, and its example, from what is left of it, where that is all of it.
    fn refresh(&self, group: i64) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "UPDATE group_counts AS c SET (first_ms, last_ms, example) = (
                     SELECT min(first_ms), max(last_ms), (
                         SELECT n.example FROM group_shapes n
                         WHERE n.group_id = c.group_id AND n.epoch_id = c.epoch_id ORDER BY n.last_ms DESC LIMIT 1)
                     FROM group_shapes s WHERE s.group_id = c.group_id AND s.epoch_id = c.epoch_id)
                 WHERE group_id = ?1 AND count = (SELECT sum(count) FROM group_shapes s
                     WHERE s.group_id = c.group_id AND s.epoch_id = c.epoch_id)",
            )?
            .execute([group])?;
        Ok(())
    }
}
