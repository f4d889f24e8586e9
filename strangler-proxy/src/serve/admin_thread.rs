//! The thread of the admin API and the review page.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::admin::{self, Api};
use crate::pages::{self, Site};

/// Requests that block (on the store) at once; others wait.
const ADMIN_BLOCKING_MAX: usize = 8;

pub(super) struct AdminThread {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl AdminThread {
    pub(super) fn start(listener: TcpListener, api: Arc<Api>) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(ADMIN_BLOCKING_MAX)
            .thread_name("admin-work")
            .build()?;
        let limits = api.access.limits.clone();
        let site = Arc::new(Site::new(Arc::clone(&api), stopped.clone())?);
        let router = pages::hardened(admin::router(api).merge(pages::router(Arc::clone(&site))));
        let thread = std::thread::Builder::new().name("admin".to_owned()).spawn(move || {
            let serving = async {
                let pulse = tokio::spawn(site.keep_pulse());
                let served = admin::serve(listener, router, limits, stopped).await;
                pulse.abort();
                served
            };
            if let Err(error) = runtime.block_on(serving) {
                tracing::error!(%error, "the admin API ended");
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends what is being answered, and takes nothing more.
    pub(super) fn stop(self) {
        self.stop.send_replace(true);
        if self.thread.join().is_err() {
            tracing::error!("the admin thread panicked: a bug in Strangler");
        }
    }
}
