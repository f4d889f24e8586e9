//! What a request head must be before anything is done with it.

use http::header::{COOKIE, EXPECT, HOST, MAX_FORWARDS, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri, Version};

use super::config::Limits;
use super::refusal::Refusal;
use crate::routes::AmbiguousPath;

/// Refuses what has more than one reading, is over a limit, or is not for a proxy to pass on. Brings target and
/// Host into the one form in which they are forwarded.
pub(super) fn admit(
    head: &mut Parts,
    limits: &Limits,
    default_host: &HeaderValue,
    raw: &impl RawHead,
) -> Result<(), Refusal> {
    within_limits(head, limits)?;
    if head.method == Method::TRACE {
        return Err(Refusal::Trace);
    }
    if head.method == Method::CONNECT {
        return Err(Refusal::Connect);
    }
    // The library has dropped a Content-Length that stood beside a Transfer-Encoding by now; the raw head knows.
    if head.headers.contains_key(TRANSFER_ENCODING) {
        if raw.with(|raw| has_content_length(raw, &head.method)) {
            return Err(Refusal::TwoLengths);
        }
        if !is_chunked_alone(&head.headers) {
            return Err(Refusal::TransferCoding);
        }
    }
    if raw.with(|raw| has_fragment(raw, &head.method)) {
        return Err(Refusal::Path(AmbiguousPath::Fragment));
    }
    let mut expected = head.headers.get_all(EXPECT).iter();
    if expected.any(|expected| !expected.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Err(Refusal::Expectation);
    }
    one_host(head, default_host, raw)?;
    // Over HTTP/2 a target may be nothing but a fragment, of which the library leaves nothing (RFC 9113 §8.3.1).
    if head.uri.path().is_empty() {
        return Err(Refusal::Path(AmbiguousPath::Fragment));
    }
    max_forwards(head)
}

/// The bytes of the head, as far as they came by themselves: the library drops what it does not understand.
pub(super) trait RawHead {
    fn with<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T;
}

/// Whether chunked is the only transfer coding, once. Empty elements of a list mean nothing (RFC 9110 §5.6.1.2).
fn is_chunked_alone(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(TRANSFER_ENCODING).iter();
    let elements = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let mut codings = elements.map(<[u8]>::trim_ascii).filter(|coding| !coding.is_empty());
    let only = codings.next().is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
    only && codings.next().is_none()
}

/// Whether the target of a raw head has a fragment, which the library drops without a word.
fn has_fragment(raw: &[u8], method: &Method) -> bool {
    let Some(target) = raw.strip_prefix(method.as_str().as_bytes()) else { return false };
    target.iter().take_while(|byte| **byte != b'\n').any(|byte| *byte == b'#')
}

/// Whether a raw head announces a body of a length that the library cannot count to: then this is what is too large about
/// it. What was read may begin with an earlier request, or in the middle of this one.
pub(super) fn announces_too_much(raw: &[u8]) -> bool {
    const NAME: &[u8] = b"content-length:";
    // The two above mean something else to the library.
    const MAX: u128 = u64::MAX as u128 - 2;
    let lengths = raw.split(|byte| *byte == b'\n').filter_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    });
    let lengths = lengths.filter_map(|value| std::str::from_utf8(value).ok()?.trim().parse::<u128>().ok());
    lengths.max().is_some_and(|length| length > MAX)
}

/// Whether all that came of a raw head is a method and a part of its target. What was read may begin in the middle of a head.
pub(super) fn is_all_target(raw: &[u8]) -> bool {
    let method = raw.iter().position(|byte| *byte == b' ').filter(|length| (1..=20).contains(length));
    method.is_some_and(|end| raw[..end].iter().all(u8::is_ascii_uppercase)) && !raw.contains(&b'\n')
}

/// Whether the target of a raw head is an absolute one that ends with its authority: the library adds a slash to it.
fn ends_with_authority(raw: &[u8], method: &Method) -> bool {
    let Some(target) = raw.strip_prefix(method.as_str().as_bytes()) else { return false };
    let target = target.trim_ascii_start();
    let target = &target[..target.iter().position(|byte| *byte == b' ').unwrap_or(target.len())];
    let scheme = target.windows(3).position(|three| three == b"://");
    scheme.is_some_and(|scheme| !target[scheme + 3..].iter().any(|byte| matches!(byte, b'/' | b'?')))
}

