//! Counting what the gate judges by: shapes, statuses, mismatches by their groups, negative controls.

use rusqlite::{OptionalExtension, params};

use super::Failure;
use super::encoding::{int, json};
use super::observed::{pack_spread, unpack_spread};
use super::recording::Recording;
use crate::noise::confirm::Confirmation;
use crate::store::{ComparisonRecord, NegativeControl, ShapeTally, Spread};

/// Shapes that are told apart in one endpoint and epoch; the rest is counted as one, so that a parameter with endless
/// names does not fill the store.
const SHAPES_MAX: i64 = 500;
/// Combinations of groups that are told apart among the mismatches of one endpoint and epoch.
const MISMATCHES_MAX: i64 = 2000;
pub(super) const OTHER_SHAPES: &str = "(other)";

impl Recording<'_> {
    pub(super) fn shape(&self, endpoint: i64, more: &ShapeTally) -> Result<(), Failure> {
        let find = "SELECT spread FROM shapes WHERE epoch_id = ?1 AND endpoint_id = ?2 AND shape = ?3";
        let mut find = self.connection.prepare_cached(find)?;
        let mut known = |shape: &str| -> Result<Option<Spread>, Failure> {
            let read = |row: &rusqlite::Row<'_>| Ok(unpack_spread(row.get_ref(0)?.as_blob()?));
            Ok(find.query_row(params![self.epoch, endpoint, shape], read).optional()?)
        };
        let (mut shape, mut spread) = (more.shape.as_str(), known(&more.shape)?);
        if spread.is_none() {
            let shapes: i64 = self
                .connection
                .prepare_cached("SELECT count(*) FROM shapes WHERE epoch_id = ?1 AND endpoint_id = ?2")?
                .query_row((self.epoch, endpoint), |row| row.get(0))?;
            if shapes >= SHAPES_MAX {
                (shape, spread) = (OTHER_SHAPES, known(OTHER_SHAPES)?);
            }
        }
        let mut spread = spread.unwrap_or_default();
        spread.merge(&more.spread);
        self.connection
            .prepare_cached(
                "INSERT INTO shapes (epoch_id, endpoint_id, shape, compared, mismatched, both_failed, racing, spread)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT DO UPDATE SET compared = compared + ?4, mismatched = mismatched + ?5,
                     both_failed = both_failed + ?6, racing = racing + ?7, spread = ?8",
            )?
            .execute(params![
                self.epoch,
                endpoint,
                shape,
                int(more.compared),
                int(more.mismatched),
                int(more.both_failed),
                int(more.racing),
                pack_spread(&spread)
            ])?;
        Ok(())
    }

    pub(super) fn status(&self, endpoint: i64, status: Option<u16>, n: u64) -> Result<(), Failure> {
        let Some(status) = status else { return Ok(()) };
        self.connection
            .prepare_cached(
                "INSERT INTO statuses (epoch_id, endpoint_id, status, n) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET n = n + ?4",
            )?
            .execute(params![self.epoch, endpoint, status, int(n)])?;
        Ok(())
    }

    /// Counts a mismatch by its groups: what was decided on each of them says later whether it counts.
    pub(super) fn mismatch(
        &self,
        endpoint: i64,
        record: &ComparisonRecord,
        groups: &[i64],
    ) -> Result<(), Failure> {
        let all: i64 = self
            .connection
            .prepare_cached("SELECT count(*) FROM mismatches WHERE epoch_id = ?1 AND endpoint_id = ?2")?
            .query_row((self.epoch, endpoint), |row| row.get(0))?;
        let (shape, groups) = if all < MISMATCHES_MAX {
            let groups: Vec<_> = groups.iter().map(i64::to_string).collect();
            (record.shape.as_str(), groups.join(","))
        } else {
            (OTHER_SHAPES, String::new())
        };
        let confirmed = i64::from(record.confirmation == Some(Confirmation::Confirmed));
        self.connection
            .prepare_cached(
                "INSERT INTO mismatches (epoch_id, endpoint_id, shape, groups, n, confirmed)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5)
                 ON CONFLICT DO UPDATE SET n = n + 1, confirmed = confirmed + ?5",
            )?
            .execute(params![self.epoch, endpoint, shape, groups, confirmed])?;
        Ok(())
    }

    pub(super) fn negative_control(&self, endpoint: i64, trial: &NegativeControl) -> Result<(), Failure> {
        let found = trial.found.map(|at| int(at.0));
        self.connection
            .prepare_cached(
                "INSERT INTO negative_controls (epoch_id, endpoint_id, tried_ms, found_ms, missed)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET tried_ms = ?3, found_ms = coalesce(?4, found_ms), missed = ?5",
            )?
            .execute(params![self.epoch, endpoint, int(trial.tried.0), found, json(&trial.missed)])?;
        Ok(())
    }
}
