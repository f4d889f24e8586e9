//! Who the client is, and what an upstream is told of it.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};

use http::header::{COOKIE, FORWARDED, HOST, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, Version};

use super::config::{CohortKey, Forwarding, Network};
use super::door::Secured;
use super::request_id::{self, X_REQUEST_ID};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
/// RFC 9440: what TLS has verified of a client. Only whoever ended its TLS may say it.
const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const CLIENT_CERT_CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");
const SAID_OF_TLS: [HeaderName; 2] = [CLIENT_CERT, CLIENT_CERT_CHAIN];

/// The other end of a client connection. What is said of it is made once for the connection.
pub(super) struct Peer {
    /// `None`: it came by a Unix socket.
    address: Option<IpAddr>,
    trusted: bool,
    address_field: Option<HeaderValue>,
    /// It came over TLS.
    secure: bool,
    /// What TLS has verified of it (RFC 9440).
    certificate: Option<HeaderValue>,
    /// `Forwarded` for the Host last seen.
    forwarded: RefCell<Option<(HeaderValue, HeaderValue)>>,
}

/// `Via` in its two forms (RFC 9110 §7.6.3), made once.
pub(super) struct Via {
    http_10: HeaderValue,
    http_11: HeaderValue,
    http_2: HeaderValue,
}

impl Peer {
    pub(super) fn new(peer: Option<SocketAddr>, forwarding: &Forwarding) -> Self {
        let address = peer.map(|peer| peer.ip().to_canonical());
        let trusts = |address| forwarding.trusted.iter().any(|network| network.contains(address));
        let field =
            |address: IpAddr| HeaderValue::from_str(&address.to_string()).expect("an address is plain ASCII");
        Self {
            address,
            trusted: address.map_or(forwarding.trusts_unix, trusts),
            address_field: address.map(field),
            secure: false,
            certificate: None,
            forwarded: RefCell::new(None),
        }
    }

    /// The same over what a handshake has agreed on.
    pub(super) fn secured(self, secured: Option<Secured>) -> Self {
        let secure = secured.is_some();
        Self { secure, certificate: secured.and_then(|secured| secured.certificate), ..self }
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The id that a trusted peer gave, or a new one.
    pub(super) fn request_id(&self, headers: &HeaderMap) -> HeaderValue {
        let given = if self.trusted { headers.get(X_REQUEST_ID) } else { None };
        given.filter(|id| request_id::is_usable(id)).cloned().unwrap_or_else(request_id::make)
    }

    /// Says who asks, by which way. What an untrusted peer said of that is overwritten.
    pub(super) fn introduce(&self, headers: &mut HeaderMap, version: Version, via: &Via, id: &HeaderValue) {
        const ADDED: usize = 6;
        headers.reserve(ADDED);
        headers.append(VIA, via.of(version));
        headers.insert(X_REQUEST_ID, id.clone());
        let host = headers.get(HOST).cloned();
        if self.trusted {
            self.add_to(headers, host);
        } else {
            self.overwrite(headers, host);
        }
        if let Some(certificate) = &self.certificate {
            headers.insert(CLIENT_CERT, certificate.clone());
            headers.remove(CLIENT_CERT_CHAIN);
        }
    }

    fn add_to(&self, headers: &mut HeaderMap, host: Option<HeaderValue>) {
        let mut chain: Vec<u8> = Vec::new();
        for known in headers.get_all(&X_FORWARDED_FOR) {
            chain.extend_from_slice(known.as_bytes());
            chain.extend_from_slice(b", ");
        }
        if let Some(address) = &self.address_field {
            chain.extend_from_slice(address.as_bytes());
            if let Ok(chain) = HeaderValue::from_bytes(&chain) {
                headers.insert(X_FORWARDED_FOR, chain);
            }
        }
        headers.entry(X_FORWARDED_PROTO).or_insert(HeaderValue::from_static(self.scheme()));
        if let Some(host) = host {
            headers.append(FORWARDED, self.forwarded(&host));
            headers.entry(X_FORWARDED_HOST).or_insert(host);
        }
    }

    fn overwrite(&self, headers: &mut HeaderMap, host: Option<HeaderValue>) {
        let is_claim = |name: &str| {
            name.starts_with("x-forwarded-")
                || X_REAL_IP == *name
                || SAID_OF_TLS.iter().any(|said| *said == *name)
        };
        // Servers that hand fields on as variables (RFC 3875 §4.1.18) see no difference between `_` and `-`.
        let claims = |name: &HeaderName| match name.as_str() {
            // None of them begins in another way, and most fields do.
            name if !name.starts_with('x') && !name.starts_with("client") => false,
            name if name.contains('_') => is_claim(&name.replace('_', "-")),
            name => is_claim(name),
        };
        while let Some(name) = headers.keys().find(|name| claims(name)).cloned() {
            headers.remove(name);
        }
        if let Some(address) = &self.address_field {
            headers.insert(X_FORWARDED_FOR, address.clone());
        }
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(self.scheme()));
        if let Some(host) = host {
            headers.insert(FORWARDED, self.forwarded(&host));
            headers.insert(X_FORWARDED_HOST, host);
        } else {
            headers.remove(FORWARDED);
        }
    }

