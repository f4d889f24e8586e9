//! `strangler init`: a commented config.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use serde_json::json;
use strangler_proxy::config::{DEFAULT_PATH, Upstream, template};

use crate::console::Outcome;
use crate::exit::{Exit, Failure};

/// Writes a commented strangler.toml with every setting and its default
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// Where to write it; `-` is stdout
    #[arg(default_value = DEFAULT_PATH, value_name = "FILE")]
    path: PathBuf,
    /// The monolith
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    control: Upstream,
    /// The new service
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3001")]
    candidate: Upstream,
}

impl Init {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let text = template(&self.control, &self.candidate);
        if self.path.as_os_str() == "-" {
            return Ok(Outcome::new(&json!({ "config": text }), text));
        }
        let shown = self.path.display();
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        match written {
            Ok(()) => Ok(Outcome::new(&json!({ "path": self.path }), format!("wrote {shown}"))
                .note("next: set both upstreams in it, then `strangler serve`")),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Failure::new(
                Exit::Usage,
                "exists",
                format!("{shown} is there already and stays as it is"),
            )
            .hint("name another file, or `-` to print it")),
            Err(error) => Err(Failure::error(format!("{shown} cannot be written: {error}"))),
        }
    }
}
