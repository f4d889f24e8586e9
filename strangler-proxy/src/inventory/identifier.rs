//! Which path segments name a thing, so that they are a parameter, and which name a kind of thing.

/// What an identifier looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Look {
    Integer,
    Uuid,
    Ulid,
    Hex,
    Date,
    /// `soundcloud:tracks:1`
    Urn,
    /// `123-some-title`, `some-title-12345`
    Slug,
    /// Letters and digits in no order that a word has.
    Token,
    /// With percent-encodings: text of a person.
    Text,
}

impl Look {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Uuid => "uuid",
            Self::Ulid => "ulid",
            Self::Hex => "hex",
            Self::Date => "date",
            Self::Urn => "urn",
            Self::Slug => "slug",
            Self::Token => "token",
            Self::Text => "text",
        }
    }
}

/// An identifier, and what follows it in its segment: `.json`, `:cancel`, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identified<'s> {
    pub(super) look: Look,
    pub(super) value: &'s str,
    pub(super) suffix: &'s str,
}

/// Longer segments are taken for tokens unseen.
pub(super) const SEGMENT_MAX: usize = 128;

/// Reads a normalised segment. `parent` is the literal segment before it.
pub(super) fn identify<'s>(segment: &'s str, parent: Option<&str>) -> Option<Identified<'s>> {
    if segment.len() > SEGMENT_MAX {
        return Some(Identified { look: Look::Token, value: segment, suffix: "" });
    }
    if is_version(segment, parent) {
        return None;
    }
    // With what follows it first: `.json` is no part of an identifier, though tokens have dots.
    with_suffix(segment).or_else(|| look(segment).map(|look| Identified { look, value: segment, suffix: "" }))
}

fn with_suffix(segment: &str) -> Option<Identified<'_>> {
    let (value, suffix) = segment.split_at(segment.rfind(['.', ':'])?);
    let word = &suffix[1..];
    let is_word = !word.is_empty() && word.len() <= 16 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    look(value).filter(|_| is_word).map(|look| Identified { look, value, suffix })
}

/// The name of a parameter by the literal segment before it: `user_id` after `users`.
pub(super) fn name_after(parent: Option<&str>, look: Option<Look>) -> String {
    if look == Some(Look::Date) {
        return "date".to_owned();
    }
    let Some(noun) = parent.filter(|parent| is_noun(parent)) else { return "id".to_owned() };
    let noun: String =
        noun.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    format!("{}_id", singular(noun.trim_matches('_')))
}

/// Whether the children of a segment are likely things of one kind. Those of a version or of `api` are kinds of
/// things themselves.
pub(super) fn is_noun(segment: &str) -> bool {
    let plain = segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let letters = segment.bytes().filter(u8::is_ascii_alphabetic).count();
    plain && letters >= 2 && !is_prefix(segment) && !is_version(segment, None)
}

fn is_prefix(segment: &str) -> bool {
    matches!(segment, "api" | "rest" | "public" | "internal" | "web" | "mobile" | "services" | "service")
}

/// `v1`, `v2.1`, `2.0`, and a small number right after `api` or its like.
fn is_version(segment: &str, parent: Option<&str>) -> bool {
    let digits =
        |text: &str| !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let dotted = |text: &str| text.split('.').count() <= 3 && text.split('.').all(digits);
    if let Some(number) = segment.strip_prefix(['v', 'V']) {
        return dotted(number);
    }
    if segment.contains('.') {
        return dotted(segment);
    }
    segment.len() == 1 && digits(segment) && parent.is_some_and(is_prefix)
}

