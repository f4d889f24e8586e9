//! `[policy]`: what the gate wants to see, and of which endpoints.

use std::collections::BTreeMap;
use std::path::Path;

use diff_harness::divergence::Severity;
use diff_harness::evidence::sprt::Sprt;
use diff_harness::gate::{DEFAULT_TIER, Demand, Demands, Policy, Tier};
use diff_harness::rules::Scope;
use serde::Deserialize;
use toml::Spanned;

use super::error::{ConfigError, Source};
use super::units::{Rate, Time};

/// Writes the settings that the policy and every tier may have: what a tier leaves out is the policy's, and what the
/// policy leaves out is the default.
macro_rules! settings {
    ($($name:ident: $type:ty,)+) => {
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct PolicyTable {
            $($name: Option<Spanned<$type>>,)+
            tiers: BTreeMap<String, Spanned<TierTable>>,
        }

        #[derive(Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct TierTable {
            endpoints: Vec<Spanned<String>>,
            $($name: Option<Spanned<$type>>,)+
        }

        #[derive(Default)]
        struct Settings {
            $($name: Option<Spanned<$type>>,)+
        }

        impl PolicyTable {
            fn split(self) -> (Settings, BTreeMap<String, Spanned<TierTable>>) {
                (Settings { $($name: self.$name,)+ }, self.tiers)
            }
        }

        impl TierTable {
            fn split(self) -> (Settings, Vec<Spanned<String>>) {
                (Settings { $($name: self.$name,)+ }, self.endpoints)
            }
        }
    };
}

settings! {
    p0: Rate,
    p1: Rate,
    alpha: Rate,
    beta: Rate,
    min_comparisons: u64,
    same_request: Rate,
    blocking: String,
    waivers: u64,
    dropped: Rate,
    fallbacks: Rate,
    parameters: String,
    statuses: String,
    callers: String,
    latency: String,
    slower_share: Rate,
    slower_by: Time,
    negative_control_age: Time,
    quiet_live: Time,
    quiet_soak: Time,
}

/// A file with a `[policy]` and nothing else, to be tried.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PolicyFile {
    policy: PolicyTable,
}

/// Reads a policy that is to be tried: a file with a `[policy]`, as it stands in `strangler.toml`.
///
/// # Errors
/// With file, line and column, what was expected, and what to do.
pub fn parse_policy(path: &Path, text: &str) -> Result<Policy, ConfigError> {
    let source = Source { path, text };
    let file: PolicyFile = toml::from_str(text).map_err(|error| source.unreadable(&error))?;
    file.policy.resolve(&source)
}

impl PolicyTable {
    pub(super) fn resolve(self, source: &Source<'_>) -> Result<Policy, ConfigError> {
        let (settings, tables) = self.split();
        let base = settings.over(&Demands::default(), source)?;
        let mut tiers = Vec::with_capacity(tables.len());
        // In the order of the file: the first tier that names an endpoint counts.
        let mut tables: Vec<_> = tables.into_iter().collect();
        tables.sort_by_key(|(_, table)| table.span().start);
        for (name, table) in tables {
            let span = table.span();
            if name == DEFAULT_TIER {
                return Err(source
                    .wrong(span, format!("a tier cannot be named `{name}`"))
                    .hint("what holds for all other endpoints stands under [policy] itself"));
            }
            let (settings, endpoints) = table.into_inner().split();
            if endpoints.is_empty() {
                return Err(source
                    .wrong(span, format!("the tier `{name}` names no endpoints"))
                    .hint("write endpoints = [\"GET /playlists/{id}\", \"* /tracks/*\"] into it"));
            }
            let scope = |written: &Spanned<String>| {
                let parsed = written.get_ref().parse::<Scope>();
                parsed.map_err(|error| source.wrong(written.span(), error.to_string()))
            };
            tiers.push(Tier {
                demands: settings.over(&base, source)?,
                endpoints: endpoints.iter().map(scope).collect::<Result<_, _>>()?,
                name,
            });
        }
        Ok(Policy { base, tiers })
    }
}

impl Settings {
    /// What is written, and for the rest what these demands say.
    fn over(self, base: &Demands, source: &Source<'_>) -> Result<Demands, ConfigError> {
        let rate =
            |written: &Option<Spanned<Rate>>, or: f64| written.as_ref().map_or(or, |rate| rate.get_ref().0);
        let time = |written: &Option<Spanned<Time>>, or| written.as_ref().map_or(or, |time| time.get_ref().0);
        let demand = |written: &Option<Spanned<String>>, or| match written {
            None => Ok(or),
            Some(word) => Demand::ALL
                .into_iter()
                .find(|demand| demand.as_str() == word.get_ref())
                .ok_or_else(|| one_of(source, word, &Demand::ALL.map(Demand::as_str))),
        };
        let blocking = match &self.blocking {
            None => base.blocking,
            Some(word) => Severity::ALL
                .into_iter()
                .find(|severity| severity.as_str() == word.get_ref())
                .ok_or_else(|| one_of(source, word, &Severity::ALL.map(Severity::as_str)))?,
        };
        let sprt = Sprt::new(
            rate(&self.p0, base.sprt.p0()),
            rate(&self.p1, base.sprt.p1()),
            rate(&self.alpha, base.sprt.alpha()),
            rate(&self.beta, base.sprt.beta()),
        )
        .map_err(|error| {
            let written = [&self.p0, &self.p1, &self.alpha, &self.beta].into_iter().flatten().next();
            match written {
                Some(written) => source.wrong(written.span(), error.to_string()),
                None => source.whole(error.to_string()),
            }
        })?;
        Ok(Demands {
            sprt,
            min_comparisons: self.min_comparisons.map_or(base.min_comparisons, Spanned::into_inner),
            same_request: rate(&self.same_request, base.same_request),
            blocking,
            waivers_max: self.waivers.map_or(base.waivers_max, Spanned::into_inner),
            dropped_max: rate(&self.dropped, base.dropped_max),
            fallback_max: rate(&self.fallbacks, base.fallback_max),
            parameters: demand(&self.parameters, base.parameters)?,
            statuses: demand(&self.statuses, base.statuses)?,
            callers: demand(&self.callers, base.callers)?,
            latency: demand(&self.latency, base.latency)?,
            slower_share: rate(&self.slower_share, base.slower_share),
            slower_by: time(&self.slower_by, base.slower_by),
            negative_control_age: time(&self.negative_control_age, base.negative_control_age),
            quiet_live: time(&self.quiet_live, base.quiet_live),
            quiet_soak: time(&self.quiet_soak, base.quiet_soak),
        })
    }
}

fn one_of(source: &Source<'_>, written: &Spanned<String>, known: &[&str]) -> ConfigError {
    let known: Vec<_> = known.iter().map(|word| format!("\"{word}\"")).collect();
    source.wrong(
        written.span(),
        format!("`{}` is not known here: expected {}", written.get_ref(), known.join(" or ")),
    )
}
