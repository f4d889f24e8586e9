//! What was learned to differ between control and control.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::encoding::{int, json, kind, uint};
use super::trouble::unreadable;
use super::{Failure, routes};
use crate::endpoint::EndpointId;
use crate::noise::book::{EndpointNoise, Learned, Place};
use crate::rules::Format;

/// Puts what is known of one endpoint in the place of what was known before.
pub(super) fn keep(
    connection: &Connection,
    control: &str,
    endpoint: i64,
    noise: &EndpointNoise,
) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO noise_asked (control, endpoint_id, asked_twice) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET asked_twice = ?3",
        )?
        .execute(params![control, endpoint, int(noise.asked_twice)])?;
    let mut write = connection.prepare_cached(
        "INSERT INTO noise (control, endpoint_id, location, kind, sightings, formats, hidden, refused)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET sightings = ?5, formats = ?6, hidden = ?7, refused = ?8",
    )?;
    for (place, learned) in &noise.places {
        let formats: Vec<_> = learned.formats.iter().map(|format| format.as_str()).collect();
        write.execute(params![
            control,
            endpoint,
            place.location,
            place.kind.as_str(),
            int(learned.sightings),
            json(&formats),
            int(learned.hidden),
            int(learned.refused)
        ])?;
    }
    Ok(())
}

pub(super) fn all(
    connection: &Connection,
    control: &str,
) -> Result<Vec<(EndpointId, EndpointNoise)>, Failure> {
    let snapshot = connection.unchecked_transaction()?;
    let mut endpoints: BTreeMap<EndpointId, EndpointNoise> = BTreeMap::new();
    let mut asked = snapshot.prepare_cached(
        "SELECT e.method, e.template, a.asked_twice FROM noise_asked a JOIN endpoints e ON e.id = a.endpoint_id
         WHERE a.control = ?1",
    )?;
    let mut rows = asked.query([control])?;
    while let Some(row) = rows.next()? {
        let endpoint = routes::endpoint(row.get(0)?, row.get(1)?)?;
        endpoints.entry(endpoint).or_default().asked_twice = uint(row.get(2)?);
    }
    let mut places = snapshot.prepare_cached(
        "SELECT e.method, e.template, n.location, n.kind, n.sightings, n.formats, n.hidden, n.refused
         FROM noise n JOIN endpoints e ON e.id = n.endpoint_id WHERE n.control = ?1",
    )?;
    let mut rows = places.query([control])?;
    while let Some(row) = rows.next()? {
        let (kind_text, formats): (String, String) = (row.get(3)?, row.get(5)?);
        let place = Place {
            location: row.get(2)?,
            kind: kind(&kind_text).ok_or_else(|| unreadable("a kind", &kind_text))?,
        };
        let learned = Learned {
            sightings: uint(row.get(4)?),
            formats: read_formats(&formats).ok_or_else(|| unreadable("formats", &formats))?,
            hidden: uint(row.get(6)?),
            refused: uint(row.get(7)?),
        };
        let endpoint = routes::endpoint(row.get(0)?, row.get(1)?)?;
        endpoints.entry(endpoint).or_default().places.insert(place, learned);
    }
    Ok(endpoints.into_iter().collect())
}

fn read_formats(text: &str) -> Option<Vec<Format>> {
    let names: Vec<String> = serde_json::from_str(text).ok()?;
    let known = |name: &String| Format::ALL.into_iter().find(|format| format.as_str() == name);
    names.iter().map(known).collect()
}
