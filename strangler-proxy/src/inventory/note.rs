//! What a person should know of an import that went well.

use std::fmt;

use diff_harness::endpoint::EndpointId;

/// Something that was merged, settled, left out or guessed. Each is one line for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// One endpoint was declared at several places; the declarations became one.
    Merged { endpoint: EndpointId, pointers: Vec<String> },
    /// Two templates match exactly the same requests; one was kept, with what both declare.
    Tie { kept: EndpointId, left_out: EndpointId },
    /// Some requests fit both; they go to the more literal one.
    Overlap { winner: EndpointId, other: EndpointId },
    /// There are so many overlapping pairs that the rest is not listed.
    MoreOverlaps(usize),
    /// A path was written in a way that is no template, and what it was read as.
    Rewritten { pointer: String, path: String, read_as: String, why: String },
    /// A part of the document that gave no endpoint or no parameter.
    LeftOut { pointer: String, why: String },
    /// The servers of the document have several base paths; endpoints were imported under the first.
    BasePaths { used: String, others: Vec<String> },
    /// The base path could not be taken from the document alone.
    BasePathGuessed { pointer: String, url: String, used: String },
    /// Endpoints that the document puts on another host than the rest. The proxy tells endpoints apart by method
    /// and path alone.
    OtherHost { host: String, endpoints: Vec<EndpointId> },
    /// Requests of a HAR file that gave no endpoint.
    Requests { count: usize, why: String },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Merged { endpoint, pointers } => {
                write!(f, "{endpoint} is declared {} times and taken as one: ", pointers.len())?;
                write_list(f, pointers, "#")
            }
            Self::Tie { kept, left_out } => {
                write!(f, "{kept} and {left_out} match exactly the same requests; the first was kept")
            }
            Self::Overlap { winner, other } => {
                write!(f, "{winner} and {other} overlap; a request that fits both goes to the first")
            }
            Self::MoreOverlaps(count) => write!(f, "{count} more overlapping pairs are not listed"),
            Self::Rewritten { pointer, path, read_as, why } => {
                write!(f, "#{pointer}: `{path}` was read as `{read_as}`: {why}")
            }
            Self::LeftOut { pointer, why } => write!(f, "#{pointer} was left out: {why}"),
            Self::BasePaths { used, others } => {
                write!(f, "the servers have several base paths; `{used}` was used and not ")?;
                write_list(f, others, "")?;
                f.write_str("; choose another with `--base-path`")
            }
            Self::BasePathGuessed { pointer, url, used } => write!(
                f,
                "#{pointer}: the base path of `{url}` depends on what the document does not say; `{used}` was used, choose another with `--base-path`"
            ),
            Self::OtherHost { host, endpoints } => {
                write!(f, "declared on host {host}: ")?;
                let endpoints: Vec<_> = endpoints.iter().map(ToString::to_string).collect();
                write_list(f, &endpoints, "")?;
                f.write_str("; they get requests only if that host's traffic comes through the proxy too")
            }
            Self::Requests { count, why } => write!(f, "{count} requests gave no endpoint: {why}"),
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, items: &[String], mark: &str) -> fmt::Result {
    const SHOWN: usize = 5;
    for (at, item) in items.iter().take(SHOWN).enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(f, "{comma}{mark}{item}")?;
    }
    if items.len() > SHOWN { write!(f, " and {} more", items.len() - SHOWN) } else { Ok(()) }
}
