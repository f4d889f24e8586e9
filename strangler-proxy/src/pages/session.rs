//! What a browser is given instead of the token, and what goes with every form.
//!
//! A session is the name of a token and a time, signed with a key that follows from the token itself: it outlives a
//! restart, and ends when the token is taken out of the config. Nothing is remembered for it.

use blake3::Hash;
use diff_harness::exchange::UnixMillis;
use http::HeaderMap;
use http::header::COOKIE;

use crate::admin::{AdminConfig, Admitted, By, Token};

pub(super) const SESSION_COOKIE: &str = "strangler_session";
pub(super) const NAME_COOKIE: &str = "strangler_name";
/// A working day and an evening.
pub(super) const SESSION_SECONDS: u64 = 16 * 3_600;

/// `EXPIRY.NAME.SIGNATURE`, the name in hexadecimal digits.
pub(super) fn issue(token: &Token, now: UnixMillis) -> String {
    let said = format!("{}.{}", now.0 / 1_000 + SESSION_SECONDS, hex(token.name.as_bytes()));
    let signature = sign(token, &said);
    format!("{said}.{signature}")
}

/// Who a session stands for: none that has ended, or whose token is not known any more.
pub(super) fn read(access: &AdminConfig, headers: &HeaderMap, now: UnixMillis) -> Option<Admitted> {
    let value = cookie(headers, SESSION_COOKIE)?;
    let (said, signature) = value.rsplit_once('.')?;
    let (expiry, name) = said.split_once('.')?;
    let signature = Hash::from_hex(signature).ok()?;
    let token = access.tokens.iter().find(|token| hex(token.name.as_bytes()) == name)?;
    // Hashes are compared in constant time.
    let is_live =
        sign(token, said) == signature && expiry.parse::<u64>().is_ok_and(|end| now.0 / 1_000 < end);
    is_live.then(|| Admitted { name: token.name.clone(), role: token.role, by: By::Token })
}

fn sign(token: &Token, said: &str) -> Hash {
    let key = blake3::derive_key("strangler review page session 2026-11", token.secret.as_bytes());
    blake3::keyed_hash(&key, said.as_bytes())
}

/// Goes with every form of this visitor. A page of another origin cannot read it.
pub(super) fn form_token(key: &[u8; 32], visitor: &Admitted) -> Hash {
    blake3::keyed_hash(key, format!("{:?}\n{}", visitor.by, visitor.name).as_bytes())
}

/// The value of a cookie; nothing where two cookies have the name, for one of them may be somebody else's.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs =
        headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(';'));
    let mut values = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(known, _)| *known == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

/// `Set-Cookie`. Over HTTPS the cookie stays there.
pub(super) fn set_cookie(name: &str, value: &str, seconds: u64, over_https: bool) -> String {
    let secure = if over_https { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a string takes everything");
        out
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::admin::{AdminLimits, Role};

    const NOW: UnixMillis = UnixMillis(1_000_000_000);

    fn access(secret: &str) -> AdminConfig {
        let token = Token { name: "ann b".to_owned(), secret: secret.to_owned(), role: Role::Reviewer };
        AdminConfig {
            address: AdminConfig::DEFAULT_ADDRESS,
            tokens: vec![token],
            trusted: None,
            limits: AdminLimits::default(),
        }
    }

    fn with(cookies: &[String]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        headers
    }

    #[test]
    fn a_session_stands_for_its_token_until_it_ends() {
        let access = access("0123456789abcdef");
        let cookie = format!("a=b; {SESSION_COOKIE}={}", issue(&access.tokens[0], NOW));
        let headers = with(&[cookie]);
        let known = read(&access, &headers, NOW).unwrap();
        assert_eq!((known.name.as_str(), known.role), ("ann b", Role::Reviewer));
        let last = UnixMillis(NOW.0 + SESSION_SECONDS * 1_000 - 1);
        assert!(read(&access, &headers, last).is_some());
        assert_eq!(read(&access, &headers, UnixMillis(last.0 + 1)), None);
    }

    #[test]
    fn a_cookie_is_for_this_site_alone_and_over_https_stays_there() {
        let over_http = set_cookie(SESSION_COOKIE, "x", 5, false);
        assert_eq!(over_http, "strangler_session=x; Path=/; Max-Age=5; HttpOnly; SameSite=Strict");
        assert_eq!(set_cookie(SESSION_COOKIE, "x", 5, true), format!("{over_http}; Secure"));
    }

    #[test]
    fn a_session_that_was_changed_is_none() {
        let known = access("0123456789abcdef");
        let session = issue(&known.tokens[0], NOW);
        let (said, signature) = session.rsplit_once('.').unwrap();
        let (_, name) = said.split_once('.').unwrap();
        for forged in [
            format!("99999999999.{name}.{signature}"),
            format!("{said}.{}", "0".repeat(64)),
            format!("{said}."),
            said.to_owned(),
            String::new(),
        ] {
            let headers = with(&[format!("{SESSION_COOKIE}={forged}")]);
            assert_eq!(read(&known, &headers, NOW), None, "{forged} was taken");
        }
        let headers = with(&[format!("{SESSION_COOKIE}={session}")]);
        assert_eq!(read(&access("another-secret-00"), &headers, NOW), None, "the token was changed");
        let twice = with(&[format!("{SESSION_COOKIE}={session}"), format!("{SESSION_COOKIE}=x")]);
        assert_eq!(read(&known, &twice, NOW), None);
    }
}
