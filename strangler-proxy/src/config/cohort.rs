//! By what a canary tells one person from another, as it is written.

use std::str::FromStr;

use http::HeaderName;
use serde::Deserialize;
use toml::Spanned;

use super::error::{ConfigError, Source};
use super::file::Cohort;
use crate::data_plane::CohortKey;
use crate::routes::cohort::{BasePath, CohortGroups, GroupPattern};

/// `header:NAME`, `cookie:NAME` or `client-address`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Key(pub(super) CohortKey);

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!("`{text}` is not a cohort key: expected `header:NAME`, `cookie:NAME` or `client-address`")
        };
        // RFC 6265 §4.1.1: a cookie's name is a token, as a header's is.
        let token = |name: &str| HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong());
        let key = match text.split_once(':') {
            Some(("header", name)) => CohortKey::Header(token(name)?),
            Some(("cookie", name)) => token(name).map(|_| CohortKey::Cookie(name.to_owned()))?,
            None if text == "client-address" => CohortKey::ClientAddress,
            _ => return Err(wrong()),
        };
        Ok(Self(key))
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl Cohort {
    pub(super) fn groups(&self, source: &Source<'_>) -> Result<CohortGroups, ConfigError> {
        let base = match &self.base_path {
            Some(base) => base.get_ref().parse().map_err(|wrong: String| source.wrong(base.span(), wrong))?,
            None => BasePath::default(),
        };
        let pattern = |(pattern, group): (&Spanned<String>, &String)| {
            let parsed = pattern.get_ref().parse::<GroupPattern>();
            parsed.map(|parsed| (parsed, group.clone())).map_err(|wrong| source.wrong(pattern.span(), wrong))
        };
        Ok(CohortGroups { base, named: self.groups.iter().map(pattern).collect::<Result<_, _>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_header_a_cookie_or_the_address() {
        let key = |text: &str| text.parse::<Key>().unwrap().0;
        assert_eq!(key("header:X-User"), CohortKey::Header(HeaderName::from_static("x-user")));
        assert_eq!(key("cookie:Session"), CohortKey::Cookie("Session".to_owned()));
        assert_eq!(key("client-address"), CohortKey::ClientAddress);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "header", "header:", "header:a b", "cookie:", "cookie:a=b", "ip"] {
            assert!(text.parse::<Key>().is_err(), "{text:?} was taken");
        }
    }
}