    /// RFC 7239. A connection asks for one host, as a rule, so that the last field is kept.
    fn forwarded(&self, host: &HeaderValue) -> HeaderValue {
        let mut last = self.forwarded.borrow_mut();
        if let Some((for_host, field)) = &*last
            && for_host == host
        {
            return field.clone();
        }
        let address = match self.address {
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => format!("\"[{address}]\""),
            // RFC 7239 §6.2.
            None => "unknown".to_owned(),
        };
        // Quoted: a port's colon cannot stand in a token. Host was checked and has nothing to escape.
        let name = host.to_str().unwrap_or_default();
        let field = HeaderValue::from_str(&format!("for={address};host=\"{name}\";proto={}", self.scheme()))
            .expect("an address and a host are plain ASCII");
        // A copy: the field itself would keep the buffer that the whole head was read into.
        let host = HeaderValue::from_bytes(host.as_bytes()).expect("it was a field's value before");
        *last = Some((host, field.clone()));
        field
    }

    /// By what a canary knows this client (RFC 6265 §5.4 for the cookie).
    pub(super) fn cohort_key<'a>(
        &self,
        headers: &'a HeaderMap,
        key: &CohortKey,
        trusted: &[Network],
    ) -> Option<KeyBytes<'a>> {
        match key {
            CohortKey::Header(name) => headers.get(name).map(|value| KeyBytes::Sent(value.as_bytes())),
            CohortKey::Cookie(name) => {
                let lines = headers.get_all(COOKIE).into_iter();
                let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
                let named = pairs.filter_map(|pair| {
                    let pair = pair.trim_ascii();
                    pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
                });
                named.into_iter().next().map(KeyBytes::Sent)
            }
            CohortKey::ClientAddress => {
                self.client(headers, trusted).map(|address| KeyBytes::Address(address.to_string()))
            }
        }
        .filter(|key| !key.as_ref().is_empty())
    }

    /// The address of the client itself: behind trusted peers, the last one that none of them vouches for.
    fn client(&self, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
        if !self.trusted {
            return self.address;
        }
        let lines = headers.get_all(&X_FORWARDED_FOR).into_iter();
        let chain: Vec<IpAddr> = lines
            .flat_map(|line| line.to_str().unwrap_or_default().split(','))
            .map_while(|address| address.trim().parse().ok())
            .collect();
        let is_trusted = |address: &&IpAddr| trusted.iter().any(|network| network.contains(**address));
        chain.iter().rev().find(|address| !is_trusted(address)).copied().or(self.address)
    }
}

pub(super) enum KeyBytes<'a> {
    Sent(&'a [u8]),
    Address(String),
}

impl AsRef<[u8]> for KeyBytes<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Sent(bytes) => bytes,
            Self::Address(text) => text.as_bytes(),
        }
    }
}

impl Via {
    pub(super) fn new(pseudonym: &str) -> Result<Self, http::header::InvalidHeaderValue> {
        let of = |version: &str| HeaderValue::from_str(&format!("{version} {pseudonym}"));
        Ok(Self { http_10: of("1.0")?, http_11: of("1.1")?, http_2: of("2")? })
    }

