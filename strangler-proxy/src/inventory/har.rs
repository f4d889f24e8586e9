//! Endpoints from a HAR file, the record of what a browser or a proxy sent.
//!
//! Only methods, urls and statuses matter here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use diff_harness::endpoint::EndpointId;
use diff_harness::har::{self, Entry, Har};
use diff_harness::lifecycle::{Declaration, Parameter};
use http::Method;
use serde::Deserialize;

use super::discover::{Discovery, DiscoveryLimits};
use super::error::{Fault, Place};
use super::{Import, ImportError, Note};
use crate::routes::{MatchPolicy, Matcher, PathPolicy, PathView, Template};

/// Query names that are kept for one endpoint.
const NAMES_MAX: usize = 100;

/// Reads a file whole, or says what is wrong with it. Identifiers in paths become parameters.
///
/// `hosts` are those whose requests count, with or without a port. Where it is empty the file must have requests
/// to one host only: a browser records those to others too, and they are no endpoints of the upstream.
pub fn import(text: &str, source_name: &str, hosts: &[String]) -> Result<Import, ImportError> {
    read(text, source_name, hosts).map_err(|fault| fault.of(source_name))
}

fn read(text: &str, source_name: &str, hosts: &[String]) -> Result<Import, Fault> {
    let har: Har<Sent> = har::read(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        let place = Place::Position { line: error.line(), column: error.column() };
        let hint =
            "a HAR file is JSON with a `log` that has `entries`, each with a `request` of `method` and `url`";
        Fault::new(place, format!("not readable as a HAR file: {message}"), hint)
    })?;
    let mut notes = Vec::new();
    let requests = requests(&har.log.entries, &mut notes)?;
    let requests = of_hosts(requests, hosts)?;
    Learned::of(requests, &mut notes).finish(source_name, notes)
}

/// What is read of a request; the rest is skipped unread.
#[derive(Deserialize)]
struct Sent {
    method: String,
    url: String,
}

/// A request to an HTTP host.
struct Request<'h> {
    entry: usize,
    method: Method,
    /// In lower case.
    host: String,
    /// Path and query.
    target: Cow<'h, str>,
    status: u16,
}

fn requests<'h>(entries: &'h [Entry<Sent>], notes: &mut Vec<Note>) -> Result<Vec<Request<'h>>, Fault> {
    let mut requests = Vec::with_capacity(entries.len());
    let mut other_schemes = 0;
    for (at, entry) in entries.iter().enumerate() {
        let pointer = |field: &str| format!("/log/entries/{at}/request/{field}");
        let method = Method::from_bytes(entry.request.method.as_bytes()).map_err(|_| {
            let problem = format!("`{}` is not a method", entry.request.method);
            Fault::at(&pointer("method"), problem, "nothing was imported")
        })?;
        let url = entry.request.url.as_str();
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        let Some((host, target)) = har::split(url) else {
            if is_scheme(scheme)
                && !scheme.eq_ignore_ascii_case("http")
                && !scheme.eq_ignore_ascii_case("https")
            {
                other_schemes += 1;
                continue;
            }
            let problem = format!("`{}` is not an absolute url", shortened(url));
            return Err(Fault::at(&pointer("url"), problem, "nothing was imported"));
        };
        let status = entry.response.as_ref().map_or(0, |response| response.status.code());
        requests.push(Request { entry: at, method, host: host.to_lowercase(), target, status });
    }
    if other_schemes > 0 {
        let why = "their url is neither http nor https".to_owned();
        notes.push(Note::Requests { count: other_schemes, why });
    }
    if requests.is_empty() {
        return Err(Fault::at(
            "/log/entries",
            "it has no HTTP request",
            "record the traffic and export it again",
        ));
    }
    Ok(requests)
}

/// Keeps the requests to the hosts that were asked for, or to the only one.
fn of_hosts<'h>(requests: Vec<Request<'h>>, hosts: &[String]) -> Result<Vec<Request<'h>>, Fault> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for request in &requests {
        *counts.entry(request.host.clone()).or_default() += 1;
    }
    let present = || {
        let mut present: Vec<_> = counts.iter().collect();
        present.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let shown: Vec<_> =
            present.iter().take(10).map(|(host, count)| format!("{host} ({count})")).collect();
        let more = if present.len() > shown.len() { ", …" } else { "" };
        format!("{}{more}", shown.join(", "))
    };
    let hint = "name the hosts of the upstream with `--host`, once for each";
    if hosts.is_empty() {
        if counts.len() > 1 {
            let problem = format!("it has requests to {} hosts: {}", counts.len(), present());
            return Err(Fault::at("/log/entries", problem, hint));
        }
        return Ok(requests);
    }
    let wanted: Vec<_> =
        requests.into_iter().filter(|request| har::is_wanted(&request.host, hosts)).collect();
    if wanted.is_empty() {
        let problem = format!("it has no request to {}; it has some to {}", hosts.join(", "), present());
        return Err(Fault::at("/log/entries", problem, hint));
    }
    Ok(wanted)
}

