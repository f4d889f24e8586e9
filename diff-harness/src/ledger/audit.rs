//! The log of all that was done: transitions, decisions, changes and the epochs that began, merged by time.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::encoding::{int, json, uint};
use super::trouble::unreadable;
use super::{Failure, counts, routes, triage};
use crate::audit::{AuditListing, Audited, Change, ChangeKind, Deed, Of};
use crate::exchange::UnixMillis;
use crate::store::EpochSpan;

/// One of the logs that the audit is merged from.
struct Log {
    /// Tells its lines from those of the others.
    number: i64,
    from: &'static str,
    place: &'static str,
    at: &'static str,
    /// What a search looks through.
    words: &'static str,
    only: &'static str,
}

const MOVES: Log = Log {
    number: 0,
    from: "transitions t JOIN endpoints e ON e.id = t.endpoint_id",
    place: "t.sequence",
    at: "t.at_ms",
    words: "e.method || ' ' || e.template || ' ' || t.actor || ' ' || t.reason || ' ' || t.to_stage || ' ' || t.to_hold",
    only: "true",
};
const DECISIONS: Log = Log {
    number: 1,
    from: "decisions d LEFT JOIN groups g ON g.fingerprint = d.fingerprint LEFT JOIN endpoints e ON e.id = g.endpoint_id",
    place: "d.sequence",
    at: "d.at_ms",
    words: "coalesce(e.method || ' ' || e.template, '') || ' ' || d.fingerprint || ' ' || d.act || ' ' || d.actor || ' '
            || d.owner || ' ' || d.reason",
    only: "true",
};
const CHANGES: Log = Log {
    number: 2,
    from: "changes c",
    place: "c.sequence",
    at: "c.at_ms",
    words: "c.kind || ' ' || c.actor || ' ' || c.what",
    only: "true",
};
const EPOCHS: Log = Log {
    number: 3,
    from: "epochs p",
    place: "p.id",
    at: "p.first_ms",
    words: "'epoch ' || p.candidate || ' ' || p.control || ' ' || p.rules",
    only: "true",
};

pub(super) fn note(connection: &Connection, change: &Change) -> Result<(), Failure> {
    connection
        .prepare_cached("INSERT INTO changes (kind, actor, what, at_ms) VALUES (?1, ?2, ?3, ?4)")?
        .execute((change.kind.as_str(), &change.actor, &change.what, int(change.at.0)))?;
    Ok(())
}

pub(super) fn list(connection: &Connection, listing: &AuditListing<'_>) -> Result<Audited, Failure> {
    let mut values: Vec<Value> =
        listing.search.words().map(|word| Value::Text(word.to_ascii_lowercase())).collect();
    let logs = logs(listing.of);
    let arm = |columns: &str, log: &Log| {
        let mut sql = format!("SELECT {columns} FROM {} WHERE {}", log.from, log.only);
        for at in 1..=values.len() {
            sql.push_str(&format!(" AND instr(lower({}), ?{at}) > 0", log.words));
        }
        sql
    };
    let mut found = 0;
    for log in &logs {
        let n: i64 = connection
            .prepare_cached(&arm("count(*)", log))?
            .query_row(params_from_iter(&values), |row| row.get(0))?;
        found += uint(n);
    }
    let arms: Vec<_> = logs
        .iter()
        .map(|log| {
            let columns = format!("{} AS log, {} AS place, {} AS at_ms", log.number, log.place, log.at);
            arm(&columns, log)
        })
        .collect();
    let (limit, offset) = (values.len() + 1, values.len() + 2);
    let sql = format!(
        "{} ORDER BY at_ms DESC, log, place DESC LIMIT ?{limit} OFFSET ?{offset}",
        arms.join(" UNION ALL ")
    );
    values.push(Value::Integer(int(listing.limit as u64)));
    values.push(Value::Integer(int(listing.offset as u64)));
    let mut statement = connection.prepare_cached(&sql)?;
    let places: Vec<(i64, i64)> = statement
        .query_map(params_from_iter(&values), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(Audited { deeds: read(connection, &places)?, found })
}

fn logs(of: Of) -> Vec<Log> {
    match of {
        Of::All => vec![MOVES, DECISIONS, CHANGES, EPOCHS],
        Of::Moves => vec![MOVES],
        Of::Decisions => vec![DECISIONS],
        Of::Waivers => vec![Log { only: "d.act IN ('expected', 'noise')", ..DECISIONS }],
        // An epoch says by its rules that they are others; who changed them stands in the changes.
        Of::Rules => vec![Log { only: "c.kind = 'rules'", ..CHANGES }],
        Of::Epochs => vec![Log { only: "c.kind = 'epoch'", ..CHANGES }, EPOCHS],
        Of::Matrices => vec![Log { only: "c.kind = 'matrix'", ..CHANGES }],
        Of::Certificates => vec![Log { only: "c.kind = 'certificates'", ..CHANGES }],
    }
}

/// The lines at these places, in their order.
fn read(connection: &Connection, places: &[(i64, i64)]) -> Result<Vec<Deed>, Failure> {
    let of = |log: &Log| -> String {
        let wanted: Vec<_> =
            places.iter().filter(|(number, _)| *number == log.number).map(|(_, place)| place).collect();
        json(&wanted)
    };
    let mut moves = routes::transitions_at(connection, &of(&MOVES))?.into_iter();
    let mut decisions = triage::log_at(connection, &of(&DECISIONS))?.into_iter();
    let mut changes = changes_at(connection, &of(&CHANGES))?;
    let mut epochs = epochs_at(connection, &of(&EPOCHS))?;
    let mut moves: Vec<_> = moves.by_ref().map(|moved| (int(moved.sequence), moved)).collect();
    let mut decisions: Vec<_> = decisions.by_ref().map(|entry| (int(entry.sequence), entry)).collect();
    let deed = |(log, place): &(i64, i64)| match *log {
        0 => take(&mut moves, *place).map(Deed::Moved),
        1 => take(&mut decisions, *place).map(Deed::Decided),
        2 => take(&mut changes, *place).map(Deed::Changed),
        _ => take(&mut epochs, *place).map(Deed::Began),
    };
    Ok(places.iter().filter_map(deed).collect())
}

fn take<T>(lines: &mut Vec<(i64, T)>, place: i64) -> Option<T> {
    let at = lines.iter().position(|(known, _)| *known == place)?;
    Some(lines.swap_remove(at).1)
}

fn changes_at(connection: &Connection, places: &str) -> Result<Vec<(i64, Change)>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence, kind, actor, what, at_ms FROM changes WHERE sequence IN (SELECT value FROM json_each(?1))",
    )?;
    let mut rows = statement.query([places])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(1)?;
        let kind = ChangeKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| unreadable("a change", &kind))?;
        let at = UnixMillis(uint(row.get(4)?));
        changes.push((row.get(0)?, Change { kind, actor: row.get(2)?, what: row.get(3)?, at }));
    }
    Ok(changes)
}

