//! Endpoints, the audit log and the settings.

use http::Method;
use rusqlite::{Connection, OptionalExtension, Row, Rows, params};

use super::Failure;
use super::encoding::{ParameterRow, int, json, uint};
use super::trouble::unreadable;
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::lifecycle::{Declaration, Flip, Hold, Parameter, Route, Standing, Transition};
use crate::store::{Declared, StoreError};

pub(super) fn all(connection: &Connection) -> Result<Vec<Route>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT method, template, stage, hold, revision, since_ms, source, parameters, statuses
         FROM endpoints ORDER BY template, method",
    )?;
    let mut rows = statement.query(())?;
    let mut routes = Vec::new();
    while let Some(row) = rows.next()? {
        routes.push(Route {
            endpoint: endpoint(row.get(0)?, row.get(1)?)?,
            standing: standing(row, 2, 3)?,
            revision: uint(row.get(4)?),
            since: UnixMillis(uint(row.get(5)?)),
            declaration: declaration(row)?,
        });
    }
    Ok(routes)
}

pub(super) fn declare(
    connection: &Connection,
    endpoints: &[(EndpointId, Declaration)],
    at: UnixMillis,
) -> Result<Declared, Failure> {
    let mut declared = Declared::default();
    let mut known = connection.prepare_cached(
        "SELECT source, parameters, statuses FROM endpoints WHERE method = ?1 AND template = ?2",
    )?;
    let mut write = connection.prepare_cached(
        "INSERT INTO endpoints (method, template, stage, hold, revision, since_ms, source, parameters, statuses)
         VALUES (?1, ?2, 'legacy', 'none', 0, ?3, ?4, ?5, ?6)
         ON CONFLICT (template, method) DO UPDATE
         SET source = excluded.source, parameters = excluded.parameters, statuses = excluded.statuses",
    )?;
    for (endpoint, declaration) in endpoints {
        let (method, template) = (endpoint.method().as_str(), endpoint.template());
        let parameters = json(&declaration.parameters.iter().map(ParameterRow::from).collect::<Vec<_>>());
        let new = (declaration.source.clone(), parameters, json(&declaration.statuses));
        let old = known
            .query_row((method, template), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        match old {
            Some(old) if old == new => {
                declared.unchanged += 1;
                continue;
            }
            Some(_) => declared.updated.push(endpoint.clone()),
            None => declared.added.push(endpoint.clone()),
        }
        write.execute(params![method, template, int(at.0), new.0, new.1, new.2])?;
    }
    Ok(declared)
}

pub(super) fn flip(connection: &Connection, flip: &Flip) -> Result<Transition, Failure> {
    let endpoint = &flip.endpoint;
    let known = connection
        .prepare_cached(
            "SELECT id, stage, hold, revision FROM endpoints WHERE method = ?1 AND template = ?2",
        )?
        .query_row((endpoint.method().as_str(), endpoint.template()), |row| {
            Ok((row.get::<_, i64>(0)?, standing(row, 1, 2), uint(row.get(3)?)))
        })
        .optional()?;
    let Some((id, from, current)) = known else {
        return Err(StoreError::UnknownEndpoint(endpoint.clone()).into());
    };
    if current != flip.expected_revision {
        let conflict =
            StoreError::Conflict { endpoint: endpoint.clone(), expected: flip.expected_revision, current };
        return Err(conflict.into());
    }
    if !flip.to.stage.suits(endpoint.is_safe()) {
        let why = match endpoint.is_safe() {
            true => "its method is safe, it goes from `legacy` to `shadow`",
            false => "its method is unsafe and sent once, ever; it goes from `legacy` to `record`",
        };
        let stage = flip.to.stage.to_string();
        return Err(StoreError::Unsuitable { endpoint: endpoint.clone(), stage, why }.into());
    }
    let from = from?;
    let revision = current + 1;
    connection
        .prepare_cached(
            "UPDATE endpoints SET stage = ?2, hold = ?3, revision = ?4,
             since_ms = CASE WHEN stage = ?2 THEN since_ms ELSE ?5 END WHERE id = ?1",
        )?
        .execute(params![
            id,
            flip.to.stage.to_string(),
            flip.to.hold.as_str(),
            int(revision),
            int(flip.at.0)
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO transitions (endpoint_id, from_stage, from_hold, to_stage, to_hold, revision, actor, reason,
             forced, evidence, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            id,
            from.stage.to_string(),
            from.hold.as_str(),
            flip.to.stage.to_string(),
            flip.to.hold.as_str(),
            int(revision),
            flip.actor,
            flip.reason,
            flip.forced,
            flip.evidence,
            int(flip.at.0)
        ])?;
    Ok(Transition { sequence: uint(connection.last_insert_rowid()), from, revision, flip: flip.clone() })
}

const TRANSITION: &str = "
    SELECT t.sequence, t.from_stage, t.from_hold, t.to_stage, t.to_hold, t.revision, t.actor, t.reason, t.forced,
           t.evidence, t.at_ms, e.method, e.template
    FROM transitions t JOIN endpoints e ON e.id = t.endpoint_id";

pub(super) fn transitions(
    connection: &Connection,
    endpoint_asked: Option<&EndpointId>,
    limit: usize,
) -> Result<Vec<Transition>, Failure> {
    let mut statement = connection.prepare_cached(&format!(
        "{TRANSITION} WHERE ?1 IS NULL OR (e.method = ?1 AND e.template = ?2) ORDER BY t.sequence DESC LIMIT ?3"
    ))?;
    let method = endpoint_asked.map(|endpoint| endpoint.method().as_str());
    let template = endpoint_asked.map(EndpointId::template);
    read_transitions(statement.query((method, template, int(limit as u64)))?)
}

/// Those whose numbers stand in this JSON array.
pub(super) fn transitions_at(connection: &Connection, sequences: &str) -> Result<Vec<Transition>, Failure> {
    let mut statement = connection
        .prepare_cached(&format!("{TRANSITION} WHERE t.sequence IN (SELECT value FROM json_each(?1))"))?;
    read_transitions(statement.query([sequences])?)
}

fn read_transitions(mut rows: Rows<'_>) -> Result<Vec<Transition>, Failure> {
    let mut transitions = Vec::new();
    while let Some(row) = rows.next()? {
        let revision = uint(row.get(5)?);
        transitions.push(Transition {
            sequence: uint(row.get(0)?),
            from: standing(row, 1, 2)?,
            revision,
            flip: Flip {
                endpoint: endpoint(row.get(11)?, row.get(12)?)?,
                expected_revision: revision.saturating_sub(1),
                to: standing(row, 3, 4)?,
                actor: row.get(6)?,
                reason: row.get(7)?,
                forced: row.get(8)?,
                evidence: row.get(9)?,
                at: UnixMillis(uint(row.get(10)?)),
            },
        });
    }
    Ok(transitions)
}

pub(super) fn setting(connection: &Connection, name: &str) -> Result<Option<String>, Failure> {
    let mut statement = connection.prepare_cached("SELECT value FROM settings WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

pub(super) fn set_setting(connection: &Connection, name: &str, value: &str) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )?
        .execute((name, value))?;
    Ok(())
}

/// The row of an endpoint, which must be known.
pub(super) fn id(connection: &Connection, endpoint: &EndpointId) -> Result<i64, Failure> {
    connection
        .prepare_cached("SELECT id FROM endpoints WHERE method = ?1 AND template = ?2")?
        .query_row((endpoint.method().as_str(), endpoint.template()), |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::UnknownEndpoint(endpoint.clone()).into())
}

pub(super) fn endpoint(method: String, template: String) -> Result<EndpointId, Failure> {
    let known = Method::from_bytes(method.as_bytes()).map_err(|_| unreadable("a method", &method))?;
    Ok(EndpointId::new(known, template))
}

fn standing(row: &Row<'_>, stage: usize, hold: usize) -> Result<Standing, Failure> {
    let (stage, hold): (String, String) = (row.get(stage)?, row.get(hold)?);
    Ok(Standing {
        stage: stage.parse().map_err(|_| unreadable("a stage", &stage))?,
        hold: hold.parse::<Hold>().map_err(|_| unreadable("a hold", &hold))?,
    })
}

fn declaration(row: &Row<'_>) -> Result<Declaration, Failure> {
    let (parameters, statuses): (String, String) = (row.get(7)?, row.get(8)?);
    let rows: Vec<ParameterRow> =
        serde_json::from_str(&parameters).map_err(|_| unreadable("parameters", &parameters))?;
    Ok(Declaration {
        source: row.get(6)?,
        parameters: rows.into_iter().map(Parameter::from).collect(),
        statuses: serde_json::from_str(&statuses).map_err(|_| unreadable("statuses", &statuses))?,
    })
}
