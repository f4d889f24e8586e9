//! Who may do what on each side.

use diff_harness::pages::{Here, MatrixPage, ago, moment};
use diff_harness::suite::matrix::Matrix;
use diff_harness::suite::published::Published;
use http::StatusCode;
use serde::Deserialize;

use super::reply::{Page, html};
use super::site::Site;
use super::visit::Visit;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    page: usize,
}

pub(super) async fn show(visit: Visit<Asked>) -> Page {
    visit
        .page(|site, guest, asked| {
            let frame = site.frame(guest, "Matrix", Here::Matrix);
            let view = match Published::last(site.api.store.as_ref())? {
                None => MatrixPage::new(frame, &Matrix::default(), Vec::new(), None),
                Some(last) => {
                    let mut source = vec![format!("suite {}", last.suite)];
                    source.push(match last.revision.as_str() {
                        "" => "no revision was named".to_owned(),
                        revision => format!("revision {revision}"),
                    });
                    let age = ago(last.at(), site.api.control.now());
                    source.push(format!("published {age} by {}, {}", last.actor, moment(last.at())));
                    let is_old = deployed_since(site, &last)?;
                    MatrixPage { is_old, ..MatrixPage::new(frame, &last.matrix(), source, Some(asked.page)) }
                }
            };
            Ok(html(StatusCode::OK, &view))
        })
        .await
}

/// Whether the first comparison with the current candidate came after it was published.
fn deployed_since(site: &Site, published: &Published) -> Result<bool, diff_harness::store::StoreError> {
    let current = site.api.recorder.epochs().current();
    let epochs = site.api.store.epochs()?;
    let first =
        epochs.iter().filter(|span| span.epoch.candidate == current.candidate).map(|span| span.first).min();
    Ok(first.is_some_and(|first| first > published.at()))
}