/// Whether a raw head has a Content-Length field (RFC 9112 §6.3, rule 3).
pub(super) fn has_content_length(raw: &[u8], method: &Method) -> bool {
    // A head whose beginning came with the request before it is not here whole. The library reads such a message
    // by its Transfer-Encoding alone and closes the connection after it, which is the RFC's other way.
    if !raw.starts_with(method.as_str().as_bytes()) {
        return false;
    }
    const NAME: &[u8] = b"content-length";
    let mut lines = raw.split(|byte| *byte == b'\n').skip(1);
    lines
        .by_ref()
        .take_while(|line| !matches!(line, [] | [b'\r']))
        .any(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)))
}

/// RFC 9113 §8.2.3: a client of HTTP/2 may send each pair of a cookie by itself; everyone else knows one line only.
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter();
    let (Some(first), Some(second)) = (crumbs.next(), crumbs.next()) else { return };
    let mut joined = first.as_bytes().to_vec();
    for crumb in std::iter::once(second).chain(crumbs) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(crumb.as_bytes());
    }
    let joined = HeaderValue::from_bytes(&joined).expect("each of its parts is a field value");
    headers.insert(COOKIE, joined);
}

fn within_limits(head: &Parts, limits: &Limits) -> Result<(), Refusal> {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.target_bytes_max {
        return Err(Refusal::TargetTooLong);
    }
    // `: ` and the end of line.
    const AROUND: usize = 4;
    let fields = head.headers.iter();
    let bytes: usize = fields.map(|(name, value)| name.as_str().len() + value.len() + AROUND).sum();
    if head.headers.len() > limits.fields_max || target + bytes > limits.head_bytes_max {
        return Err(Refusal::HeadTooLarge);
    }
    Ok(())
}

/// RFC 9112 §3.2: exactly one Host, and it must be one; the authority of an absolute target takes its place.
fn one_host(head: &mut Parts, default_host: &HeaderValue, raw: &impl RawHead) -> Result<(), Refusal> {
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => return Err(Refusal::HostRepeated),
        (Some(host), None) if !is_host(host.as_bytes()) => return Err(Refusal::HostInvalid),
        (Some(_), None) => {}
        (None, _) if head.version == Version::HTTP_10 => {}
        // RFC 9113 §8.3.1: `:authority` takes the place of Host.
        (None, _) if head.version == Version::HTTP_2 && head.uri.authority().is_some() => {}
        (None, _) => return Err(Refusal::HostMissing),
    }
    if let Some(authority) = head.uri.authority() {
        let known = matches!(head.uri.scheme_str(), Some("http" | "https"));
        if !known || !is_host(authority.as_str().as_bytes()) {
            return Err(Refusal::HostInvalid);
        }
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Refusal::HostInvalid)?;
        // RFC 9113 §8.3.1 refuses what RFC 9112 §3.2.2 overrides.
        let told = head.headers.get(HOST).filter(|_| head.version == Version::HTTP_2);
        if told.is_some_and(|told| !told.as_bytes().eq_ignore_ascii_case(host.as_bytes())) {
            return Err(Refusal::HostDisagrees);
        }
        head.headers.insert(HOST, host);
        let whole_server =
            head.method == Method::OPTIONS && raw.with(|raw| ends_with_authority(raw, &head.method));
        // RFC 9113 §8.3.1: `:path` begins with a slash, or is no target.
        if head.version == Version::HTTP_2 && head.uri.path_and_query().is_some_and(is_query) {
            return Err(Refusal::Path(AmbiguousPath::AuthorityForm));
        }
        head.uri = Uri::from(origin_form(head.uri.path_and_query(), whole_server)?);
    } else if head.version == Version::HTTP_10 && !head.headers.contains_key(HOST) {
        // An HTTP/1.1 request needs one, and a client of HTTP/1.0 means the only server it knows.
        head.headers.insert(HOST, default_host.clone());
    }
    Ok(())
}

