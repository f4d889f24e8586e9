//! Who did what, why, on what evidence.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use diff_harness::pages::{Audit, AuditRow, Here, Paging, link};
use http::{StatusCode, Uri};
use serde::Deserialize;

use super::guard::{Guest, query};
use super::reply::{Page, html};
use super::site::{Site, page};

const ROWS: usize = 50;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    page: usize,
}

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Extension(guest): Extension<Guest>,
    uri: Uri,
) -> Page {
    let asked: Asked = query(&uri)?;
    page(site, guest, move |site, guest| {
        // One more than is shown says whether there are more.
        let first = asked.page.saturating_mul(ROWS);
        let newest = site.api.control.transitions(None, first.saturating_add(ROWS))?;
        let found = newest.first().map_or(0, |newest| newest.sequence);
        let rows = newest.iter().skip(first).map(AuditRow::from).collect();
        let to = |page: usize| link("/audit", &[("page", &page.to_string())]);
        let view = Audit {
            frame: site.frame(guest, "Audit", Here::Audit),
            rows,
            paging: Paging::new(asked.page, ROWS, found, to),
        };
        Ok(html(StatusCode::OK, &view))
    })
    .await
}
