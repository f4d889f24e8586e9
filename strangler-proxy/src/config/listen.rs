//! Where clients connect: `[listen]`, `[[listener]]` and `--listen` brought together.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::DEFAULT_LISTEN;
use super::error::{ConfigError, Source};
use super::file::{self, Listen};
use crate::data_plane::{Address, Listener};

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
    Ok(Listener { address, connections_max: written.connections.map(|max| max.0) })
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
