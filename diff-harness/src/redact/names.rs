//! The names whose values are secret.

use std::collections::HashSet;

pub(super) const HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "api-key",
    "x-api-key",
    "x-auth-token",
    "x-access-token",
    "x-csrf-token",
    "x-xsrf-token",
    "x-session-id",
    "x-session-token",
    "x-amz-security-token",
    "x-goog-api-key",
    "private-token",
    // They say who a client is: RFC 9440, and what proxies called it before.
    "client-cert",
    "client-cert-chain",
    "x-client-cert",
    "x-forwarded-client-cert",
    "x-ssl-client-cert",
];

/// Secret in a query, in JSON and in a form alike.
pub(super) const EVERYWHERE: &[&str] = &[
    "access_token",
    "api_key",
    "apikey",
    "auth_token",
    "authenticity_token",
    "client_secret",
    "csrf_token",
    "csrfmiddlewaretoken",
    "current_password",
    "id_token",
    "new_password",
    "passphrase",
    "passwd",
    "password",
    "password_confirmation",
    "private_key",
    "refresh_token",
    "secret",
    "secret_key",
    "secret_token",
    "session_id",
    "session_token",
    "token",
    "xsrf_token",
    "_xsrf",
];

/// Signed URLs.
pub(super) const QUERY: &[&str] =
    &["sig", "signature", "x-amz-signature", "x-amz-security-token", "x-goog-signature"];

/// A set of names, compared without regard to case, `-` and `_`.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    pub(super) fn of(names: &[String]) -> Self {
        Self(names.iter().map(|name| folded(name)).filter(|name| !name.is_empty()).collect())
    }

    pub(super) fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains(&folded(name))
    }
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}
