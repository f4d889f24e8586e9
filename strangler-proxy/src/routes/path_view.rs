//! The normalised view of a request target that routes are matched on.
//!
//! The view is for matching only; the original bytes are forwarded. The danger is that this proxy and an upstream read one
//! target in two ways, so that a request is routed as one endpoint and answered as another. Where servers are
//! known to read a target differently it is refused, or kept away from every endpoint, as the policy says.

use std::borrow::Cow;
use std::fmt;

use super::ambiguous::AmbiguousPath;
use super::literal::{self, Byte};
use super::path_policy::{Encoded, Hazard, PathPolicy};

/// A path as routes are matched on: unreserved characters decoded, percent-encodings in upper case, no query.
///
/// Case is kept: paths are case-sensitive (RFC 3986 §6.2.2.1). An encoded reserved character (`%40`) is another
/// character than the bare one (`@`), by RFC 3986 §2.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathView<'a> {
    path: Cow<'a, str>,
    matchable: bool,
}

impl<'a> PathView<'a> {
    /// Reads a request target as it stood in the request line, or the `:path` of HTTP/2.
    ///
    /// Allocates only where the path must be spelled anew: encoded unreserved characters, percent-encodings in
    /// lower case, characters that should have been encoded.
    pub fn of(target: &'a str, policy: &PathPolicy) -> Result<Self, AmbiguousPath> {
        let path = path_of(target, policy)?;
        let found = Found::scan(path)?;

        let path = if found.respell { literal::normalise(path) } else { Cow::Borrowed(path) };
        let mut view = Self { path, matchable: true };
        view.encoded(found.encoded_slash, policy.encoded_slash, AmbiguousPath::EncodedSlash)?;
        view.encoded(found.backslash, policy.backslash, AmbiguousPath::Backslash)?;
        view.encoded(found.semicolon, policy.path_parameters, AmbiguousPath::PathParameters)?;
        view.encoded(found.non_ascii, policy.non_ascii, AmbiguousPath::NonAscii)?;
        view.hazard(found.double_slash, policy.duplicate_slash, AmbiguousPath::DuplicateSlash)?;
        let dots = found.dot && has_dot_segment(&view.path);
        view.hazard(dots, policy.dot_segments, AmbiguousPath::DotSegment)?;
        Ok(view)
    }

    /// The path as it is matched. Starts with a slash and is ASCII.
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// Whether it may match an endpoint at all. One that may not is control's.
    pub fn is_matchable(&self) -> bool {
        self.matchable
    }

    fn encoded(&mut self, found: bool, policy: Encoded, why: AmbiguousPath) -> Result<(), AmbiguousPath> {
        match policy {
            Encoded::Opaque => Ok(()),
            Encoded::Control => self.hazard(found, Hazard::Control, why),
            Encoded::Refuse => self.hazard(found, Hazard::Refuse, why),
        }
    }

    fn hazard(&mut self, found: bool, policy: Hazard, why: AmbiguousPath) -> Result<(), AmbiguousPath> {
        match (found, policy) {
            (false, _) => Ok(()),
            (true, Hazard::Refuse) => Err(why),
            (true, Hazard::Control) => {
                self.matchable = false;
                Ok(())
            }
        }
    }
}

impl fmt::Display for PathView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// Takes the path out of the target: RFC 9112 §3.2.
fn path_of<'a>(target: &'a str, policy: &PathPolicy) -> Result<&'a str, AmbiguousPath> {
    let path = match target.as_bytes() {
        [] => return Err(AmbiguousPath::Empty),
        b"*" => return Err(AmbiguousPath::AsteriskForm),
        [b'/', ..] => target,
        _ => {
            let path = absolute_path(target).ok_or(AmbiguousPath::AuthorityForm)?;
            if policy.absolute_form != Encoded::Opaque {
                return Err(AmbiguousPath::AbsoluteForm);
            }
            path
        }
    };
    Ok(path.split_once('?').map_or(path, |(path, _)| path))
}

/// From the path on, of `http://authority/path?query`. An empty path is `/` (RFC 9110 §4.2.3).
fn absolute_path(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // User information is deprecated (RFC 9110 §4.2.4) and the usual way to disguise a host.
    if authority.is_empty() || authority.contains(['@', '\\', '%']) {
        return None;
    }
    match path.as_bytes().first() {
        None | Some(b'?') => Some("/"),
        _ => Some(path),
    }
}

/// What one pass over the path found.
#[derive(Default)]
struct Found {
    respell: bool,
    encoded_slash: bool,
    backslash: bool,
    double_slash: bool,
    semicolon: bool,
    non_ascii: bool,
    dot: bool,
}