fn epochs_at(connection: &Connection, places: &str) -> Result<Vec<(i64, EpochSpan)>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT candidate, control, rules, first_ms, last_ms, id FROM epochs
         WHERE id IN (SELECT value FROM json_each(?1))",
    )?;
    let rows = statement.query_map([places], |row| Ok((row.get(5)?, counts::epoch_span(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::fill;
    use crate::search::Search;
    use crate::store::Store;
    use crate::triage::{Act, Call, Wish};

    fn change(kind: ChangeKind, what: &str, at: u64) -> Change {
        Change { kind, actor: "ann".to_owned(), what: what.to_owned(), at: UnixMillis(at) }
    }

    #[test]
    fn everything_that_was_done_stands_in_one_log_by_time() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = fill(dir.path());
        let list = |of: Of, typed: &str, offset: usize, limit: usize| {
            ledger.audit(&AuditListing { of, search: &Search::new(typed), offset, limit }).unwrap()
        };
        let before = list(Of::All, "", 0, 1_000);
        assert!(before.deeds.iter().any(|deed| matches!(deed, Deed::Moved(_))));
        let far = u64::from(u32::MAX) * 1_000;
        ledger.note(&change(ChangeKind::Rules, "rules r1 became r2", far)).unwrap();
        ledger.note(&change(ChangeKind::Epoch, "candidate c1 became c2", far + 2)).unwrap();
        let group = ledger
            .groups(&crate::store::GroupFilter {
                endpoint: None,
                epoch: crate::store::EpochFilter::All,
                least_severity: None,
                limit: 1,
            })
            .unwrap()
            .remove(0);
        let wish = Wish {
            group: group.fingerprint.clone(),
            act: Act::Decide { call: Call::Bug, owner: String::new(), expires: None, epoch: "c1".to_owned() },
            actor: "bob".to_owned(),
            reason: "it leaks".to_owned(),
            at: UnixMillis(far + 1),
            expected: None,
        };
        ledger.decide(&wish).unwrap();

        let all = list(Of::All, "", 0, 1_000);
        assert_eq!(all.found, before.found + 3);
        assert_eq!(all.deeds.len() as u64, all.found);
        assert!(matches!(&all.deeds[0], Deed::Changed(change) if change.kind == ChangeKind::Epoch));
        assert!(matches!(&all.deeds[1], Deed::Decided(entry) if entry.wish.actor == "bob"));
        assert!(matches!(&all.deeds[2], Deed::Changed(change) if change.what == "rules r1 became r2"));
        let mut paged = Vec::new();
        for offset in 0..all.deeds.len() {
            paged.extend(list(Of::All, "", offset, 1).deeds);
        }
        assert_eq!(paged, all.deeds);

        assert_eq!(list(Of::Rules, "", 0, 9).found, 1);
        assert_eq!(list(Of::Matrices, "", 0, 9).found, 0);
        assert_eq!(list(Of::Waivers, "", 0, 9).found, 0);
        assert_eq!(list(Of::Decisions, "", 0, 9).deeds, all.deeds[1..2]);
        assert_eq!(list(Of::All, "BOB leaks", 0, 9).deeds, all.deeds[1..2]);
        assert_eq!(list(Of::All, "\" OR 1=1 --", 0, 9).found, 0);
    }

    #[test]
    fn what_was_done_cannot_be_undone_in_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = fill(dir.path());
        ledger.note(&change(ChangeKind::Rules, "rules r1 became r2", 1)).unwrap();
        for sql in ["DELETE FROM changes", "UPDATE changes SET actor = 'eve'"] {
            let refused = ledger.write(|connection| Ok(connection.execute(sql, ())?));
            assert!(refused.is_err(), "{sql}");
        }
    }
}