/// Proposals, and what the requests say of each.
struct Learned {
    found: Vec<Found>,
    overlooked: u64,
}

struct Found {
    endpoint: EndpointId,
    first_entry: usize,
    names: BTreeSet<String>,
    statuses: BTreeSet<u16>,
}

impl Learned {
    fn of(requests: Vec<Request<'_>>, notes: &mut Vec<Note>) -> Self {
        let policy = PathPolicy::default();
        // A file is read once and then forgotten, so that there is more room than in live traffic.
        let mut discovery =
            Discovery::new(DiscoveryLimits { nodes_max: 100_000, ..DiscoveryLimits::default() });
        let mut refused: BTreeMap<String, usize> = BTreeMap::new();
        let mut views = Vec::with_capacity(requests.len());
        for request in &requests {
            match PathView::of(&request.target, &policy) {
                Ok(view) => {
                    discovery.observe(&request.method, &view);
                    views.push((request, view));
                }
                Err(why) => *refused.entry(why.to_string()).or_default() += 1,
            }
        }
        notes.extend(refused.into_iter().map(|(why, count)| Note::Requests { count, why }));

        let mut found = Vec::new();
        let routes: Vec<_> = discovery
            .proposals()
            .into_iter()
            .filter_map(|proposal| {
                let template = Template::parse(proposal.endpoint.template()).ok()?;
                let method = proposal.endpoint.method().clone();
                found.push(Found {
                    endpoint: proposal.endpoint,
                    first_entry: usize::MAX,
                    names: BTreeSet::new(),
                    statuses: BTreeSet::new(),
                });
                Some((method, template, found.len() - 1))
            })
            .collect();
        let (matcher, _) = Matcher::build(routes, MatchPolicy::default());
        for (request, view) in views {
            if let Some(&at) = matcher.find(&request.method, &view) {
                found[at].add(request);
            }
        }
        found.retain(|found| found.first_entry != usize::MAX);
        Self { found, overlooked: discovery.overlooked() }
    }

    fn finish(self, source_name: &str, mut notes: Vec<Note>) -> Result<Import, Fault> {
        if self.overlooked > 0 {
            let why =
                "TRACE or CONNECT, an empty segment in the path, or more paths than are learned".to_owned();
            notes.push(Note::Requests { count: usize::try_from(self.overlooked).unwrap_or(usize::MAX), why });
        }
        if self.found.is_empty() {
            return Err(Fault::at(
                "/log/entries",
                "no request gave an endpoint",
                "record the traffic and export it again",
            ));
        }
        let endpoints = self.found.into_iter().map(|found| found.declared(source_name)).collect();
        Ok(Import { endpoints, notes })
    }
}

