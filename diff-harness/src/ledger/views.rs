//! Up to where each person has looked at the groups.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::Failure;
use super::encoding::{int, json};
use super::trouble::unreadable;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;

/// What each of these groups was like when the person looked at it last; those never looked at are left out.
pub(super) fn of(
    connection: &Connection,
    person: &str,
    groups: &[Fingerprint],
) -> Result<BTreeMap<Fingerprint, String>, Failure> {
    let names: Vec<_> = groups.iter().map(Fingerprint::as_str).collect();
    let mut statement = connection.prepare_cached(
        "SELECT fingerprint, seen_as FROM views
         WHERE person = ?1 AND fingerprint IN (SELECT value FROM json_each(?2))",
    )?;
    let mut rows = statement.query((person, json(&names)))?;
    let mut views = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        views.insert(text.parse().map_err(|_| unreadable("a group", &text))?, row.get(1)?);
    }
    Ok(views)
}

pub(super) fn keep(
    connection: &Connection,
    person: &str,
    group: &Fingerprint,
    seen_as: &str,
    at: UnixMillis,
) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO views (person, fingerprint, seen_as, at_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET seen_as = ?3, at_ms = ?4",
        )?
        .execute((person, group.as_str(), seen_as, int(at.0)))?;
    Ok(())
}
