//! The PROXY protocol, versions 1 and 2: what a load balancer says of the client before the client's first byte.
//!
//! Source: "The PROXY protocol, versions 1 & 2" by Willy Tarreau (haproxy.org), §2.1 and §2.2.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

use super::config::Network;

/// What is expected of it on a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyProtocol {
    pub versions: ProxyVersions,
    /// Who may say it. Whoever may connect to a Unix socket may.
    pub senders: Vec<Network>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyVersions {
    V1,
    V2,
    Any,
}

/// What was sent is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyHeaderError {
    #[error("it is not a header of the PROXY protocol")]
    Malformed,
    #[error("the sender left: {0}")]
    Io(#[from] io::Error),
}

use ProxyHeaderError::Malformed;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// §2.1: the longest line of version 1, with its end.
const LINE_MAX: usize = 107;
/// The shortest that names an address.
const LINE_MIN: usize = b"PROXY TCP6 :: :: 1 1\r\n".len();
/// Addresses and what a sender adds to them: names, TLS versions, ids. §2.2 allows 65,535 bytes, and nobody needs them.
const ADDED_MAX: usize = 4096;

impl ProxyProtocol {
    pub(super) fn trusts(&self, peer: Option<SocketAddr>) -> bool {
        peer.is_none_or(|peer| self.senders.iter().any(|network| network.contains(peer.ip())))
    }
}

/// Reads the header and not a byte more. `None`: the sender speaks for itself.
pub(super) async fn read(
    from: &mut (impl AsyncRead + Unpin),
    versions: ProxyVersions,
) -> Result<Option<SocketAddr>, ProxyHeaderError> {
    let mut first = [0; SIGNATURE.len()];
    from.read_exact(&mut first).await?;
    match (first == SIGNATURE, versions) {
        (true, ProxyVersions::V2 | ProxyVersions::Any) => {
            let mut head = [0; 4];
            from.read_exact(&mut head).await?;
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            if length > ADDED_MAX {
                return Err(Malformed);
            }
            let mut added = vec![0; length];
            from.read_exact(&mut added).await?;
            binary(head[0], head[1], &added)
        }
        (false, ProxyVersions::V1 | ProxyVersions::Any) if first.starts_with(b"PROXY ") => {
            let mut line = first.to_vec();
            // As much as is there for certain; the rest byte by byte, since what follows is the client's.
            let certain = if line.starts_with(b"PROXY TCP") { LINE_MIN - line.len() } else { 0 };
            line.resize(line.len() + certain, 0);
            let at = line.len() - certain;
            from.read_exact(&mut line[at..]).await?;
            while !line.ends_with(b"\r\n") {
                if line.len() == LINE_MAX {
                    return Err(Malformed);
                }
                line.push(from.read_u8().await?);
            }
            text(&line[..line.len() - 2])
        }
        _ => Err(Malformed),
    }
}

/// Version 1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443`.
fn text(line: &[u8]) -> Result<Option<SocketAddr>, ProxyHeaderError> {
    let line = std::str::from_utf8(line).map_err(|_| Malformed)?;
    let mut words = line.split(' ').skip(1);
    let mut word = || words.next().ok_or(Malformed);
    let family = word()?;
    if family == "UNKNOWN" {
        // §2.1: what follows is to be ignored.
        return Ok(None);
    }
    let address = |text: &str| -> Result<IpAddr, ProxyHeaderError> {
        match family {
            "TCP4" => text.parse::<Ipv4Addr>().map(IpAddr::V4).map_err(|_| Malformed),
            "TCP6" => text.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| Malformed),
            _ => Err(Malformed),
        }
    };
    let (source, _) = (address(word()?)?, address(word()?)?);
    let (port, _) = (port(word()?)?, port(word()?)?);
    if words.next().is_some() {
        return Err(Malformed);
    }
    Ok(Some(SocketAddr::new(source, port)))
}

/// §2.1: without leading zeroes.
fn port(text: &str) -> Result<u16, ProxyHeaderError> {
    let plain = text.bytes().all(|digit| digit.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain).ok_or(Malformed)
}