/// The target that stands for an absolute one. An empty path is `/` (RFC 9110 §4.2.3), but for OPTIONS, which asks for the
/// server as a whole then (RFC 9112 §3.2.4).
fn origin_form(target: Option<&PathAndQuery>, whole_server: bool) -> Result<PathAndQuery, Refusal> {
    match target {
        _ if whole_server => Ok(PathAndQuery::from_static("*")),
        None => Ok(PathAndQuery::from_static("/")),
        // Shown, it has its slash.
        Some(target) if is_query(target) => PathAndQuery::try_from(target.to_string())
            .map_err(|_| Refusal::Path(AmbiguousPath::AuthorityForm)),
        Some(target) => Ok(target.clone()),
    }
}

/// Whether there is no path before it.
fn is_query(target: &PathAndQuery) -> bool {
    target.as_str().starts_with('?')
}

/// What a name or an address may be made of.
const IN_NAME: [bool; 256] = {
    let mut in_name = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let it = byte as u8;
        in_name[byte] = it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_' | b'~' | b'%' | b':');
        byte += 1;
    }
    in_name
};

/// RFC 9110 §7.2 `uri-host [ ":" port ]`, without what no name has and two servers may read in two ways.
fn is_host(host: &[u8]) -> bool {
    let (name, port) = match host {
        [b'[', rest @ ..] => match rest.iter().position(|byte| *byte == b']') {
            Some(end) => {
                let address = std::str::from_utf8(&rest[..end]).ok();
                if address.is_none_or(|address| address.parse::<std::net::Ipv6Addr>().is_err()) {
                    return false;
                }
                (&rest[..end], &rest[end + 1..])
            }
            None => return false,
        },
        _ => host.split_at(host.iter().position(|byte| *byte == b':').unwrap_or(host.len())),
    };
    let in_name = |byte: &u8| IN_NAME[usize::from(*byte)];
    let port_is_one = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    !name.is_empty() && name.iter().all(in_name) && port_is_one
}

