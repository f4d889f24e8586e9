//! Who may do what on each side.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use diff_harness::exchange::UnixMillis;
use diff_harness::pages::{Here, MatrixPage, moment};
use diff_harness::suite::matrix::Matrix;
use http::StatusCode;

use super::guard::Guest;
use super::reply::{Page, html};
use super::site::{Site, page};
use crate::admin::last_matrix;

pub(super) async fn show(State(site): State<Arc<Site>>, Extension(guest): Extension<Guest>) -> Page {
    page(site, guest, move |site, guest| {
        let frame = site.frame(guest, "Matrix", Here::Matrix);
        let view = match last_matrix(site.api.store.as_ref())? {
            None => MatrixPage::new(frame, &Matrix::default(), String::new()),
            Some(last) => {
                let at = moment(UnixMillis(last.at_ms));
                let source = format!("suite {}, handed in by {} at {at}", last.suite, last.actor);
                MatrixPage::new(frame, &last.matrix(), source)
            }
        };
        Ok(html(StatusCode::OK, &view))
    })
    .await
}