/// Version 2: version and command, family and protocol, then addresses and what is added to them.
fn binary(command: u8, family: u8, added: &[u8]) -> Result<Option<SocketAddr>, ProxyHeaderError> {
    match command {
        // LOCAL: the sender's own connection, such as a health check. The addresses are to be ignored.
        0x20 => return Ok(None),
        0x21 => {}
        _ => return Err(Malformed),
    }
    match family {
        // TCP over IPv4: both addresses, both ports.
        0x11 => {
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *added.first_chunk::<12>().ok_or(Malformed)?;
            let source = Ipv4Addr::new(a, b, c, d);
            Ok(Some(SocketAddr::new(source.into(), u16::from_be_bytes([high, low]))))
        }
        0x21 => {
            let both = added.first_chunk::<36>().ok_or(Malformed)?;
            let source: [u8; 16] = *both.first_chunk().ok_or(Malformed)?;
            Ok(Some(SocketAddr::new(Ipv6Addr::from(source).into(), u16::from_be_bytes([both[32], both[33]]))))
        }
        // Unspecified, or a Unix socket of two 108-byte names: a client without an address.
        0x00 => Ok(None),
        0x31 if added.len() >= 216 => Ok(None),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a header says, and what is left after it.
    fn parsed(bytes: &[u8], versions: ProxyVersions) -> Result<(Option<SocketAddr>, Vec<u8>), String> {
        let mut left = bytes;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(read(&mut left, versions)).map_err(|error| error.to_string())?;
        Ok((read, left.to_vec()))
    }

    fn v2(command: u8, family: u8, added: &[u8]) -> Vec<u8> {
        let length = u16::try_from(added.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, added].concat()
    }

    fn some(address: &str) -> Option<SocketAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn a_line_names_the_client() {
        for (line, expected) in [
            ("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", some("192.0.2.1:56324")),
            ("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n", some("1.1.1.1:1")),
            ("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n", some("[2001:db8::1]:65535")),
            ("PROXY TCP6 :: :: 1 1\r\n", some("[::]:1")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
        ] {
            let rest = format!("{line}GET / HTTP/1.1\r\n");
            for versions in [ProxyVersions::V1, ProxyVersions::Any] {
                let (client, left) = parsed(rest.as_bytes(), versions).unwrap();
                assert_eq!((client, left.as_slice()), (expected, &b"GET / HTTP/1.1\r\n"[..]), "{line:?}");
            }
            assert!(parsed(rest.as_bytes(), ProxyVersions::V2).is_err(), "{line:?}");
        }
    }

    #[test]
    fn what_is_no_such_line_is_refused() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        for line in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n    ",
            "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 1\r\n",
            "PROXY TCP4 192.0.2.1  192.0.2.2 56324 443\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 56324 99999\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 +5632 443\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 056324 443\r\n",
            "PROXY TCP4 192.0.2.256 192.0.2.2 56324 443\r\n",
            "PROXY TCP4 2001:db8::1 ::1 56324 443\r\n",
            "PROXY TCP6 192.0.2.1 192.0.2.2 56324 443\r\n",
            "PROXY UDP4 192.0.2.1 192.0.2.2 56324 443\r\n",
            "proxy TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n",
            &long,
        ] {
            assert!(parsed(line.as_bytes(), ProxyVersions::Any).is_err(), "{line:?} was taken");
        }
    }

    #[test]
    fn a_binary_header_names_the_client() {
        let v4 = [192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 0x04, 1, 187];
        let mut v6 = [0; 36];
        v6[..16].copy_from_slice(&"2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        v6[33] = 80;
        let added = [&v4[..], &[0x04, 0, 3, b'a', b'b', b'c']].concat();
        for (header, expected) in [
            (v2(0x21, 0x11, &v4), some("192.0.2.1:56324")),
            (v2(0x21, 0x11, &added), some("192.0.2.1:56324")),
            (v2(0x21, 0x21, &v6), some("[2001:db8::1]:80")),
            (v2(0x20, 0x11, &v4), None),
            (v2(0x20, 0x00, &[]), None),
            (v2(0x21, 0x00, &[]), None),
            (v2(0x21, 0x31, &[0; 216]), None),
        ] {
            let (client, left) = parsed(&[&header[..], b"rest"].concat(), ProxyVersions::Any).unwrap();
            assert_eq!((client, left.as_slice()), (expected, &b"rest"[..]), "{header:?}");
            assert!(parsed(&header, ProxyVersions::V1).is_err());
        }
    }

    #[test]
    fn what_is_no_such_header_is_refused() {
        for header in [
            v2(0x21, 0x11, &[0; 11]),
            v2(0x21, 0x21, &[0; 35]),
            v2(0x21, 0x31, &[0; 215]),
            v2(0x21, 0x12, &[0; 12]),
            v2(0x11, 0x11, &[0; 12]),
            v2(0x22, 0x11, &[0; 12]),
            v2(0x21, 0x11, &[0; ADDED_MAX + 1]),
            v2(0x21, 0x11, &[0; 12])[..20].to_vec(),
        ] {
            assert!(parsed(&header, ProxyVersions::Any).is_err(), "{header:?} was taken");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for head in [&b""[..], b"PROXY ", b"PROXY TCP4 ", &SIGNATURE] {
                let sent = [head, &bytes].concat();
                if let Ok((_, left)) = parsed(&sent, ProxyVersions::Any) {
                    prop_assert!(sent.ends_with(&left) && left.len() < sent.len());
                }
            }
        }

        #[test]
        fn every_client_is_named_as_it_was_written(source: SocketAddr, rest in ".{0,40}") {
            let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
            let (ip, port) = (source.ip(), source.port());
            let line = format!("PROXY {family} {ip} {ip} {port} 1\r\n{rest}");
            let (client, left) = parsed(line.as_bytes(), ProxyVersions::V1).unwrap();
            prop_assert_eq!(client, Some(SocketAddr::new(ip, port)));
            prop_assert_eq!(left, rest.as_bytes());
        }
    }
}
