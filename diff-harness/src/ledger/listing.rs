//! Groups of one epoch, a page at a time: what a list that a person walks through is made of.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::encoding::{int, json, uint};
use super::trouble::unreadable;
use super::{Failure, counts, groups, routes, severity_rank, triage};
use crate::divergence::Severity;
use crate::endpoint::EndpointId;
use crate::fingerprint::Fingerprint;
use crate::store::{Among, Epoch, EpochFilter, GroupListing, Listed, Neighbours};

const ORDER: &str = "c.severity DESC, c.count DESC, c.group_id";

/// The conditions of a listing, and what they compare with.
struct Wanted {
    joins: &'static str,
    sql: String,
    values: Vec<Value>,
}

pub(super) fn list(connection: &Connection, listing: &GroupListing<'_>) -> Result<Listed, Failure> {
    let Wanted { joins, sql, mut values } = wanted(connection, listing)?;
    let found = connection
        .prepare_cached(&format!("SELECT count(*) FROM group_counts c {joins} WHERE {sql}"))?
        .query_row(params_from_iter(&values), |row| row.get(0))?;
    let (limit, offset) = (values.len() + 1, values.len() + 2);
    values.push(Value::Integer(int(listing.limit as u64)));
    values.push(Value::Integer(int(listing.offset as u64)));
    // The page is found first, along an index, and only its rows are read whole.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT g.fingerprint, e.method, e.template, g.kind, g.severity, g.location, g.detail,
                c.count, c.exchanges, c.first_ms, c.last_ms, c.example
         FROM (SELECT c.group_id, c.epoch_id FROM group_counts c {joins} WHERE {sql}
               ORDER BY {ORDER} LIMIT ?{limit} OFFSET ?{offset}) page
         JOIN group_counts c ON c.group_id = page.group_id AND c.epoch_id = page.epoch_id
         JOIN groups g ON g.id = c.group_id JOIN endpoints e ON e.id = g.endpoint_id
         ORDER BY {ORDER}"
    ))?;
    let mut rows = statement.query(params_from_iter(&values))?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        listed.push(groups::read(row)?);
    }
    Ok(Listed { groups: triage::triaged(connection, listed)?, found: uint(found) })
}

