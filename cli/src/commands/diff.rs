//! `strangler diff`: two files or two URLs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use diff_harness::compare::{Comparator, Limits};
use diff_harness::comparison::{Comparison, Judgement, Verdict};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{CapturedBody, Observation, Outcome as Answer, Request, Response};
use diff_harness::rules::Rules;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use strangler_proxy::config::Size;
use tokio::net::TcpStream;

use crate::console::Outcome;
use crate::exit::{Exit, Failure};
use crate::words::{count, cut};

/// Compares two files, or what two URLs answer to a GET
///
/// Exit code 0: they match, or every difference is tolerated by a rule; 3: they differ; 4: nothing could be compared.
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// A file, or an http:// URL
    control: String,
    /// A file, or an http:// URL
    candidate: String,
    /// Declared ways to compare
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The endpoint that rules are chosen by [default: GET and the path of the control URL]
    #[arg(long, value_name = "ENDPOINT")]
    endpoint: Option<EndpointId>,
    /// What a body may become when its content coding is undone; a larger one is compared by its bytes
    #[arg(long, value_name = "SIZE", default_value = "4MiB")]
    decoded_body: Size,
    /// Sent to both URLs: `Name: value`
    #[arg(long = "header", short = 'H', value_name = "HEADER", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The same limits as for a body that a proxy would keep, and more patience than it has.
const BODY_BYTES_MAX: usize = 128 << 20;
const DEADLINE: Duration = Duration::from_secs(30);
const VALUE_CHARS: usize = 200;

impl Diff {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let rules = match &self.rules {
            None => Rules::default(),
            Some(file) => {
                let name = file.display().to_string();
                Rules::parse(&text(file)?, &name)
                    .map_err(|error| Failure::new(Exit::Usage, "bad_rules", error))?
            }
        };
        let limits = Limits { decoded_bytes_max: self.decoded_body.bytes(), ..Limits::default() };
        let comparator = Comparator::new(rules, limits);
        match (url(&self.control)?, url(&self.candidate)?) {
            (Some(control), Some(candidate)) => self.urls(&comparator, &control, &candidate),
            (None, None) => self.files(&comparator),
            _ => Err(Failure::usage("a file and a URL are not compared: give two files or two URLs")),
        }
    }

    fn files(&self, comparator: &Comparator) -> Result<Outcome, Failure> {
        let endpoint = self.endpoint.clone().unwrap_or_else(|| EndpointId::new(Method::GET, "/"));
        let (control, candidate) = (bytes(Path::new(&self.control))?, bytes(Path::new(&self.candidate))?);
        let comparison = comparator.compare_contents(&endpoint, None, &control, &candidate);
        Ok(told(&comparison))
    }

    fn urls(&self, comparator: &Comparator, control: &Uri, candidate: &Uri) -> Result<Outcome, Failure> {
        let endpoint = self.endpoint.clone().unwrap_or_else(|| EndpointId::new(Method::GET, control.path()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::error(format!("cannot start: {error}")))?;
        let (control, candidate) = runtime
            .block_on(async { tokio::join!(ask(control, &self.headers), ask(candidate, &self.headers)) });
        let request = Request {
            method: Method::GET,
            target: String::new(),
            headers: HeaderMap::new(),
            body: CapturedBody::empty(),
        };
        match comparator.compare(&endpoint, &request, &control?, &candidate?) {
            Judgement::Compared(comparison) => Ok(told(&comparison)),
            Judgement::Skipped(reason) => Ok(Outcome::new(
                &json!({ "verdict": Value::Null, "skipped": reason.as_str() }),
                format!("nothing could be compared: {}", reason.as_str()),
            )
            .exit(Exit::Inconclusive)),
        }
    }
}

/// Whether it is a URL, by its scheme.
fn url(text: &str) -> Result<Option<Uri>, Failure> {
    if !text.contains("://") {
        return Ok(None);
    }
    let uri: Uri = text.parse().map_err(|_| Failure::usage(format!("`{text}` is not a URL")))?;
    if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) {
        return Err(Failure::usage(format!("`{text}` is not an http:// URL")));
    }
    Ok(Some(uri))
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wrong = || format!("`{text}` is not a header: expected `Name: value`");
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?;
    Ok((name, HeaderValue::from_str(value.trim()).map_err(|_| wrong())?))
}

fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file)
        .map_err(|error| Failure::new(Exit::Usage, "unreadable", format!("{}: {error}", file.display())))
}

fn text(file: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes(file)?).map_err(|_| {
        Failure::new(Exit::Usage, "bad_rules", format!("{}: the file is not UTF-8 text", file.display()))
    })
}

async fn ask(uri: &Uri, headers: &[(HeaderName, HeaderValue)]) -> Result<Observation, Failure> {
    let failed = |why: String| Failure::error(format!("{uri}: {why}"));
    let begun = Instant::now();
    let exchange = async {
        let host = uri.host().unwrap_or_default();
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
        let stream =
            TcpStream::connect(authority.as_str()).await.map_err(|error| failed(error.to_string()))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(error.to_string()))?;
        tokio::spawn(connection);
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let host = uri.authority().map_or(host, |authority| authority.as_str());
        let mut request = http::Request::get(target)
            .header(http::header::HOST, host)
            .header(http::header::ACCEPT, "*/*")
            .body(Empty::<Bytes>::new())
            .map_err(|error| failed(error.to_string()))?;
        for (name, value) in headers {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        let response = sender.send_request(request).await.map_err(|error| failed(error.to_string()))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| failed(format!("its body broke off: {error}")))?;
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body: CapturedBody::Whole(body.to_bytes()),
        })
    };
    let response = tokio::time::timeout(DEADLINE, exchange)
        .await
        .unwrap_or_else(|_| Err(failed("no whole answer within 30 seconds".to_owned())))?;
    Ok(Observation { outcome: Answer::Response(response), latency: begun.elapsed() })
}

fn told(comparison: &Comparison) -> Outcome {
    let verdict = comparison.verdict();
    let side = |value: &Option<String>| {
        value.as_deref().map_or("(nothing)".to_owned(), |text| cut(text, VALUE_CHARS))
    };
    let mut text = String::new();
    for divergence in &comparison.divergences {
        let detail = divergence.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        text.push_str(&format!(
            "{} {} at {}{detail}\n  control    {}\n  candidate  {}\n",
            divergence.severity.as_str(),
            divergence.kind.as_str(),
            divergence.location,
            side(&divergence.control),
            side(&divergence.candidate),
        ));
    }
    let tolerated = comparison.tolerated.len() as u64;
    text.push_str(&match verdict {
        Verdict::Match => "match\n".to_owned(),
        Verdict::Tolerated => format!("tolerated: {} covered by rules\n", count(tolerated, "divergence")),
        Verdict::Mismatch => {
            format!(
                "mismatch: {}, {tolerated} more covered by rules\n",
                count(comparison.divergences.len() as u64, "divergence")
            )
        }
    });
    if comparison.both_failed {
        text.push_str("both sides answered the same 5xx, which is no evidence that they agree\n");
    }
    let exit = match verdict {
        Verdict::Mismatch => Exit::Refused,
        _ if comparison.both_failed => Exit::Inconclusive,
        Verdict::Match | Verdict::Tolerated => Exit::Pass,
    };
    let outcome = Outcome::new(&data(comparison), text).exit(exit);
    comparison.notes.iter().fold(outcome, |outcome, note| outcome.note(format!("note: {note}")))
}

fn data(comparison: &Comparison) -> Value {
    let divergence = |divergence: &diff_harness::divergence::Divergence| {
        json!({
            "kind": divergence.kind.as_str(),
            "severity": divergence.severity.as_str(),
            "location": divergence.location.to_string(),
            "detail": divergence.detail,
            "control": divergence.control,
            "candidate": divergence.candidate,
        })
    };
    let tolerated = comparison
        .tolerated
        .iter()
        .map(|tolerated| json!({ "rule": tolerated.rule, "divergence": divergence(&tolerated.divergence) }));
    json!({
        "verdict": comparison.verdict().as_str(),
        "divergences": comparison.divergences.iter().map(divergence).collect::<Vec<_>>(),
        "tolerated": tolerated.collect::<Vec<_>>(),
        "both_failed": comparison.both_failed,
        "notes": comparison.notes,
    })
}
