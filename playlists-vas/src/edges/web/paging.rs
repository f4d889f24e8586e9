//! Pages: some lists are paged by number, counted from 1, and others by offset. Nothing here refuses: what cannot be
//! read counts as not said. `next_href` is null on the last page.

use serde_json::{Value, json};

use crate::{
    domain::{Page, Position},
    edges::web::Caller,
    regressions::Regression,
};

const PER_PAGE_DEFAULT: u64 = 10;
const LIMIT_DEFAULT: u64 = 20;
/// Of either, and of the ids in a batch.
pub(super) const LIMIT_MAX: u64 = 50;
/// Further down there is nothing to look for.
const OFFSET_MAX: u64 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paging {
    /// `page` and `per_page`.
    Numbers,
    /// `offset` and `limit`.
    Offsets,
}

/// The part of a list that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    paging: Paging,
    pub(super) limit: u32,
    pub(super) offset: u64,
}

impl Window {
    pub(super) fn of(caller: &Caller, paging: Paging) -> Self {
        let number = |name| caller.parameter(name).and_then(|text| text.trim().parse::<u64>().ok());
        let (limit, offset) = match paging {
            Paging::Numbers => {
                let limit = clamped(number("per_page"), PER_PAGE_DEFAULT);
                let page = number("page").unwrap_or(1).max(1);
                let before = if caller.regressions.on(Regression::ZeroBasedPage) {
                    number("page").unwrap_or(0)
                } else {
                    page - 1
                };
                (limit, before.saturating_mul(limit))
            }
            Paging::Offsets => (clamped(number("limit"), LIMIT_DEFAULT), number("offset").unwrap_or(0)),
        };
        let limit = u32::try_from(limit).expect("a limit is at most 50");
        Self { paging, limit, offset: offset.min(OFFSET_MAX) }
    }

    pub(super) fn page(self) -> Page {
        Page { limit: self.limit, position: Position::Offset(self.offset) }
    }

    /// Where the next part begins.
    pub(super) fn end(self) -> u64 {
        self.offset + u64::from(self.limit)
    }

    pub(super) fn write(self, caller: &Caller, items: Vec<Value>, more: bool) -> Value {
        let (limit, end) = (u64::from(self.limit), self.end());
        // At the end of what may be asked for, the next page would be this one again.
        let more = more && end <= OFFSET_MAX;
        match self.paging {
            Paging::Numbers => {
                let page = self.offset / limit + 1;
                let next = next_href(caller, [("page", page + 1), ("per_page", limit)]);
                json!({ "collection": items, "page": page, "perPage": limit, "next_href": more.then_some(next) })
            }
            Paging::Offsets => {
                let next = next_href(caller, [("offset", end), ("limit", limit)]);
                json!({ "collection": items, "next_href": more.then_some(next) })
            }
        }
    }
}

fn clamped(asked: Option<u64>, default: u64) -> u64 {
    asked.filter(|limit| *limit >= 1).map_or(default, |limit| limit.min(LIMIT_MAX))
}

/// Without a host: the site is on the same one.
fn next_href(caller: &Caller, place: [(&str, u64); 2]) -> String {
    let kept = caller.query.iter().filter(|(name, _)| place.iter().all(|(said, _)| name != said));
    let mut query: Vec<(String, String)> = kept.cloned().collect();
    query.extend(place.map(|(name, number)| (name.to_owned(), number.to_string())));
    let query = serde_urlencoded::to_string(query).expect("pairs of strings can be encoded");
    let host = if caller.regressions.on(Regression::HostInNextHref) { "http://localhost" } else { "" };
    format!("{host}{}?{query}", caller.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Viewer, regressions::Regressions};

    fn window(query: &str, paging: Paging) -> (u32, u64) {
        let query = serde_urlencoded::from_str(query).unwrap();
        let caller = Caller {
            viewer: Viewer::default(),
            query,
            path: "/web/x".to_owned(),
            regressions: Regressions::default(),
        };
        let window = Window::of(&caller, paging);
        (window.limit, window.offset)
    }

    #[test]
    fn pages_count_from_1_and_what_cannot_be_read_counts_as_not_said() {
        for (query, wanted) in [
            ("", (10, 0)),
            ("page=1", (10, 0)),
            ("page=3&per_page=7", (7, 14)),
            ("page=0", (10, 0)),
            ("page=-2&per_page=x", (10, 0)),
            ("per_page=500", (50, 0)),
            ("per_page=0", (10, 0)),
            ("page=18446744073709551615", (10, OFFSET_MAX)),
        ] {
            assert_eq!(window(query, Paging::Numbers), wanted, "{query}");
        }
        assert_eq!(window("offset=5&limit=99&page=4", Paging::Offsets), (50, 5));
        assert_eq!(window("offset=-5&limit=", Paging::Offsets), (20, 0));
    }
}
