//! The log of decisions on groups, and what a group's state follows from.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::encoding::{int, uint};
use super::parts::{self, Parts, fingerprint, group_id, predicate};
use super::trouble::unreadable;
use super::{Failure, routes};
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::store::{DecisionsOf, Group, StoreError, Took};
use crate::triage::{Act, Call, Decided, Decision, Entry, Refusal, Sightings, Triaged, Wish};

const COLUMNS: &str =
    "d.sequence, d.fingerprint, d.act, d.actor, d.owner, d.reason, d.expires_ms, d.epoch, d.at_ms,
    d.takes_back, d.part, d.shape, d.place";
const NOT_TAKEN_BACK: &str = "NOT EXISTS (SELECT 1 FROM decisions u WHERE u.takes_back = d.sequence)";
/// The candidate epochs that count for something said of ?1: itself, and those that were first seen after it.
const EPOCHS_SINCE: &str = "
    SELECT id FROM epochs WHERE candidate IN (
        SELECT candidate FROM epochs GROUP BY candidate
        HAVING candidate = ?1 OR min(first_ms) > (SELECT min(first_ms) FROM epochs WHERE candidate = ?1))";

pub(super) fn decide(connection: &Connection, wish: &Wish) -> Result<Entry, Failure> {
    let group = &wish.group;
    let current = newest_entry(connection, group)?;
    if let Some(expected) = wish.expected.filter(|expected| *expected != current) {
        return Err(Refusal::Conflict { group: group.clone(), expected, current }.into());
    }
    let mut line = Line::default();
    match &wish.act {
        Act::Decide { call, epoch, expires, .. } => {
            let id = group_id(connection, group)?.ok_or_else(|| Refusal::UnknownGroup(group.clone()))?;
            if *call == Call::Fixed {
                line.compared = compared_since(connection, id, epoch)?;
            } else if *call == Call::Noise && expires.is_none() {
                line.compared = seen(connection, id)?.0;
            }
        }
        Act::Undo => {
            let counts =
                in_force_of(connection, group)?.ok_or_else(|| Refusal::NothingToUndo(group.clone()))?;
            line.takes_back = Some(counts.sequence);
        }
        Act::Split(predicate) => {
            let part = predicate.part_of(group);
            if Parts::read(connection)?.find(&part).is_some() {
                return Err(Refusal::SplitAlready { of: group.clone(), part }.into());
            }
            line.part = Some(parts::split(connection, group, predicate)?);
        }
        Act::Join => {
            let known = Parts::read(connection)?;
            let part = known.find(group).ok_or_else(|| Refusal::NotAPart(group.clone()))?;
            if known.has_parts(group) {
                return Err(Refusal::HasParts(group.clone()).into());
            }
            line.takes_back = split_entry(connection, group)?;
            parts::join(connection, group, &part.of)?;
        }
    }
    append(connection, wish, line)
}

/// Takes over splits and waivers that were decided elsewhere.
pub(super) fn import(
    connection: &Connection,
    parts: &[Wish],
    waivers: &[Wish],
) -> Result<Vec<Took>, Failure> {
    for wish in parts {
        let Act::Split(predicate) = &wish.act else { continue };
        let part = predicate.part_of(&wish.group);
        if was_split(connection, &part)? {
            continue;
        }
        match parts::split(connection, &wish.group, predicate) {
            // Or nothing of it was found here so far, and what will be is told apart.
            Ok(_)
            | Err(Failure::Store(StoreError::Triage(Refusal::UnknownGroup(_) | Refusal::NothingInPart(_)))) =>
                {}
            Err(failure) => return Err(failure),
        }
        append(connection, wish, Line { part: Some(part), ..Line::default() })?;
    }
    waivers.iter().map(|wish| import_waiver(connection, wish)).collect()
}

fn import_waiver(connection: &Connection, wish: &Wish) -> Result<Took, Failure> {
    let Act::Decide { call, owner, expires, .. } = &wish.act else { return Ok(Took::Known) };
    let known: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM decisions WHERE fingerprint = ?1 AND act = ?2 AND owner = ?3
                 AND reason = ?4 AND expires_ms IS ?5)",
        )?
        .query_row(
            params![wish.group.as_str(), call.as_str(), owner, wish.reason, expires.map(|at| int(at.0))],
            |row| row.get(0),
        )?;
    if known {
        return Ok(Took::Known);
    }
    match in_force_of(connection, &wish.group)?.map(|decided| decided.decision.call) {
        Some(other) if !other.is_waiver() => Ok(Took::DecidedHere(other)),
        _ => append(connection, wish, Line::default()).map(|entry| Took::Added(Box::new(entry))),
    }
}

/// Also one that was joined again: what was taken back here stays so.
fn was_split(connection: &Connection, part: &Fingerprint) -> Result<bool, Failure> {
    let mut known = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM decisions WHERE act = 'split' AND part = ?1)")?;
    Ok(known.query_row([part.as_str()], |row| row.get(0))?)
}

