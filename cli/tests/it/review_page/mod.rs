//! The review page, as people see it: in a real browser, and as somebody attacks it.

mod browser;
mod gallery;
mod pages;
mod safety;
mod roles;
mod journeys;
mod looks;
