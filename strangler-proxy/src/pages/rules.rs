//! What hides divergences, and the traffic that nobody declared.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use diff_harness::pages::{Here, Links, NearbyTraffic, RuleRow, RulesPage, WaiverRow};
use diff_harness::report::{rules, waivers};
use diff_harness::store::EpochFilter;
use http::StatusCode;

use super::guard::Guest;
use super::reply::{Page, html};
use super::site::{Site, page};

const UNDECLARED_MAX: usize = 100;

pub(super) async fn show(State(site): State<Arc<Site>>, Extension(guest): Extension<Guest>) -> Page {
    page(site, guest, move |site, guest| {
        let api = &site.api;
        api.flush();
        let current = api.recorder.epochs().current();
        let epoch = EpochFilter::Only(&current);
        let compared = api.store.tallies(epoch)?.iter().map(|(_, tally)| tally.compared()).sum();
        let declared = (api.effects.rules)();
        let known = api.control.routes();
        // What was declared since is not undeclared any more.
        let undeclared = api.store.undeclared(UNDECLARED_MAX)?.into_iter();
        let undeclared =
            undeclared.filter(|found| !known.iter().any(|route| route.endpoint == found.proposed));
        let rules = rules(api.store.as_ref(), epoch, &declared, compared)?;
        let waivers = waivers(api.store.as_ref(), epoch, api.control.now())?;
        let waiver = |waiver| WaiverRow::new(waiver, Links::Live, waiver.endpoint.is_some());
        let view = RulesPage {
            frame: site.frame(guest, "Rules", Here::Rules),
            rules: rules.iter().map(RuleRow::from).collect(),
            waivers: waivers.iter().map(waiver).collect(),
            undeclared: undeclared.map(NearbyTraffic::from).collect(),
        };
        Ok(html(StatusCode::OK, &view))
    })
    .await
}