impl Found {
    fn scan(path: &str) -> Result<Self, AmbiguousPath> {
        let bytes = path.as_bytes();
        let mut found = Self::default();
        let mut at = 0;
        while at < bytes.len() {
            match literal::byte(bytes[at]) {
                Byte::Plain => {
                    found.dot |= bytes[at] == b'.';
                    found.semicolon |= bytes[at] == b';';
                }
                Byte::Slash => found.double_slash |= bytes.get(at + 1) == Some(&b'/'),
                Byte::Percent => {
                    let plain = literal::decoded(&bytes[at..]).ok_or(AmbiguousPath::InvalidPercent)?;
                    found.encoded(plain, &bytes[at + 1..at + 3])?;
                    at += 2;
                }
                Byte::Backslash => {
                    found.backslash = true;
                    found.respell = true;
                }
                Byte::NonAscii => {
                    found.non_ascii = true;
                    found.respell = true;
                }
                Byte::Control => return Err(AmbiguousPath::ControlCharacter),
                Byte::Foreign if bytes[at] == b'#' => return Err(AmbiguousPath::Fragment),
                Byte::Foreign => found.respell = true,
            }
            at += 1;
        }
        Ok(found)
    }

    fn encoded(&mut self, plain: u8, digits: &[u8]) -> Result<(), AmbiguousPath> {
        match plain {
            0 => return Err(AmbiguousPath::Nul),
            b'/' => self.encoded_slash = true,
            b'\\' => self.backslash = true,
            b'.' => self.dot = true,
            _ => {}
        }
        self.respell |= literal::is_unreserved(plain) || digits.iter().any(u8::is_ascii_lowercase);
        Ok(())
    }
}

/// Whether any server could see a `.` or `..` segment in the normalised path.
fn has_dot_segment(path: &str) -> bool {
    let path = path.as_bytes();
    let mut at = 0;
    while let Some(ahead) = path[at..].iter().position(|byte| *byte == b'.') {
        let begin = at + ahead;
        at = begin + path[begin..].iter().take_while(|byte| **byte == b'.').count();
        if at - begin <= 2 && is_boundary_behind(&path[..begin]) && is_boundary_ahead(&path[at..]) {
            return true;
        }
    }
    false
}

/// Whether a segment begins after these bytes, to a server that decodes `%2F` and `%5C` or to one that does not.
fn is_boundary_behind(before: &[u8]) -> bool {
    [&b"/"[..], b"%2F", b"%5C"].iter().any(|end| before.ends_with(end))
}

