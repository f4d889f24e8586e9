//! Endpoints on their way, in a whole proxy: real servers, a real store, the admin API.

mod again;
mod cohorts;
mod estate;
mod exposure;
mod fallback;
mod read_back;
mod record;
mod rejected;
mod unwritten;
mod upstreams;
mod verify;
mod verify_first;