pub(super) fn log(connection: &Connection, of: DecisionsOf<'_>, limit: usize) -> Result<Vec<Entry>, Failure> {
    let (group, endpoint) = match of {
        DecisionsOf::All => (None, None),
        DecisionsOf::Group(group) => (Some(group.as_str()), None),
        DecisionsOf::Endpoint(endpoint) => (None, Some(endpoint)),
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, e.method, e.template FROM decisions d
         LEFT JOIN groups g ON g.fingerprint = d.fingerprint LEFT JOIN endpoints e ON e.id = g.endpoint_id
         WHERE (?1 IS NULL OR d.fingerprint = ?1 OR d.part = ?1)
             AND (?2 IS NULL OR (e.method = ?2 AND e.template = ?3))
         ORDER BY d.sequence DESC LIMIT ?4"
    ))?;
    let method = endpoint.map(|endpoint| endpoint.method().as_str());
    let template = endpoint.map(crate::endpoint::EndpointId::template);
    let mut rows = statement.query((group, method, template, int(limit as u64)))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

/// The lines whose numbers stand in this JSON array.
pub(super) fn log_at(connection: &Connection, sequences: &str) -> Result<Vec<Entry>, Failure> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, e.method, e.template FROM decisions d
         LEFT JOIN groups g ON g.fingerprint = d.fingerprint LEFT JOIN endpoints e ON e.id = g.endpoint_id
         WHERE d.sequence IN (SELECT value FROM json_each(?1))"
    ))?;
    let mut rows = statement.query([sequences])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

/// The decision that counts, for every group that has one.
pub(super) fn in_force(connection: &Connection) -> Result<BTreeMap<Fingerprint, Decided>, Failure> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, NULL, NULL FROM decisions d
         WHERE act NOT IN ('undo', 'split', 'join') AND {NOT_TAKEN_BACK} ORDER BY sequence"
    ))?;
    let mut rows = statement.query(())?;
    let mut decided = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let entry = entry(row)?;
        if let Some(decision) = entry.decision() {
            decided.insert(decision.group.clone(), Decided { sequence: entry.sequence, decision });
        }
    }
    Ok(decided)
}

/// These groups with what their states follow from.
pub(super) fn triaged(connection: &Connection, groups: Vec<Group>) -> Result<Vec<Triaged>, Failure> {
    let mut decided = in_force(connection)?;
    let mut parts: BTreeMap<_, _> = Parts::read(connection)?.into_all().into_iter().collect();
    let mut newest = connection
        .prepare_cached("SELECT fingerprint, max(sequence) FROM decisions GROUP BY fingerprint")?
        .query_map((), |row| Ok((row.get::<_, String>(0)?, uint(row.get(1)?))))?
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    let triaged = |group: Group| {
        let decided = decided.remove(&group.fingerprint);
        let since = match &decided {
            Some(decided) if decided.decision.covers_the_past_only() => sightings(connection, decided)?,
            _ => Sightings::default(),
        };
        Ok(Triaged {
            decided,
            since,
            part: parts.remove(&group.fingerprint),
            newest_entry: newest.remove(group.fingerprint.as_str()).unwrap_or(0),
            group,
        })
    };
    groups.into_iter().map(triaged).collect()
}

/// What was seen of a group since the decision.
fn sightings(connection: &Connection, decided: &Decided) -> Result<Sightings, Failure> {
    let Decision { group, epoch, at, .. } = &decided.decision;
    let Some(id) = group_id(connection, group)? else { return Ok(Sightings::default()) };
    let before: i64 = connection
        .prepare_cached("SELECT compared FROM decisions WHERE sequence = ?1")?
        .query_row([int(decided.sequence)], |row| row.get(0))?;
    if decided.decision.is_learned() {
        // Counted and not timed: no two clocks have to agree for what breaks the format to be seen.
        let (exchanges, last) = seen(connection, id)?;
        let last_since = last.filter(|_| exchanges > uint(before));
        return Ok(Sightings { last_since, compared_since: 0 });
    }
    let last: Option<i64> = connection
        .prepare_cached(&format!(
            "SELECT max(last_ms) FROM group_counts
             WHERE group_id = ?2 AND last_ms > ?3 AND epoch_id IN ({EPOCHS_SINCE})"
        ))?
        .query_row(params![epoch, id, int(at.0)], |row| row.get(0))?;
    Ok(Sightings {
        last_since: last.map(|last| UnixMillis(uint(last))),
        compared_since: compared_since(connection, id, epoch)?.saturating_sub(uint(before)),
    })
}

/// In how many exchanges of all epochs the group was found, and when last.
fn seen(connection: &Connection, group: i64) -> Result<(u64, Option<UnixMillis>), Failure> {
    let seen = connection
        .prepare_cached(
            "SELECT coalesce(sum(exchanges), 0), max(last_ms) FROM group_counts WHERE group_id = ?1",
        )?
        .query_row([group], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)))?;
    Ok((uint(seen.0), seen.1.map(|last| UnixMillis(uint(last)))))
}