/// Whether the name of a segment ends before these bytes: at its end, or where path parameters begin.
fn is_boundary_ahead(after: &[u8]) -> bool {
    after.is_empty() || [&b"/"[..], b"%2F", b"%5C", b";", b"%3B"].iter().any(|begin| after.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_default(target: &str) -> Result<PathView<'_>, AmbiguousPath> {
        PathView::of(target, &PathPolicy::default())
    }

    #[test]
    fn equal_paths_have_one_view() {
        for (target, expected) in [
            ("/", "/"),
            ("/playlists/1?limit=2", "/playlists/1"),
            ("/playlists/1?../%2f%00", "/playlists/1"),
            ("/%70laylists/%7Eme", "/playlists/~me"),
            ("/a/%c3%a9", "/a/%C3%A9"),
            ("/users/soundcloud:users:1", "/users/soundcloud:users:1"),
            ("/users/%3a", "/users/%3A"),
            ("/Playlists/", "/Playlists/"),
            ("/a/...", "/a/..."),
            ("/a/.well-known", "/a/.well-known"),
            ("/a/{id}", "/a/%7Bid%7D"),
            ("http://example.com", "/"),
            ("http://example.com?x", "/"),
            ("HTTPS://example.com:8443/a/b?c", "/a/b"),
        ] {
            assert_eq!(by_default(target).map(|view| view.to_string()), Ok(expected.to_owned()), "{target}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        use AmbiguousPath as Why;
        for (target, why) in [
            ("", Why::Empty),
            ("*", Why::AsteriskForm),
            ("/a%2fb", Why::EncodedSlash),
            ("/a%2Fb", Why::EncodedSlash),
            ("/a%5cb", Why::Backslash),
            ("/a\\b", Why::Backslash),
            ("/a/../b", Why::DotSegment),
            ("/a/./b", Why::DotSegment),
            ("/a/..", Why::DotSegment),
            ("/.", Why::DotSegment),
            ("/a/%2e%2E/b", Why::DotSegment),
            ("/a/.%2e", Why::DotSegment),
            ("/a/..;x=y/b", Why::DotSegment),
            ("/a/..%3Bx/b", Why::DotSegment),
            ("/a/%00", Why::Nul),
            ("/a%", Why::InvalidPercent),
            ("/a%2", Why::InvalidPercent),
            ("/a%zz", Why::InvalidPercent),
            ("/a%u002e", Why::InvalidPercent),
            ("/caf\u{e9}", Why::NonAscii),
            ("/a b", Why::ControlCharacter),
            ("/a\r\nb", Why::ControlCharacter),
            ("/a#b", Why::Fragment),
            ("example.com:443", Why::AuthorityForm),
            ("a/b", Why::AuthorityForm),
            ("ftp://example.com/", Why::AuthorityForm),
            ("http://user@example.com/", Why::AuthorityForm),
            ("http:///a", Why::AuthorityForm),
            ("http://example.com#a", Why::Fragment),
            ("http://example.com/../a", Why::DotSegment),
        ] {
            assert_eq!(by_default(target), Err(why), "{target}");
        }
    }

    #[test]
    fn an_empty_segment_goes_to_control_by_default_and_is_refused_on_request() {
        for target in ["//", "/a//b", "//example.com/a"] {
            assert!(!by_default(target).unwrap().is_matchable(), "{target}");
            let policy = PathPolicy { duplicate_slash: Hazard::Refuse, ..PathPolicy::default() };
            assert_eq!(PathView::of(target, &policy), Err(AmbiguousPath::DuplicateSlash));
        }
        assert!(by_default("/a/").unwrap().is_matchable());
    }

    #[test]
    fn a_policy_lets_through_what_it_says() {
        let strict = PathPolicy::default();
        let opaque_slash = PathPolicy { encoded_slash: Encoded::Opaque, ..strict };
        let view = PathView::of("/projects/group%2fname", &opaque_slash).unwrap();
        assert_eq!(view.as_str(), "/projects/group%2Fname");
        assert!(view.is_matchable());
        // A dot segment behind an encoded slash is still one to a server that decodes first.
        assert_eq!(PathView::of("/a/x%2f..%2fb", &opaque_slash), Err(AmbiguousPath::DotSegment));

        let slash_to_control = PathPolicy { encoded_slash: Encoded::Control, ..strict };
        assert!(!PathView::of("/a%2fb", &slash_to_control).unwrap().is_matchable());

        let dots_to_control = PathPolicy { dot_segments: Hazard::Control, ..strict };
        assert!(!PathView::of("/a/../b", &dots_to_control).unwrap().is_matchable());

        let backslash = PathPolicy { backslash: Encoded::Opaque, ..strict };
        assert_eq!(PathView::of("/a\\b", &backslash).unwrap().as_str(), "/a%5Cb");

        let utf8 = PathPolicy { non_ascii: Encoded::Opaque, ..strict };
        assert_eq!(PathView::of("/caf\u{e9}", &utf8).unwrap().as_str(), "/caf%C3%A9");

        let no_parameters = PathPolicy { path_parameters: Encoded::Refuse, ..strict };
        assert_eq!(PathView::of("/a;b", &no_parameters), Err(AmbiguousPath::PathParameters));

        let no_absolute = PathPolicy { absolute_form: Encoded::Refuse, ..strict };
        assert_eq!(PathView::of("http://a/b", &no_absolute), Err(AmbiguousPath::AbsoluteForm));
    }

    /// The same by splitting, which is plainer and slower.
    fn has_dot_segment_by_splitting(path: &str) -> bool {
        let is_dots = |segment: &str| {
            let name = segment.split_once(';').map_or(segment, |(name, _)| name);
            let name = name.split_once("%3B").map_or(name, |(name, _)| name);
            name == "." || name == ".."
        };
        path.split('/').flat_map(|it| it.split("%2F")).flat_map(|it| it.split("%5C")).any(is_dots)
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4_000))]
        #[test]
        fn dot_segments_are_found_as_by_splitting(parts in "(/|\\.|\\.\\.|;|a|%2F|%5C|%3B|%25){0,8}") {
            let path = format!("/{parts}");
            proptest::prop_assert_eq!(has_dot_segment(&path), has_dot_segment_by_splitting(&path), "{}", path);
        }
    }

    #[test]
    fn the_common_case_borrows() {
        let view = by_default("/playlists/1/tracks?limit=10").unwrap();
        assert!(matches!(view.path, Cow::Borrowed(_)));
    }
}