fn singular(noun: &str) -> String {
    const WHOLE: [&str; 2] = ["news", "series"];
    // The longer endings first; those that stay as they are keep the last rule from them.
    const ENDINGS: [(&str, &str); 10] = [
        ("ies", "y"),
        ("sses", "ss"),
        ("uses", "us"),
        ("xes", "x"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("ss", "ss"),
        ("us", "us"),
        ("is", "is"),
        ("s", ""),
    ];
    let stem =
        |ending: &str| noun.strip_suffix(ending).filter(|stem| stem.len() > 1 && !WHOLE.contains(&noun));
    ENDINGS
        .iter()
        .find_map(|(ending, instead)| stem(ending).map(|stem| format!("{stem}{instead}")))
        .unwrap_or_else(|| noun.to_owned())
}

fn look(segment: &str) -> Option<Look> {
    let bytes = segment.as_bytes();
    if bytes.is_empty() {
        return None;
    }
    let all = |is: fn(&u8) -> bool| bytes.iter().all(is);
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if bytes.len() <= 39 && digits == bytes.len() {
        return Some(Look::Integer);
    }
    if is_date(bytes) {
        return Some(Look::Date);
    }
    if is_uuid(bytes) {
        return Some(Look::Uuid);
    }
    if digits > 0 && bytes.len() >= 8 && all(u8::is_ascii_hexdigit) {
        return Some(Look::Hex);
    }
    if digits > 0 && bytes.len() == 26 && matches!(bytes[0], b'0'..=b'7') && all(is_crockford) {
        return Some(Look::Ulid);
    }
    if is_urn(segment) {
        return Some(Look::Urn);
    }
    if is_slug(segment) {
        return Some(Look::Slug);
    }
    if is_token(bytes) {
        return Some(Look::Token);
    }
    bytes.contains(&b'%').then_some(Look::Text)
}

/// `2026-11-22`, `2026-11`, and a time behind it.
fn is_date(bytes: &[u8]) -> bool {
    let fits = |form: &[u8], text: &[u8]| {
        form.len() == text.len()
            && form
                .iter()
                .zip(text)
                .all(|(form, byte)| if *form == b'9' { byte.is_ascii_digit() } else { form == byte })
    };
    let (date, time) = bytes.split_at(bytes.len().min(10));
    fits(b"9999-99", bytes) || (fits(b"9999-99-99", date) && matches!(time.first(), None | Some(b'T' | b't')))
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| {
            if matches!(at, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
}

/// Crockford's base 32: no I, L, O, U.
fn is_crockford(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() && !matches!(byte.to_ascii_uppercase(), b'I' | b'L' | b'O' | b'U')
}

fn is_urn(segment: &str) -> bool {
    let colon = if segment.contains(':') { ":" } else { "%3A" };
    let Some((names, id)) = segment.rsplit_once(colon) else { return false };
    let name = |name: &str| name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    names.split(colon).all(name) && !id.contains('%') && look(id).is_some()
}

fn is_slug(segment: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let word = |text: &str| text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let first = segment.split_once('-').is_some_and(|(id, title)| digits(id) && word(title));
    let last = segment.rsplit_once('-').is_some_and(|(title, id)| word(title) && id.len() >= 5 && digits(id));
    first || last
}

/// Long enough, of letters and digits, and changing between them (or between cases) oftener than words do.
fn is_token(bytes: &[u8]) -> bool {
    let class = |byte: &u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let plain = bytes.iter().all(|byte| class(byte) < 3 || matches!(byte, b'-' | b'_' | b'=' | b'.' | b'~'));
    let has = |wanted: u8| bytes.iter().any(|byte| class(byte) == wanted);
    let changes = bytes.windows(2).filter(|pair| class(&pair[0]) != class(&pair[1])).count();
    plain && has(0) && (has(1) || has(2)) && bytes.len() >= 8 && changes >= 4 && changes * 4 >= bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_told_from_words() {
        for (segment, look, suffix) in [
            ("1", Look::Integer, ""),
            ("4711", Look::Integer, ""),
            ("4711.json", Look::Integer, ".json"),
            ("4711:cancel", Look::Integer, ":cancel"),
            ("0b5b3a50-4b5e-4f0c-9d0e-1c0f9e7f2a11", Look::Uuid, ""),
            ("0b5b3a504b5e4f0c9d0e1c0f9e7f2a11", Look::Hex, ""),
            ("9fceb02d.tar", Look::Hex, ".tar"),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", Look::Ulid, ""),
            ("2026-11-22", Look::Date, ""),
            ("2026-11", Look::Date, ""),
            ("2026-11-22T10:00:00Z", Look::Date, ""),
            ("soundcloud:tracks:1", Look::Urn, ""),
            ("soundcloud%3Atracks%3A1", Look::Urn, ""),
            ("123-some-title", Look::Slug, ""),
            ("some-title-12345", Look::Slug, ""),
            ("cus_9s6XKzkNRiz8i3", Look::Token, ""),
            ("dQw4w9WgXcQ", Look::Token, ""),
            ("hip%20hop", Look::Text, ""),
        ] {
            let identified =
                identify(segment, Some("things")).unwrap_or_else(|| panic!("{segment} is a word"));
            assert_eq!((identified.look, identified.suffix), (look, suffix), "{segment}");
        }
        for word in [
            "",
            "playlists",
            "me",
            "web-profiles",
            "oauth2",
            "v1",
            "v2.1",
            "2.0",
            "facade",
            "decade",
            "deadbeef",
            "index.html",
            "a:b",
            "top-50",
            "utf-8",
            "s3",
            "ipv6-addresses",
            "iso8601",
            "search.json",
            "@me",
        ] {
            assert_eq!(identify(word, Some("things")), None, "{word}");
        }
        assert_eq!(identify("2", Some("api")), None);
        assert!(identify("12", Some("api")).is_some());
    }

    #[test]
    fn a_parameter_has_its_name_from_what_stands_before_it() {
        for (parent, name) in [
            (Some("users"), "user_id"),
            (Some("categories"), "category_id"),
            (Some("addresses"), "address_id"),
            (Some("statuses"), "status_id"),
            (Some("boxes"), "box_id"),
            (Some("web-profiles"), "web_profile_id"),
            (Some("news"), "news_id"),
            (Some("status"), "status_id"),
            (Some("Track"), "track_id"),
            (Some("v1"), "id"),
            (Some("api"), "id"),
            (None, "id"),
        ] {
            assert_eq!(name_after(parent, Some(Look::Integer)), name, "{parent:?}");
        }
        assert_eq!(name_after(Some("reports"), Some(Look::Date)), "date");
    }
}
