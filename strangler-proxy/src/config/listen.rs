//! Where clients connect: `[listen]`, `[[listener]]` and `--listen` brought together.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::DEFAULT_LISTEN;
use super::error::{ConfigError, Source};
use super::file::{self, Listen};
use super::units::{Positive, Time};
use crate::data_plane::{
    Address, ClientCertificates, Identity, Listener, Network, ProxyProtocol, ProxyVersions, Tls,
};

/// What the command line says is the only one. `[listen]` stands for a plain one, beside those that are named; with none
/// named at all it is the default.
pub(super) fn listeners(
    source: &Source<'_>,
    (shorthand, named): (&Listen, &[file::Listener]),
    flag: Option<&Address>,
    beside: &impl Fn(&str) -> PathBuf,
) -> Result<Vec<Listener>, ConfigError> {
    // The file is checked whole, also where the command line says something else.
    let mut listeners = Vec::new();
    if let Some(written) = &shorthand.address {
        listeners.push(Listener::new(address(source, written, beside)?));
    }
    for written in named {
        let listener = listener(source, written, beside)?;
        if listeners.iter().any(|other| is_same(&other.address, &listener.address)) {
            return Err(
                source.wrong(written.address.span(), format!("a second listener on {}", listener.address))
            );
        }
        listeners.push(listener);
    }
    match flag {
        Some(flag) => Ok(vec![Listener::new(flag.clone())]),
        None if listeners.is_empty() => Ok(vec![Listener::new(DEFAULT_LISTEN)]),
        None => Ok(listeners),
    }
}

fn listener(
    source: &Source<'_>,
    written: &file::Listener,
    beside: &impl Fn(&str) -> PathBuf,
) -> Result<Listener, ConfigError> {
    let mut address = address(source, &written.address, beside)?;
    if let Some(text) = &written.mode {
        let Address::Unix { mode, .. } = &mut address else {
            return Err(
                source.wrong(text.span(), format!("a mode is for a socket file, and {address} is none"))
            );
        };
        *mode = mode_of(text.get_ref()).ok_or_else(|| {
            let message =
                format!("`{}` is not a file mode: expected octal digits such as `0660`", text.get_ref());
            source.wrong(text.span(), message)
        })?;
    }
    Ok(Listener {
        proxy_protocol: proxy_protocol(source, written, &address)?,
        address,
        connections_max: written.connections.map(|max| max.0),
        requests_max: written.requests.map(|max| max.0),
        tls: written.tls.as_ref().map(|tls| self::tls(source, tls, beside)).transpose()?,
    })
}

/// The files are read once here, so that what is wrong with them is told before anything is started.
fn tls(
    source: &Source<'_>,
    written: &Spanned<file::Tls>,
    beside: &impl Fn(&str) -> PathBuf,
) -> Result<Tls, ConfigError> {
    let file = written.get_ref();
    let mut tls = Tls::new(beside(&file.certificate), beside(&file.key));
    let more = file.certificates.iter();
    tls.certificates
        .extend(more.map(|pair| Identity { certificate: beside(&pair.certificate), key: beside(&pair.key) }));
    if let Some(version) = &file.min_version {
        tls.allows_tls_12 = match version.get_ref().as_str() {
            "1.2" => true,
            "1.3" => false,
            other => {
                let message =
                    format!("`{other}` is no version of TLS that is spoken: expected \"1.2\" or \"1.3\"");
                return Err(source.wrong(version.span(), message));
            }
        };
    }
    let wanted = file.client_certificates.as_ref();
    let required = match wanted.map_or("required", |wanted| wanted.get_ref().as_str()) {
        "required" => true,
        "optional" => false,
        other => {
            let span = wanted.map_or(written.span(), Spanned::span);
            let message = format!("`{other}` is not known here: expected \"required\" or \"optional\"");
            return Err(source.wrong(span, message));
        }
    };
    tls.clients = match (&file.client_ca, wanted) {
        (Some(ca), _) => Some(ClientCertificates { ca: beside(ca), required }),
        (None, None) => None,
        (None, Some(wanted)) => {
            return Err(source
                .wrong(wanted.span(), "client certificates are asked for, and nothing says who may sign them")
                .hint("add client_ca = \"clients.pem\""));
        }
    };
    if let Some(Time(timeout)) = file.handshake {
        tls.handshake_timeout = timeout;
    }
    if let Some(Positive(max)) = file.handshakes {
        tls.handshakes_max = max;
    }
    tls.check().map_err(|error| source.wrong(written.span(), error.to_string()))?;
    Ok(tls)
}

fn proxy_protocol(
    source: &Source<'_>,
    written: &file::Listener,
    address: &Address,
) -> Result<Option<ProxyProtocol>, ConfigError> {
    let senders = &written.proxy_protocol_from;
    let network = |text: &Spanned<String>| {
        text.get_ref().parse::<Network>().map_err(|problem| source.wrong(text.span(), problem))
    };
    let senders = senders.iter().map(network).collect::<Result<Vec<_>, _>>()?;
    let Some(word) = &written.proxy_protocol else { return Ok(None) };
    let versions = match word.get_ref().as_str() {
        "off" => return Ok(None),
        "v1" => ProxyVersions::V1,
        "v2" => ProxyVersions::V2,
        "any" => ProxyVersions::Any,
        other => {
            let message = format!(
                "`{other}` is no version of the PROXY protocol: expected \"off\", \"v1\", \"v2\" or \"any\""
            );
            return Err(source.wrong(word.span(), message));
        }
    };
    if senders.is_empty() && address.tcp().is_some() {
        return Err(source
            .wrong(word.span(), "nobody is trusted to say who the client is, so nobody could connect")
            .hint("name the load balancers: proxy_protocol_from = [\"10.0.0.0/8\"]"));
    }
    Ok(Some(ProxyProtocol { versions, senders }))
}

fn address(
    source: &Source<'_>,
    written: &Spanned<String>,
    beside: &impl Fn(&str) -> PathBuf,
) -> Result<Address, ConfigError> {
    let wrong = |problem| source.wrong(written.span(), problem);
    Ok(match written.get_ref().parse().map_err(wrong)? {
        Address::Unix { path, mode } => Address::Unix { path: beside_of(&path, beside), mode },
        tcp @ Address::Tcp(_) => tcp,
    })
}

fn beside_of(path: &Path, beside: &impl Fn(&str) -> PathBuf) -> PathBuf {
    path.to_str().map_or_else(|| path.to_owned(), beside)
}

/// Permission bits alone: set-id and sticky bits mean nothing on a socket.
fn mode_of(text: &str) -> Option<u32> {
    let is_octal = (3..=4).contains(&text.len()) && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    u32::from_str_radix(text, 8).ok().filter(|mode| is_octal && *mode <= 0o777)
}

/// Port 0 is another port every time.
fn is_same(one: &Address, other: &Address) -> bool {
    match (one, other) {
        (Address::Tcp(one), Address::Tcp(other)) => one == other && one.port() != 0,
        (Address::Unix { path: one, .. }, Address::Unix { path: other, .. }) => one == other,
        _ => false,
    }
}