/// RFC 9110 §7.6.2, for OPTIONS; TRACE is refused anyway and for others the field means nothing.
fn max_forwards(head: &mut Parts) -> Result<(), Refusal> {
    if head.method != Method::OPTIONS {
        return Ok(());
    }
    let Some(value) = head.headers.get(MAX_FORWARDS) else { return Ok(()) };
    // What is no number says nothing, and is passed on.
    let Some(left) = value.to_str().ok().and_then(|value| value.parse::<u64>().ok()) else { return Ok(()) };
    let Some(left) = left.checked_sub(1) else { return Err(Refusal::MaxForwards) };
    head.headers.insert(MAX_FORWARDS, HeaderValue::from(left));
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    /// One that a request with a Transfer-Encoding came with.
    struct Raw(&'static [u8]);

    impl RawHead for Raw {
        fn with<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
            look(self.0)
        }
    }

    fn admitted(request: http::request::Builder) -> Result<Parts, Refusal> {
        admitted_as(request, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
    }

    fn admitted_as(request: http::request::Builder, raw: &'static [u8]) -> Result<Parts, Refusal> {
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        admit(&mut head, &Limits::default(), &HeaderValue::from_static("fallback"), &Raw(raw)).map(|()| head)
    }

    fn refused(request: http::request::Builder) -> Option<Refusal> {
        admitted(request).err()
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_a_port() {
        for host in ["a", "a.example", "a:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "x_y.local", "a:"] {
            assert!(is_host(host.as_bytes()), "{host:?} was refused");
        }
        for host in [
            "", ":80", "a b", "a/b", "user@a", "a:b", "a:123456", "a,b", "a\\b", "[::1", "[x]", "[]",
            "a:80:81", "a?b", "a#b", "[::1]x", "a\tb",
        ] {
            assert!(!is_host(host.as_bytes()), "{host:?} was taken");
        }
    }

    #[test]
    fn there_is_exactly_one_host() {
        let get = || Request::get("/a");
        assert_eq!(refused(get()), Some(Refusal::HostMissing));
        assert_eq!(refused(get().header("host", "a").header("host", "a")), Some(Refusal::HostRepeated));
        assert_eq!(refused(get().header("host", "a/b")), Some(Refusal::HostInvalid));
        let old = admitted(get().version(Version::HTTP_10)).unwrap();
        assert_eq!(old.headers[HOST], "fallback");
    }

    #[test]
    fn the_authority_of_an_absolute_target_is_the_host() {
        let head = admitted(Request::get("http://b:81/x?y").header("host", "a")).unwrap();
        assert_eq!((head.uri.to_string().as_str(), head.headers[HOST].to_str().unwrap()), ("/x?y", "b:81"));
        let head = admitted(Request::get("http://b").header("host", "a")).unwrap();
        assert_eq!(head.uri, "/");
        let head = admitted(Request::get("http://b?y=/z").header("host", "a")).unwrap();
        assert_eq!(head.uri, "/?y=/z");
        for target in ["http://u@b/", "ftp://b/"] {
            assert_eq!(
                refused(Request::get(target).header("host", "a")),
                Some(Refusal::HostInvalid),
                "{target}"
            );
        }
    }

    #[test]
    fn options_without_a_path_ask_for_the_server_as_a_whole() {
        let asked = |method: &str, raw: &'static [u8]| {
            let request = Request::builder().method(method).uri("http://b").header("host", "b");
            admitted_as(request, raw).unwrap().uri.to_string()
        };
        assert_eq!(asked("OPTIONS", b"OPTIONS http://b HTTP/1.1\r\n"), "*");
        assert_eq!(asked("OPTIONS", b"OPTIONS http://b/ HTTP/1.1\r\n"), "/");
        assert_eq!(asked("OPTIONS", b"OPTIONS http://b?/ HTTP/1.1\r\n"), "/");
        assert_eq!(asked("GET", b"GET http://b HTTP/1.1\r\n"), "/");
    }

    #[test]
    fn the_authority_of_http_2_is_the_host_and_disagrees_with_none() {
        let get = |uri: &str| Request::get(uri).version(Version::HTTP_2);
        let head = admitted(get("https://b:81/x?y")).unwrap();
        assert_eq!((head.uri.to_string().as_str(), head.headers[HOST].to_str().unwrap()), ("/x?y", "b:81"));
        assert!(admitted(get("http://b/").header("host", "B")).is_ok());
        assert_eq!(refused(get("http://b/").header("host", "a")), Some(Refusal::HostDisagrees));
        assert_eq!(refused(get("http://b/").header("host", "b:80")), Some(Refusal::HostDisagrees));
        assert_eq!(refused(get("/")), Some(Refusal::HostMissing));
        assert!(admitted(get("/").header("host", "a")).is_ok());
        assert_eq!(refused(get("http://u@b/")), Some(Refusal::HostInvalid));
        assert_eq!(refused(get("http://b?x")), Some(Refusal::Path(AmbiguousPath::AuthorityForm)));
    }

    #[test]
    fn the_crumbs_of_a_cookie_become_one_line() {
        let joined = |crumbs: &[&'static str]| {
            let lines = crumbs.iter().map(|crumb| (COOKIE, HeaderValue::from_static(crumb)));
            let mut headers: HeaderMap = HeaderMap::new();
            lines.for_each(|(name, crumb)| {
                headers.append(name, crumb);
            });
            join_cookies(&mut headers);
            headers.get_all(COOKIE).iter().map(|line| line.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(joined(&[]), Vec::<String>::new());
        assert_eq!(joined(&["a=1"]), ["a=1"]);
        assert_eq!(joined(&["a=1", "b=2; c=3", "d="]), ["a=1; b=2; c=3; d="]);
    }

    #[test]
    fn max_forwards_is_counted_down() {
        let options = |left| Request::options("/").header("host", "a").header("max-forwards", left);
        assert_eq!(admitted(options("2")).unwrap().headers[MAX_FORWARDS], "1");
        assert_eq!(refused(options("0")), Some(Refusal::MaxForwards));
        assert_eq!(admitted(options("x")).unwrap().headers[MAX_FORWARDS], "x");
        let get = Request::get("/").header("host", "a").header("max-forwards", "0");
        assert_eq!(admitted(get).unwrap().headers[MAX_FORWARDS], "0");
    }

    #[test]
    fn what_is_not_for_a_proxy_is_refused() {
        let request = |method: &str| Request::builder().method(method).uri("/").header("host", "a");
        assert_eq!(refused(request("TRACE")), Some(Refusal::Trace));
        assert_eq!(
            refused(request("POST").header("transfer-encoding", "chunked")),
            Some(Refusal::TwoLengths)
        );
        assert_eq!(refused(request("POST").header("expect", "coffee")), Some(Refusal::Expectation));
        assert_eq!(refused(request("POST").header("expect", "100-Continue")), None);
        let twice = request("POST").header("expect", "100-continue").header("expect", "coffee");
        assert_eq!(refused(twice), Some(Refusal::Expectation));
        let connect = Request::builder().method("CONNECT").uri("a:443").header("host", "a");
        assert_eq!(refused(connect), Some(Refusal::Connect));
    }

    #[test]
    fn chunked_is_the_only_coding() {
        let coded = |coding: &str| {
            let request = Request::post("/").header("host", "a").header("transfer-encoding", coding);
            admitted_as(request, b"").err()
        };
        for coding in ["chunked", "Chunked", ", chunked", "chunked ,\t,"] {
            assert_eq!(coded(coding), None, "{coding}");
        }
        for coding in ["gzip, chunked", "chunked, chunked", "chunked, x", "", ",", "x"] {
            assert_eq!(coded(coding), Some(Refusal::TransferCoding), "{coding}");
        }
    }

    #[test]
    fn a_target_has_no_fragment() {
        let get = || Request::get("/a").header("host", "a");
        assert_eq!(
            admitted_as(get(), b"GET /a#b HTTP/1.1\r\n").err(),
            Some(Refusal::Path(AmbiguousPath::Fragment))
        );
        assert_eq!(admitted_as(get(), b"GET /a HTTP/1.1\r\nX: #\r\n").err(), None);
        let odd = || Request::builder().method("G#T").uri("/a").header("host", "a");
        assert_eq!(admitted_as(odd(), b"G#T /a HTTP/1.1\r\n").err(), None);
    }

    #[test]
    fn what_is_over_a_limit_is_refused() {
        let long = |bytes| format!("/{}", "x".repeat(bytes));
        assert_eq!(refused(Request::get(long(9000)).header("host", "a")), Some(Refusal::TargetTooLong));
        let fat = Request::get("/").header("host", "a").header("x", "x".repeat(70_000));
        assert_eq!(refused(fat), Some(Refusal::HeadTooLarge));
        let many = (0..101)
            .fold(Request::get("/").header("host", "a"), |request, n| request.header(format!("x-{n}"), ""));
        assert_eq!(refused(many), Some(Refusal::HeadTooLarge));
    }

    #[test]
    fn a_length_that_cannot_be_counted_to_is_found_wherever_the_head_begins() {
        for raw in [
            "POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\ncontent-length:18446744073709551614\r\n\r\n",
            "gth: 1\r\nContent-Length: 18446744073709551614\r\n",
        ] {
            assert!(announces_too_much(raw.as_bytes()), "{raw:?}");
        }
        for raw in
            ["Content-Length: 18446744073709551613\r\n", "X: 18446744073709551615\r\n", "GET /\r\n", ""]
        {
            assert!(!announces_too_much(raw.as_bytes()), "{raw:?}");
        }
    }

    #[test]
    fn a_target_that_has_no_end_is_known_for_one() {
        for raw in ["GET /xxxx", "DELETE http://a/x?"] {
            assert!(is_all_target(raw.as_bytes()), "{raw:?}");
        }
        for raw in ["", "xxxx", "GET / HTTP/1.1\r\nX: xxx", " xxxx", "x y"] {
            assert!(!is_all_target(raw.as_bytes()), "{raw:?}");
        }
    }

    #[test]
    fn a_content_length_is_found_in_a_raw_head_only() {
        let found = |raw: &[u8]| has_content_length(raw, &Method::POST);
        assert!(found(b"POST / HTTP/1.1\r\nHost: a\r\ncOntent-lEngth: 3\r\n\r\nabc"));
        assert!(found(b"POST / HTTP/1.1\nContent-Length:3\n\n"));
        assert!(!found(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n1d\r\n\r\nContent-Length: 3\r\n"));
        assert!(!found(b"/content-length HTTP/1.1\r\nContent-Length: 3\r\n\r\n"));
    }
}
