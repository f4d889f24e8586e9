//! One file a command. Each takes its arguments, resolved once, and returns what it has to say.

pub(crate) mod demo;
pub(crate) mod serve;
pub(crate) mod init;
pub(crate) mod routes;
pub(crate) mod plan;
pub(crate) mod promote;
pub(crate) mod rollback;
pub(crate) mod hold;
pub(crate) mod status;
pub(crate) mod divergences;
pub(crate) mod review;
pub(crate) mod report;
pub(crate) mod diff;
pub(crate) mod suite;
pub(crate) mod rules;
pub(crate) mod epoch;
pub(crate) mod certificates;
pub(crate) mod audit;
