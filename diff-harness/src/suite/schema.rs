//! The published schemas, as they are in this program.

/// Of a suite file, for editors.
pub const SUITE: &str = include_str!("../../schemas/suite.schema.json");

/// Of the JSON report of a run.
pub const RUN: &str = include_str!("../../schemas/suite-run.schema.json");
