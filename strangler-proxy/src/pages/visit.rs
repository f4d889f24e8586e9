//! A page that is asked for: by whom, and what of it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::guard::{Guest, query};
use super::reply::{Failed, Page};
use super::site::{Site, page};

/// Who asks for a page, with what its address says.
pub(super) struct Visit<T> {
    site: Arc<Site>,
    guest: Guest,
    asked: T,
}

impl<T: Send + 'static> Visit<T> {
    /// Makes the page, away from the thread that takes connections.
    pub(super) async fn page(self, work: impl FnOnce(&Site, &Guest, T) -> Page + Send + 'static) -> Page {
        let Self { site, guest, asked } = self;
        page(site, guest, move |site, guest| work(site, guest, asked)).await
    }
}

impl<T: DeserializeOwned> FromRequestParts<Arc<Site>> for Visit<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Failed> {
        let guest = parts.extensions.get::<Guest>().cloned().expect("who comes here was admitted");
        Ok(Self { site: Arc::clone(site), guest, asked: query(&parts.uri)? })
    }
}
