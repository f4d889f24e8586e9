//! `strangler certificates`: those that are in force, and reading them again.

use clap::Subcommand;
use strangler_proxy::admin::wire::{CertificatesView, ReloadedView};

use crate::args::Context;
use crate::console::Outcome;
use crate::exit::Failure;
use crate::table::Rows;

/// Shows the certificates of listeners and upstreams, and has them read again
#[derive(Debug, clap::Args)]
pub(crate) struct Certificates {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Those that are in force: whose they are, for what names, until when, from which file
    List,
    /// Has the proxy read all files of TLS again, as SIGHUP does; what cannot be used changes nothing
    Reload,
}

impl Certificates {
    pub(crate) fn name(&self) -> &'static str {
        match self.what {
            None | Some(What::List) => "certificates list",
            Some(What::Reload) => "certificates reload",
        }
    }

    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let admin = context.admin()?;
        if let Some(What::Reload) = self.what {
            let reloaded: ReloadedView = admin.post("/api/v1/certificates/reload", &serde_json::json!({}))?;
            if reloaded.read.is_empty() {
                return Ok(Outcome::new(&reloaded, "nothing here speaks TLS"));
            }
            let text = format!("read again: {}", reloaded.read.join(", "));
            return Ok(Outcome::new(&reloaded, text)
                .note("take it back: put the old files back, then strangler certificates reload"));
        }
        let listed: CertificatesView = admin.get("/api/v1/certificates", &[])?;
        let text = if listed.certificates.is_empty() {
            "no certificate is in use".to_owned()
        } else {
            table(&listed).to_string()
        };
        let warnings = listed.certificates.iter().filter_map(|one| one.warning.clone());
        let refused = listed.refused.iter().map(|one| format!("{}: {}", one.used_by, one.problem));
        let notes: Vec<_> = warnings.chain(refused).collect();
        Ok(notes.into_iter().fold(Outcome::new(&listed, text), Outcome::note))
    }
}

fn table(listed: &CertificatesView) -> Rows {
    let mut rows = Rows::new(&["used by", "purpose", "for", "not after", "file"]);
    for one in &listed.certificates {
        let names = if one.names.is_empty() { one.subject.clone() } else { one.names.join(", ") };
        rows.add([one.used_by.clone(), one.purpose.clone(), names, one.not_after.clone(), one.file.clone()]);
    }
    rows
}