/// Comparisons of a group's endpoint in this candidate epoch and later ones. Equal 5xx are no evidence.
fn compared_since(connection: &Connection, group: i64, epoch: &str) -> Result<u64, Failure> {
    let compared = connection
        .prepare_cached(&format!(
            "SELECT coalesce(sum(CASE t.counter WHEN 'both_failed' THEN -t.n ELSE t.n END), 0)
             FROM tallies t JOIN groups g ON g.endpoint_id = t.endpoint_id
             WHERE g.id = ?2 AND t.counter IN ('matched', 'tolerated', 'mismatched', 'both_failed')
                 AND t.epoch_id IN ({EPOCHS_SINCE})"
        ))?
        .query_row(params![epoch, group], |row| row.get(0))?;
    Ok(uint(compared))
}

fn in_force_of(connection: &Connection, group: &Fingerprint) -> Result<Option<Decided>, Failure> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, NULL, NULL FROM decisions d
         WHERE d.fingerprint = ?1 AND act NOT IN ('undo', 'split', 'join') AND {NOT_TAKEN_BACK}
         ORDER BY sequence DESC LIMIT 1"
    ))?;
    let mut rows = statement.query([group.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let entry = entry(row)?;
    Ok(entry.decision().map(|decision| Decided { sequence: entry.sequence, decision }))
}

fn newest_entry(connection: &Connection, group: &Fingerprint) -> Result<u64, Failure> {
    let newest: Option<i64> = connection
        .prepare_cached("SELECT max(sequence) FROM decisions WHERE fingerprint = ?1")?
        .query_row([group.as_str()], |row| row.get(0))?;
    Ok(newest.map_or(0, uint))
}

fn split_entry(connection: &Connection, part: &Fingerprint) -> Result<Option<u64>, Failure> {
    let found = connection
        .prepare_cached(&format!(
            "SELECT sequence FROM decisions d WHERE act = 'split' AND part = ?1 AND {NOT_TAKEN_BACK}"
        ))?
        .query_row([part.as_str()], |row| row.get(0))
        .optional()?;
    Ok(found.map(uint))
}

/// What of a line does not come from the wish.
#[derive(Default)]
struct Line {
    compared: u64,
    takes_back: Option<u64>,
    part: Option<Fingerprint>,
}

fn append(connection: &Connection, wish: &Wish, line: Line) -> Result<Entry, Failure> {
    let (owner, expires, epoch) = match &wish.act {
        Act::Decide { owner, expires, epoch, .. } => (owner.as_str(), *expires, epoch.as_str()),
        _ => ("", None, ""),
    };
    let (shape, place) = match &wish.act {
        Act::Split(predicate) => (predicate.shape(), predicate.place()),
        _ => (None, None),
    };
    connection
        .prepare_cached(
            "INSERT INTO decisions (fingerprint, act, actor, owner, reason, expires_ms, epoch, at_ms, compared,
             takes_back, part, shape, place) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            wish.group.as_str(),
            wish.act.as_str(),
            wish.actor,
            owner,
            wish.reason,
            expires.map(|at| int(at.0)),
            epoch,
            int(wish.at.0),
            int(line.compared),
            line.takes_back.map(int),
            line.part.as_ref().map(Fingerprint::as_str),
            shape,
            place
        ])?;
    let sequence = uint(connection.last_insert_rowid());
    let endpoint = connection
        .prepare_cached(
            "SELECT e.method, e.template FROM groups g JOIN endpoints e ON e.id = g.endpoint_id
             WHERE g.fingerprint = ?1",
        )?
        .query_row([wish.group.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let endpoint = endpoint.map(|(method, template)| routes::endpoint(method, template)).transpose()?;
    Ok(Entry { sequence, endpoint, wish: wish.clone(), takes_back: line.takes_back, part: line.part })
}

fn entry(row: &Row<'_>) -> Result<Entry, Failure> {
    let (group, act): (String, String) = (row.get(1)?, row.get(2)?);
    let part: Option<String> = row.get(10)?;
    let act = match act.as_str() {
        "undo" => Act::Undo,
        "join" => Act::Join,
        "split" => Act::Split(predicate(row.get(11)?, row.get(12)?)?),
        call => Act::Decide {
            call: call.parse().map_err(|_| unreadable("a decision", call))?,
            owner: row.get(4)?,
            expires: row.get::<_, Option<i64>>(6)?.map(|at| UnixMillis(uint(at))),
            epoch: row.get(7)?,
        },
    };
    let endpoint = match (row.get(13)?, row.get(14)?) {
        (Some(method), Some(template)) => Some(routes::endpoint(method, template)?),
        _ => None,
    };
    Ok(Entry {
        sequence: uint(row.get(0)?),
        endpoint,
        wish: Wish {
            group: fingerprint(&group)?,
            act,
            actor: row.get(3)?,
            reason: row.get(5)?,
            at: UnixMillis(uint(row.get(8)?)),
            expected: None,
        },
        takes_back: row.get::<_, Option<i64>>(9)?.map(uint),
        part: part.as_deref().map(fingerprint).transpose()?,
    })
}
