//! What a certificate says of itself (RFC 5280 §4.1), for whoever looks after it.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate in force, with the file that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub file: PathBuf,
    pub purpose: Purpose,
    /// As RFC 4514 writes it; may be empty.
    pub subject: String,
    pub issuer: String,
    /// Hosts and addresses that it is for (RFC 5280 §4.2.1.6).
    pub names: Vec<String>,
    /// In lower case and without colons.
    pub serial: String,
    /// Seconds since 1970.
    pub not_before: i64,
    pub not_after: i64,
}

/// What it is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It says who the proxy is, or stands between that one and its CA.
    Shown,
    /// Whom it has signed is believed. TLS does not look at when such a one ends.
    Believed,
}

const DAY: i64 = 24 * 60 * 60;

impl Certificate {
    /// Certificates with the purpose for which they were read from a file. One that cannot be taken apart is left out,
    /// with a line in the log: it may be good enough for TLS all the same.
    pub(super) fn all(file: &Path, purpose: Purpose, ders: &[CertificateDer<'_>]) -> Vec<Self> {
        let read = |der: &CertificateDer<'_>| match X509Certificate::from_der(der) {
            Ok((_, parsed)) => Some(Self::of(file, purpose, &parsed)),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "a certificate cannot be listed");
                None
            }
        };
        ders.iter().filter_map(read).collect()
    }

    fn of(file: &Path, purpose: Purpose, parsed: &X509Certificate<'_>) -> Self {
        let names = parsed.subject_alternative_name().ok().flatten();
        let names = names.map(|found| found.value.general_names.iter().filter_map(name).collect());
        Self {
            file: file.to_owned(),
            purpose,
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            names: names.unwrap_or_default(),
            serial: parsed.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
        }
    }

    /// Whether somebody should see to it that another takes its place: 14 days before its end, or a quarter of its time
    /// where that is less, as it is for one that is made anew every few days.
    pub fn ends_soon(&self, now_s: i64) -> bool {
        let before = (self.not_after.saturating_sub(self.not_before) / 4).min(14 * DAY);
        now_s >= self.not_after.saturating_sub(before)
    }

    /// By what people know it: its first name, else its subject.
    pub fn called(&self) -> &str {
        self.names.first().unwrap_or(&self.subject)
    }
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Believed => "believed",
        }
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => {
            Some((*name).to_owned())
        }
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(change: impl FnOnce(&mut rcgen::CertificateParams)) -> Certificate {
        let mut params =
            rcgen::CertificateParams::new(vec!["a.example".to_owned(), "10.0.0.1".to_owned()]).unwrap();
        params.serial_number = Some(vec![0x0a, 0xff].into());
        params.distinguished_name.push(rcgen::DnType::CommonName, "the proxy");
        change(&mut params);
        let signed = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        Certificate::all(Path::new("a.pem"), Purpose::Shown, &[signed.der().clone()]).remove(0)
    }

    #[test]
    fn a_certificate_says_who_it_is_for_and_until_when() {
        let certificate = made(|params| {
            params.not_before = rcgen::date_time_ymd(2026, 1, 1);
            params.not_after = rcgen::date_time_ymd(2026, 4, 1);
        });
        assert_eq!(certificate.names, ["a.example", "10.0.0.1"]);
        assert!(certificate.subject.contains("CN=the proxy"), "{}", certificate.subject);
        assert_eq!(certificate.serial, "0aff");
        assert_eq!((certificate.not_before, certificate.not_after), (1_767_225_600, 1_775_001_600));
        assert_eq!(certificate.called(), "a.example");
    }

    #[test]
    fn the_end_is_near_two_weeks_or_a_quarter_before_it() {
        let days = |days: i64| Certificate { not_before: 0, not_after: days * DAY, ..made(|_| {}) };
        for (certificate, now, expected) in [
            (days(90), 75, false),
            (days(90), 76, true),
            (days(90), 91, true),
            (days(8), 5, false),
            (days(8), 6, true),
        ] {
            assert_eq!(certificate.ends_soon(now * DAY), expected, "{certificate:?} after {now} days");
        }
    }

    #[test]
    fn what_is_no_certificate_is_left_out() {
        assert_eq!(
            Certificate::all(Path::new("a"), Purpose::Believed, &[CertificateDer::from(vec![1, 2, 3])]),
            []
        );
    }
}