/// The groups before and after this one in a listing, whose page does not matter.
pub(super) fn neighbours(
    connection: &Connection,
    listing: &GroupListing<'_>,
    of: &Fingerprint,
) -> Result<Neighbours, Failure> {
    let Wanted { joins, sql, values } = wanted(connection, listing)?;
    let place: Option<(i64, i64, i64)> = connection
        .prepare_cached(
            "SELECT c.severity, c.count, c.group_id FROM groups g JOIN group_counts c ON c.group_id = g.id
             WHERE g.fingerprint = ?1 AND c.epoch_id = ?2",
        )?
        .query_row((of.as_str(), &values[0]), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((severity, count, group)) = place else { return Ok(Neighbours::default()) };
    let n = values.len();
    let one = |beyond: &str, order: &str| -> Result<Option<Fingerprint>, Failure> {
        let (s, c, g) = (n + 1, n + 2, n + 3);
        let beyond = beyond
            .replace("?s", &format!("?{s}"))
            .replace("?c", &format!("?{c}"))
            .replace("?g", &format!("?{g}"));
        let mut values = values.clone();
        values.extend([severity, count, group].map(Value::Integer));
        let found: Option<String> = connection
            .prepare_cached(&format!(
                "SELECT (SELECT fingerprint FROM groups WHERE id = c.group_id) FROM group_counts c {joins}
                 WHERE {sql} AND {beyond} ORDER BY {order} LIMIT 1"
            ))?
            .query_row(params_from_iter(&values), |row| row.get(0))
            .optional()?;
        found.map(|text| text.parse().map_err(|_| unreadable("a group", &text).into())).transpose()
    };
    Ok(Neighbours {
        before: one(
            "c.severity >= ?s AND (c.severity > ?s OR c.count > ?c OR (c.count = ?c AND c.group_id < ?g))",
            "c.severity, c.count, c.group_id DESC",
        )?,
        after: one(
            "c.severity <= ?s AND (c.severity < ?s OR c.count < ?c OR (c.count = ?c AND c.group_id > ?g))",
            ORDER,
        )?,
    })
}

/// How many groups of each endpoint and severity there are, beside those that do not count.
pub(super) fn sums(
    connection: &Connection,
    epoch: &Epoch,
    except: &[Fingerprint],
) -> Result<Vec<(EndpointId, Severity, u64)>, Failure> {
    let epoch = counts::epoch_filter(connection, EpochFilter::Only(epoch))?;
    let mut statement = connection.prepare_cached(
        "SELECT e.method, e.template, s.severity, s.n FROM
            (SELECT endpoint_id, severity, count(*) AS n FROM group_counts
             WHERE epoch_id = ?1 AND (?2 IS NULL OR group_id NOT IN
                (SELECT g.id FROM groups g WHERE g.fingerprint IN (SELECT value FROM json_each(?2))))
             GROUP BY endpoint_id, severity) s
         JOIN endpoints e ON e.id = s.endpoint_id",
    )?;
    let except = (!except.is_empty()).then(|| names(except));
    let mut rows = statement.query((epoch, except))?;
    let mut sums = Vec::new();
    while let Some(row) = rows.next()? {
        let severity = usize::try_from(row.get::<_, i64>(2)?)
            .ok()
            .and_then(|rank| Severity::ALL.get(rank).copied())
            .ok_or_else(|| unreadable("a severity", "of a group"))?;
        sums.push((routes::endpoint(row.get(0)?, row.get(1)?)?, severity, uint(row.get(3)?)));
    }
    Ok(sums)
}

fn wanted(connection: &Connection, listing: &GroupListing<'_>) -> Result<Wanted, Failure> {
    let epoch = counts::epoch_filter(connection, EpochFilter::Only(listing.epoch))?;
    let mut wanted = Wanted {
        joins: "",
        sql: "c.epoch_id = ?1".to_owned(),
        values: vec![epoch.map_or(Value::Null, Value::Integer)],
    };
    if let Some(endpoint) = listing.endpoint {
        wanted.and("c.endpoint_id = ?", Value::Integer(routes::id(connection, endpoint)?));
    }
    if let Some(severity) = listing.severity {
        wanted.and("c.severity = ?", Value::Integer(severity_rank(severity)));
    }
    match listing.among {
        Among::All | Among::Except([]) => {}
        Among::Only(groups) => wanted.and(
            "c.group_id IN (SELECT id FROM groups WHERE fingerprint IN (SELECT value FROM json_each(?)))",
            Value::Text(names(groups)),
        ),
        Among::Except(groups) => wanted.and(
            "c.group_id NOT IN (SELECT id FROM groups WHERE fingerprint IN (SELECT value FROM json_each(?)))",
            Value::Text(names(groups)),
        ),
    }
    for word in listing.search.split_whitespace() {
        wanted.joins = "JOIN groups g ON g.id = c.group_id JOIN endpoints e ON e.id = g.endpoint_id";
        wanted.and(
            "instr(lower(e.method || ' ' || e.template || ' ' || g.kind || ' ' || g.location || ' ' || g.fingerprint), ?) > 0",
            Value::Text(word.to_lowercase()),
        );
    }
    Ok(wanted)
}

impl Wanted {
    /// `?` stands for the value.
    fn and(&mut self, sql: &str, value: Value) {
        self.values.push(value);
        self.sql.push_str(" AND ");
        self.sql.push_str(&sql.replace('?', &format!("?{}", self.values.len())));
    }
}

fn names(groups: &[Fingerprint]) -> String {
    json(&groups.iter().map(Fingerprint::as_str).collect::<Vec<_>>())
}
