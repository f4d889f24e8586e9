//! Where identifiers stand, and what they name.
//!
//! A name is unique only among things of one kind: 17 may be a user and a playlist. The space of an identifier is the
//! word for that kind, taken from what stands around it.

use crate::divergence::{JsonPath, Location, Segment};

/// What a member holds, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// An identifier, or a list of them.
    Id,
    /// A link, in which identifiers stand.
    Link,
    Other,
}

/// Names of members that say nothing of the kind of thing that they identify.
const PLAIN_IDS: &[&str] = &["id", "_id", "uuid", "guid", "urn", "gid", "pk", "key", "ids", "uid", "oid"];
const ID_ENDINGS: &[&str] = &["_id", "_ids", "_uuid", "_guid", "_urn", "_urns", "_key"];
const PLAIN_LINKS: &[&str] =
    &["url", "uri", "href", "self", "link", "links", "location", "next", "prev", "first", "last"];
const LINK_ENDINGS: &[&str] = &["_url", "_uri", "_href", "_link", "_path", "_urls", "_uris", "_links"];
/// Members that hold things of any kind.
const WRAPPERS: &[&str] = &[
    "data",
    "item",
    "result",
    "collection",
    "attribute",
    "payload",
    "response",
    "object",
    "node",
    "edge",
    "record",
    "list",
    "value",
    "content",
    "entity",
    "element",
    "member",
    "entry",
    "embedded",
    "_embedded",
    "_links",
    "link",
    "page",
    "body",
    "resource",
];

pub(super) fn holds(key: &str) -> Holds {
    let key = snake(key);
    let is = |plain: &[&str], endings: &[&str]| {
        plain.contains(&key.as_str())
            || endings.iter().any(|ending| key.ends_with(ending) && key.len() > ending.len())
    };
    if is(PLAIN_IDS, ID_ENDINGS) {
        Holds::Id
    } else if is(PLAIN_LINKS, LINK_ENDINGS) {
        Holds::Link
    } else {
        Holds::Other
    }
}

/// What the member at this path identifies. `kind` is what the object says of itself, if it does; `endpoint` is the
/// path template that was asked.
pub(super) fn space(path: &[Segment], kind: Option<&str>, endpoint: &str) -> String {
    let keys: Vec<String> = path
        .iter()
        .filter_map(|segment| match segment {
            Segment::Key(key) => Some(snake(key)),
            Segment::Index(_) | Segment::Any => None,
        })
        .collect();
    if let Some(last) = keys.last()
        && !PLAIN_IDS.contains(&last.as_str())
        && let Some(ending) = ID_ENDINGS.iter().find(|ending| last.ends_with(*ending))
    {
        return singular(last.trim_end_matches(ending));
    }
    if let Some(kind) = kind {
        return singular(&snake(kind));
    }
    let holders = keys.iter().rev().skip(1).map(|key| singular(key));
    holders
        .into_iter()
        .find(|key| !WRAPPERS.contains(&key.as_str()) && !PLAIN_IDS.contains(&key.as_str()))
        .unwrap_or_else(|| of_endpoint(endpoint))
}

/// What a captured value identifies.
pub(super) fn space_of(location: &Location, endpoint: &str) -> String {
    match location {
        Location::Json(JsonPath(path)) => space(path, None, endpoint),
        _ => of_endpoint(endpoint),
    }
}

/// What stands behind this word in a link.
pub(super) fn space_after(word: Option<&str>) -> String {
    word.map(|word| singular(&snake(word))).unwrap_or_default()
}

/// The last word of a path template: what a request to it makes or shows.
pub(super) fn of_endpoint(template: &str) -> String {
    let mut words = template.rsplit('/').filter(|segment| !segment.is_empty() && !segment.contains('{'));
    words.next().map(|word| singular(&snake(word))).unwrap_or_default()
}

/// `trackId`, `TrackID` and `track-id` as `track_id`.
fn snake(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 2);
    let mut before = '_';
    for c in key.chars() {
        if c == '-' {
            out.push('_');
        } else if c.is_ascii_uppercase() {
            if before.is_ascii_lowercase() || before.is_ascii_digit() {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
        before = c;
    }
    out
}

/// Good enough to say `post` for `posts`: both sides are treated alike, so a wrong word is wrong on both.
fn singular(word: &str) -> String {
    match word.strip_suffix("ies") {
        Some(stem) if stem.len() > 2 => format!("{stem}y"),
        _ => match word.strip_suffix('s') {
            Some(stem) if !stem.ends_with('s') && stem.len() > 1 => stem.to_owned(),
            _ => word.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_hold_identifiers_are_known_by_name() {
        for (key, expected) in [
            ("id", Holds::Id),
            ("_id", Holds::Id),
            ("trackId", Holds::Id),
            ("TrackID", Holds::Id),
            ("track_ids", Holds::Id),
            ("user-id", Holds::Id),
            ("permalink_url", Holds::Link),
            ("href", Holds::Link),
            ("self", Holds::Link),
            ("paid", Holds::Other),
            ("valid", Holds::Other),
            ("title", Holds::Other),
            ("identity", Holds::Other),
        ] {
            assert_eq!(holds(key), expected, "{key}");
        }
    }

    #[test]
    fn a_space_is_what_a_place_talks_of() {
        let check = |path: &str, kind: Option<&str>, endpoint: &str, expected: &str| {
            let JsonPath(path) = path.parse().unwrap();
            assert_eq!(space(&path, kind, endpoint), expected, "{path:?}");
        };
        check("$.id", None, "/posts/{id}", "post");
        check("$[3].id", None, "/posts/{id}/comments", "comment");
        check("$.data[0].id", None, "/categories", "category");
        check("$.postId", None, "/comments", "post");
        check("$.owner.id", None, "/posts", "owner");
        check("$.track_ids[2]", None, "/playlists", "track");
        check("$.results[0].id", Some("Track"), "/search", "track");
        check("$.id", None, "/", "");
    }
}
