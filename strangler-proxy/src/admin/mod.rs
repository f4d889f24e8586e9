//! The JSON API that the command line speaks, metrics and health.