    fn of(&self, version: Version) -> HeaderValue {
        match version {
            Version::HTTP_10 => self.http_10.clone(),
            Version::HTTP_2 => self.http_2.clone(),
            _ => self.http_11.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str, trusted: &[&str]) -> Peer {
        let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect();
        Peer::new(
            Some(SocketAddr::new(address.parse().unwrap(), 1)),
            &Forwarding { trusted, ..Forwarding::default() },
        )
    }

    fn introduced(peer: &Peer, fields: &[(&'static str, &'static str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("a:80"));
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let id = peer.request_id(&headers);
        let id = if id == "given" { id } else { HeaderValue::from_static("made") };
        peer.introduce(&mut headers, Version::HTTP_11, &Via::new("p").unwrap(), &id);
        headers.remove(HOST);
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn what_an_untrusted_peer_claims_is_overwritten() {
        let claims = [
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "2.2.2.2"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil"),
            ("x-forwarded-port", "1"),
            ("x-real-ip", "3.3.3.3"),
            ("client-cert", ":AAAA:"),
            ("client-cert-chain", ":AAAA:"),
            ("x_forwarded_for", "1.1.1.1"),
            ("x-forwarded_proto", "https"),
            ("x_real-ip", "3.3.3.3"),
            ("client_cert", ":AAAA:"),
            ("forwarded", "for=4.4.4.4"),
            ("x-request-id", "given"),
        ];
        let peer = peer("192.0.2.1", &[]);
        let expected = [
            "forwarded: for=192.0.2.1;host=\"a:80\";proto=http",
            "via: 1.1 p",
            "x-forwarded-for: 192.0.2.1",
            "x-forwarded-host: a:80",
            "x-forwarded-proto: http",
            "x-request-id: made",
        ];
        assert_eq!(introduced(&peer, &claims), expected);
        assert_eq!(introduced(&peer, &[]), expected);
    }

    #[test]
    fn what_a_trusted_peer_says_is_added_to() {
        let said = [
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "2.2.2.2"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "public"),
            ("forwarded", "for=4.4.4.4"),
            ("via", "1.0 front"),
            ("x-request-id", "given"),
        ];
        assert_eq!(
            introduced(&peer("192.0.2.1", &["192.0.2.0/24"]), &said),
            [
                "forwarded: for=192.0.2.1;host=\"a:80\";proto=http",
                "forwarded: for=4.4.4.4",
                "via: 1.0 front",
                "via: 1.1 p",
                "x-forwarded-for: 1.1.1.1, 2.2.2.2, 192.0.2.1",
                "x-forwarded-host: public",
                "x-forwarded-proto: https",
                "x-request-id: given",
            ]
        );
    }

    /// Trusted or not: what TLS verified of the peer itself is what is told, and no chain of another certificate beside it.
    #[test]
    fn a_verified_certificate_stands_alone() {
        let own = HeaderValue::from_static(":OWN:");
        for trusted in [&[][..], &["192.0.2.0/24"]] {
            let secured = Secured { http2: false, certificate: Some(own.clone()) };
            let peer = peer("192.0.2.1", trusted).secured(Some(secured));
            let lines = introduced(&peer, &[("client-cert", ":AAAA:"), ("client-cert-chain", ":AAAA:")]);
            let said: Vec<_> = lines.iter().filter(|line| line.starts_with("client-cert")).collect();
            assert_eq!(said, ["client-cert: :OWN:"], "{trusted:?}");
        }
        let said = [("client-cert", ":AAAA:"), ("client-cert-chain", ":BBBB:")];
        let lines = introduced(&peer("192.0.2.1", &["192.0.2.0/24"]), &said);
        assert!(
            lines.contains(&"client-cert-chain: :BBBB:".to_owned()),
            "a front that ended TLS is believed"
        );
    }

    #[test]
    fn a_peer_without_an_address_is_unknown() {
        let unix = |trusts_unix| Peer::new(None, &Forwarding { trusts_unix, ..Forwarding::default() });
        let claims = [("x-forwarded-for", "1.1.1.1"), ("x-request-id", "given")];
        let lines = introduced(&unix(false), &claims);
        assert_eq!(lines[0], "forwarded: for=unknown;host=\"a:80\";proto=http");
        assert!(!lines.iter().any(|line| line.starts_with("x-forwarded-for")), "{lines:?}");
        let lines = introduced(&unix(true), &claims);
        assert!(lines.contains(&"x-forwarded-for: 1.1.1.1".to_owned()), "{lines:?}");
        assert!(lines.contains(&"x-request-id: given".to_owned()), "{lines:?}");
        let key = |peer: &Peer| {
            let headers = [(X_FORWARDED_FOR, HeaderValue::from_static("1.1.1.1"))].into_iter().collect();
            let key = peer.cohort_key(&headers, &CohortKey::ClientAddress, &[]);
            key.map(|key| String::from_utf8(key.as_ref().to_vec()).unwrap())
        };
        assert_eq!((key(&unix(false)), key(&unix(true))), (None, Some("1.1.1.1".to_owned())));
    }

    #[test]
    fn an_ipv6_client_is_quoted() {
        let lines = introduced(&peer("2001:db8::7", &[]), &[]);
        assert_eq!(lines[0], "forwarded: for=\"[2001:db8::7]\";host=\"a:80\";proto=http");
    }

    #[test]
    fn a_canary_knows_a_client_by_the_configured_key() {
        let key = |peer: &Peer, key: CohortKey, fields: &[(&'static str, &'static str)]| {
            let trusted = ["192.0.2.0/24".parse().unwrap()];
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, HeaderValue::from_static(value));
            }
            peer.cohort_key(&headers, &key, &trusted)
                .map(|key| String::from_utf8(key.as_ref().to_vec()).unwrap())
        };
        let some = |text: &str| Some(text.to_owned());
        let stranger = peer("192.0.2.1", &[]);
        let header = || CohortKey::Header(HeaderName::from_static("x-user"));
        let cookie = || CohortKey::Cookie("sid".into());
        assert_eq!(key(&stranger, header(), &[("x-user", "7")]), some("7"));
        assert_eq!(key(&stranger, header(), &[]), None);
        assert_eq!(key(&stranger, header(), &[("x-user", "")]), None);
        assert_eq!(key(&stranger, cookie(), &[("cookie", "xsid=1; sid=abc; sid=2")]), some("abc"));
        assert_eq!(key(&stranger, cookie(), &[("cookie", "a=b"), ("cookie", "sid=c")]), some("c"));
        assert_eq!(key(&stranger, cookie(), &[("cookie", "sidx=1")]), None);
        let through = [("x-forwarded-for", "6.6.6.6, 1.1.1.1"), ("x-forwarded-for", "192.0.2.9")];
        assert_eq!(key(&stranger, CohortKey::ClientAddress, &through), some("192.0.2.1"));
        let front = peer("192.0.2.1", &["192.0.2.1"]);
        assert_eq!(key(&front, CohortKey::ClientAddress, &through), some("1.1.1.1"));
    }
}