impl Found {
    fn add(&mut self, request: &Request<'_>) {
        self.first_entry = self.first_entry.min(request.entry);
        if (100..=599).contains(&request.status) {
            self.statuses.insert(request.status);
        }
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split_once('=').map_or(pair, |(name, _)| name).replace('+', " ");
            if self.names.len() < NAMES_MAX {
                self.names
                    .insert(percent_encoding::percent_decode_str(&name).decode_utf8_lossy().into_owned());
            }
        }
    }

    /// Nothing of the query is known to be required.
    fn declared(self, source_name: &str) -> (EndpointId, Declaration) {
        let template = Template::parse(self.endpoint.template()).ok();
        let in_path: Vec<_> = template.iter().flat_map(Template::parameters).map(str::to_owned).collect();
        let parameter =
            |name, place: &str| Parameter { name, place: place.to_owned(), required: place == "path" };
        let of_path = in_path.into_iter().map(|name| parameter(name, "path"));
        let of_query = self.names.into_iter().map(|name| parameter(name, "query"));
        let declaration = Declaration {
            source: format!("{source_name}#/log/entries/{}", self.first_entry),
            parameters: of_path.chain(of_query).collect(),
            statuses: self.statuses.iter().map(u16::to_string).collect(),
        };
        (self.endpoint, declaration)
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn har(entries: &[(&str, &str, &str)]) -> String {
        let entries: Vec<_> = entries
            .iter()
            .map(|(method, url, status)| {
                format!(
                    r#"{{"request": {{"method": "{method}", "url": "{url}"}}, "response": {{"status": {status}, "content": {{"text": "\ud83d"}}}}}}"#
                )
            })
            .collect();
        format!("{{\"log\": {{\"version\": \"1.2\", \"entries\": [{}]}}}}", entries.join(",\n"))
    }

    fn refusal(text: &str, hosts: &[String]) -> String {
        import(text, "a.har", hosts).map(|import| import.endpoints).expect_err(text).to_string()
    }

    #[test]
    fn requests_become_endpoints_with_what_was_seen_of_them() {
        let text = har(&[
            ("GET", "https://api.example.com/playlists/1?limit=10&secret%5Ftoken=x#top", "200"),
            ("GET", "https://API.example.com/playlists/2", "404"),
            ("HEAD", "https://api.example.com/playlists/2", "204"),
            ("POST", "https://api.example.com/playlists", "201"),
            ("GET", "https://api.example.com", "0"),
            ("GET", "wss://api.example.com/socket", "101"),
            ("GET", "https://api.example.com/a%2Fb", "200"),
        ]);
        let import = import(&text, "a.har", &[]).unwrap();
        let lines: Vec<_> = import
            .endpoints
            .iter()
            .map(|(endpoint, declaration)| {
                let names: Vec<_> =
                    declaration.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
                format!("{endpoint} {names:?} {:?} {}", declaration.statuses, declaration.source)
            })
            .collect();
        assert_eq!(
            lines,
            [
                r#"GET / [] [] a.har#/log/entries/4"#,
                r#"POST /playlists [] ["201"] a.har#/log/entries/3"#,
                r#"GET /playlists/{playlist_id} ["playlist_id", "limit", "secret_token"] ["200", "204", "404"] a.har#/log/entries/0"#,
            ]
        );
        assert!(import.endpoints.iter().all(|(_, declaration)| {
            declaration.parameters.iter().all(|parameter| parameter.required == (parameter.place == "path"))
        }));
        let notes: Vec<_> = import.notes.iter().map(ToString::to_string).collect();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[1].contains("1 requests gave no endpoint: the path has an encoded slash"), "{notes:?}");
    }

    #[test]
    fn only_requests_to_the_named_hosts_count() {
        let text = har(&[
            ("GET", "https://api.example.com:8443/a", "200"),
            ("GET", "https://cdn.example.net/b", "200"),
            ("GET", "https://cdn.example.net/c", "200"),
        ]);
        let several = refusal(&text, &[]);
        assert!(
            several.contains("to 2 hosts: cdn.example.net (2), api.example.com:8443 (1); name"),
            "{several}"
        );
        for host in ["api.example.com", "API.example.com:8443"] {
            let import = import(&text, "a.har", &[host.to_owned()]).unwrap();
            assert_eq!(import.endpoints.len(), 1);
            assert_eq!(import.endpoints[0].0.to_string(), "GET /a");
        }
        let none = refusal(&text, &["example.org".to_owned()]);
        assert!(none.contains("no request to example.org; it has some to cdn.example.net (2)"), "{none}");
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_place() {
        for (text, words) in [
            ("", "a.har:1:0: not readable as a HAR file: EOF"),
            ("openapi: 3.0.0", "a.har:1:1: not readable as a HAR file: expected value"),
            ("{}", "missing field `log`"),
            ("{\"log\": {\"entries\": {}}}", "a.har:1:20: not readable as a HAR file: invalid type: map"),
            ("{\"log\": {\"entries\": []}}", "a.har#/log/entries: it has no HTTP request"),
            ("{\"log\": {\"entries\": [{\"request\": {\"method\": \"GET\"}}]}}", "missing field `url`"),
        ] {
            let refusal = refusal(text, &[]);
            assert!(refusal.contains(words) && refusal.contains("; "), "{text}: {refusal}");
        }
        for (method, url, words) in [
            ("G T", "http://a/b", "a.har#/log/entries/0/request/method: `G T` is not a method"),
            ("GET", "/b", "a.har#/log/entries/0/request/url: `/b` is not an absolute url"),
            ("GET", "http:///b", "is not an absolute url"),
            ("GET", "http://a/%zz", "a.har#/log/entries: no request gave an endpoint"),
        ] {
            let refusal = refusal(&har(&[(method, url, "200")]), &[]);
            assert!(refusal.contains(words), "{url}: {refusal}");
        }
    }

    #[test]
    fn a_response_may_be_missing_or_odd() {
        for response in
            ["", ", \"response\": null", ", \"response\": {}", ", \"response\": {\"status\": [1, {}]}"]
        {
            let text = format!(
                "{{\"log\": {{\"entries\": [{{\"request\": {{\"method\": \"GET\", \"url\": \"http://a/b\"}}{response}}}]}}}}"
            );
            let import = import(&text, "a.har", &[]).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(import.endpoints[0].1.statuses, <[String; 0]>::default());
        }
    }
}
