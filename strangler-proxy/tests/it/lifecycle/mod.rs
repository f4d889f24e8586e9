//! Endpoints on their way, in a whole proxy: real servers, a real store, the admin API.

mod cohorts;
mod estate;
mod fallback;
mod unwritten;
