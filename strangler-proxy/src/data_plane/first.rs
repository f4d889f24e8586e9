//! The dry run of a write before control carries it out, where that is declared: the one thing that a client waits for
//! besides the side that answers it. Control gets the request as it came, whatever becomes of the dry run.

use diff_harness::comparison::{Disposition, DropReason, SkipReason};
use http::header::EXPECT;

use super::exchange::{Client, Exchange, now};
use super::outgoing::Outgoing;
use super::refusal::Refusal;
use super::request_body::RequestBody;
use super::watch::Waiting;
use super::witness::DryRun;
use crate::routes::decide::Witness;
use crate::shadow::DryRunRequest;

impl Client {
    /// Whether the candidate is to be asked for a dry run before control is.
    pub(super) fn goes_first(&self, exchange: &Exchange) -> bool {
        exchange.witnessed.as_ref().is_some_and(|witnessed| witnessed.witness == Witness::Verify)
            && self.worker.config.dry_run.is_some()
            && self.worker.outlets.shadow.goes_first()
    }

    /// Reads the request, has the candidate say what it would do, and waits for that, within the limits of
    /// [`FirstConfig`](crate::shadow::FirstConfig). From then on the request has its account elsewhere, or its end.
    ///
    /// # Errors
    /// When the client did not send its request to the end: then nobody is asked.
    pub(super) async fn dry_run_first(
        &self,
        outgoing: &mut Outgoing,
        exchange: &mut Exchange,
    ) -> Result<(), Refusal> {
        let dry_run = match self.ask_dry_run(outgoing, exchange).await? {
            Ok(dry_run) => dry_run,
            Err(disposition) => {
                exchange.account.end(disposition);
                DryRun::Ended
            }
        };
        if let Some(witnessed) = &mut exchange.witnessed {
            witnessed.dry_run = dry_run;
        }
        Ok(())
    }

    /// How it ended, or why there is none.
    async fn ask_dry_run(
        &self,
        outgoing: &mut Outgoing,
        exchange: &mut Exchange,
    ) -> Result<Result<DryRun, Disposition>, Refusal> {
        let skipped = |reason| Ok(Err(Disposition::Skipped(reason)));
        if self.worker.is_loaded() {
            return Ok(Err(Disposition::Dropped(DropReason::Overload)));
        }
        let (Some(mark), Some(route), Some(witnessed), Outgoing::OneShot(request)) =
            (&self.worker.config.dry_run, &exchange.route, &exchange.witnessed, outgoing)
        else {
            return skipped(SkipReason::UnsafeMethod);
        };
        let request = request.request_mut();
        // Control is to say whether it wants the body, or another protocol, before anybody reads one.
        if request.headers().contains_key(EXPECT) || exchange.wishes.upgrade.is_some() {
            return skipped(SkipReason::UnsafeMethod);
        }
        if let RequestBody::Streamed(body) = request.body_mut() {
            let limit = self.worker.config.limits.replay_bytes_max;
            let read = self.unless_expired(body.read_whole(limit)).await?;
            if !read.map_err(|error| error.refusal())? {
                return skipped(SkipReason::RequestTooLarge);
            }
        }
        let (request, held) = match witnessed.request(exchange.id.clone(), now(), route.clone()) {
            Ok(request) => request,
            Err(reason) => return skipped(reason),
        };
        self.watch.wait_for(Waiting::Proxy);
        let ahead = match self.worker.outlets.shadow.submit_first(DryRunRequest::new(mark, request)) {
            Ok(ahead) => ahead,
            Err(disposition) => return Ok(Err(disposition)),
        };
        // From here on the flight accounts for its own bytes, and for the request.
        drop(held);
        exchange.account.handed_over();
        Ok(Ok(ahead.answered().await.map_or(DryRun::Ended, DryRun::Answered)))
    }
}
