//! Who did what, why, on what evidence.

use diff_harness::audit::{AuditListing, Of};
use diff_harness::pages::{Audit, AuditRow, Choice, Here, Links, Paging, link};
use diff_harness::search::Search;
use http::StatusCode;
use serde::Deserialize;

use super::reply::{Page, html, wrong};
use super::visit::Visit;

const ROWS: usize = 50;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    search: String,
    #[serde(default)]
    of: String,
    #[serde(default)]
    page: usize,
}

pub(super) async fn show(visit: Visit<Asked>) -> Page {
    visit
        .page(|site, guest, asked| {
            let of = Of::ALL
                .into_iter()
                .find(|of| of.as_str() == asked.of)
                .ok_or_else(|| wrong(format!("`{}` is not what the audit can be of", asked.of)))?;
            let search = Search::new(&asked.search);
            let offset = asked.page.saturating_mul(ROWS);
            let audited = site.api.store.audit(&AuditListing { of, search: &search, offset, limit: ROWS })?;
            let typed = search.to_string();
            let to = |page: usize| {
                link("/audit", &[("search", typed.as_str()), ("of", &asked.of), ("page", &page.to_string())])
            };
            let view = Audit {
                frame: site.frame(guest, "Audit", Here::Audit),
                of: Choice::of(&Of::ALL.map(|of| (of.as_str(), name(of))), &asked.of),
                rows: audited.deeds.iter().map(|deed| AuditRow::new(deed, Links::Live)).collect(),
                paging: Paging::new(asked.page, ROWS, audited.found, to),
                search: typed,
            };
            Ok(html(StatusCode::OK, &view))
        })
        .await
}

fn name(of: Of) -> &'static str {
    match of {
        Of::All => "everything",
        Of::Moves => "moves and holds",
        Of::Decisions => "decisions",
        Of::Waivers => "waivers",
        Of::Rules => "rules",
        Of::Epochs => "epochs",
        Of::Matrices => "matrices",
        Of::Certificates => "certificates",
    }
}
