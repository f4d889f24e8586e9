//! `diff_harness::suite`.

mod server;
mod sides;
mod reads;
mod writes;
mod bad_servers;
mod personas;
mod resume;
mod formats;
mod pages;
