//! From `[verify]` to how unsafe requests are verified.

use std::sync::Arc;
use std::time::Duration;

use diff_harness::endpoint::EndpointIdError;
use http::HeaderValue;
use toml::Spanned;

use super::error::{ConfigError, Source};
use super::units::Time;
use super::{EndpointId, file, header};
use crate::shadow::{DryRunHeader, FirstConfig, ReadBack, ReadBacks, ReadPath};

pub(super) fn read_backs(source: &Source<'_>, written: &[file::ReadBack]) -> Result<ReadBacks, ConfigError> {
    let mut read_backs = ReadBacks::default();
    for file::ReadBack { endpoint, read, after } in written {
        let of: EndpointId = endpoint
            .get_ref()
            .parse()
            .map_err(|error: EndpointIdError| source.wrong(endpoint.span(), error.to_string()))?;
        if of.is_safe() {
            let message = format!("{of} writes nothing, so there is nothing to read back");
            return Err(source.wrong(endpoint.span(), message));
        }
        if read_backs.get(&of).is_some() {
            return Err(source.wrong(endpoint.span(), format!("{of} is read back twice")));
        }
        let path = ReadPath::parse(read.get_ref(), &of).map_err(|wrong| source.wrong(read.span(), wrong))?;
        read_backs.insert(of, ReadBack { path, after: after.unwrap_or(Time(Duration::ZERO)).0 });
    }
    Ok(read_backs)
}

/// The header that marks a dry run; one that names no header of its own is none.
pub(super) fn dry_run(
    source: &Source<'_>,
    written: &file::Verify,
) -> Result<Option<Arc<DryRunHeader>>, ConfigError> {
    let confirm = header(source, written.confirm_header.as_ref())?;
    let Some(name) = header(source, written.header.as_ref())? else {
        let alone = [&written.value, &written.confirm_header].into_iter().flatten().map(Spanned::span);
        let first = written.first.iter().filter(|first| *first.get_ref()).map(Spanned::span);
        return match alone.chain(first).next() {
            Some(alone) => Err(source
                .wrong(alone, "a dry run has no header to be told by")
                .hint("add header = \"x-dry-run\", or what the candidate knows it by")),
            None => Ok(None),
        };
    };
    let value = match &written.value {
        None => HeaderValue::from_static("1"),
        Some(value) => HeaderValue::from_str(value.get_ref())
            .map_err(|_| source.wrong(value.span(), "this cannot be the value of a header"))?,
    };
    Ok(Some(Arc::new(DryRunHeader { name, value, confirm })))
}

/// How long clients wait for dry runs, where these are to be sent before control is asked.
pub(super) fn first(source: &Source<'_>, written: &file::Verify) -> Result<Option<FirstConfig>, ConfigError> {
    let defaults = FirstConfig::default();
    if !written.first.as_ref().is_some_and(|first| *first.get_ref()) {
        let alone = written.first_wait.as_ref().map(Spanned::span);
        let alone = alone.or(written.first_waiting.as_ref().map(Spanned::span));
        return match alone {
            Some(alone) => Err(source
                .wrong(alone, "nobody waits for a dry run, since it is sent when control has answered")
                .hint("add first = true, or leave this out")),
            None => Ok(None),
        };
    }
    let wait_max = match &written.first_wait {
        None => defaults.wait_max,
        Some(wait) => {
            let (wait, span) = (wait.get_ref().0, wait.span());
            if wait.is_zero() || wait > FirstConfig::WAIT_LONGEST {
                let longest = Time(FirstConfig::WAIT_LONGEST);
                let message = format!(
                    "a client cannot wait {wait:?} for a dry run: expected more than 0 and at most {longest}"
                );
                return Err(source.wrong(span, message));
            }
            wait
        }
    };
    let in_flight_max =
        written.first_waiting.as_ref().map_or(defaults.in_flight_max, |waiting| waiting.get_ref().0);
    Ok(Some(FirstConfig { wait_max, in_flight_max, ..defaults }))
}
