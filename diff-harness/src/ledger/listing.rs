//! Groups of one epoch, a page at a time: what a list that a person walks through is made of.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::encoding::{int, json, uint};
use super::trouble::unreadable;
use super::{Failure, counts, groups, routes, severity_rank, triage};
use crate::divergence::Severity;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::store::{Among, Epoch, EpochFilter, GroupListing, GroupSum, Listed, Neighbours};

const ORDER: &str = "c.severity DESC, c.count DESC, c.group_id";

/// The conditions of a listing, and what they compare with.
struct Wanted {
    sql: String,
    values: Vec<Value>,
}

pub(super) fn list(connection: &Connection, listing: &GroupListing<'_>) -> Result<Listed, Failure> {
    let Wanted { sql, mut values } = wanted(connection, listing)?;
    let condition = values.clone();
    let (limit, offset) = (values.len() + 1, values.len() + 2);
    values.push(Value::Integer(int(listing.limit as u64)));
    values.push(Value::Integer(int(listing.offset as u64)));
    // The page is found first, along an index, and only its rows are read whole.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT g.fingerprint, e.method, e.template, g.kind, g.severity, g.location, g.detail,
                c.count, c.exchanges, c.first_ms, c.last_ms, c.example
         FROM (SELECT c.group_id, c.epoch_id FROM group_counts c WHERE {sql}
               ORDER BY {ORDER} LIMIT ?{limit} OFFSET ?{offset}) page
         JOIN group_counts c ON c.group_id = page.group_id AND c.epoch_id = page.epoch_id
         JOIN groups g ON g.id = c.group_id JOIN endpoints e ON e.id = g.endpoint_id
         ORDER BY {ORDER}"
    ))?;
    let mut rows = statement.query(params_from_iter(&values))?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        listed.push(groups::read(row)?);
    }
    // A page that is not full is the last one, and says how many there are.
    let is_last = listed.len() < listing.limit && (!listed.is_empty() || listing.offset == 0);
    let found = if is_last {
        (listing.offset + listed.len()) as u64
    } else {
        let n = connection
            .prepare_cached(&format!("SELECT count(*) FROM group_counts c WHERE {sql}"))?
            .query_row(params_from_iter(&condition), |row| row.get(0))?;
        uint(n)
    };
    Ok(Listed { groups: triage::triaged(connection, listed)?, found })
}

/// The groups before and after this one in a listing, whose page does not matter.
pub(super) fn neighbours(
    connection: &Connection,
    listing: &GroupListing<'_>,
    of: &Fingerprint,
) -> Result<Neighbours, Failure> {
    let Wanted { sql, values } = wanted(connection, listing)?;
    let place: Option<(i64, i64, i64)> = connection
        .prepare_cached(
            "SELECT c.severity, c.count, c.group_id FROM groups g JOIN group_counts c ON c.group_id = g.id
             WHERE g.fingerprint = ?1 AND c.epoch_id = ?2",
        )?
        .query_row((of.as_str(), &values[0]), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((severity, count, group)) = place else { return Ok(Neighbours::default()) };
    let n = values.len();
    let one = |beyond: &str, order: &str| -> Result<Option<Fingerprint>, Failure> {
        let (s, c, g) = (n + 1, n + 2, n + 3);
        let beyond = beyond
            .replace("?s", &format!("?{s}"))
            .replace("?c", &format!("?{c}"))
            .replace("?g", &format!("?{g}"));
        let mut values = values.clone();
        values.extend([severity, count, group].map(Value::Integer));
        let found: Option<String> = connection
            .prepare_cached(&format!(
                "SELECT (SELECT fingerprint FROM groups WHERE id = c.group_id) FROM group_counts c
                 WHERE {sql} AND {beyond} ORDER BY {order} LIMIT 1"
            ))?
            .query_row(params_from_iter(&values), |row| row.get(0))
            .optional()?;
        found.map(|text| text.parse().map_err(|_| unreadable("a group", &text).into())).transpose()
    };
    Ok(Neighbours {
        before: one(
            "c.severity >= ?s AND (c.severity > ?s OR c.count > ?c OR (c.count = ?c AND c.group_id < ?g))",
            "c.severity, c.count, c.group_id DESC",
        )?,
        after: one(
            "c.severity <= ?s AND (c.severity < ?s OR c.count < ?c OR (c.count = ?c AND c.group_id > ?g))",
            ORDER,
        )?,
    })
}

/// How many groups of each endpoint and severity there are, beside those that do not count.
pub(super) fn sums(
    connection: &Connection,
    epoch: &Epoch,
    except: &[Fingerprint],
) -> Result<Vec<GroupSum>, Failure> {
    let epoch = counts::epoch_filter(connection, EpochFilter::Only(epoch))?;
    let mut statement = connection.prepare_cached(
        "SELECT e.method, e.template, s.severity, s.n, s.oldest FROM
            (SELECT endpoint_id, severity, count(*) AS n, min(first_ms) AS oldest FROM group_counts
             WHERE epoch_id = ?1 AND (?2 IS NULL OR group_id NOT IN
                (SELECT g.id FROM groups g WHERE g.fingerprint IN (SELECT value FROM json_each(?2))))
             GROUP BY endpoint_id, severity) s
         JOIN endpoints e ON e.id = s.endpoint_id",
    )?;
    let except = (!except.is_empty()).then(|| names(except));
    let mut rows = statement.query((epoch, except))?;
    let mut sums = Vec::new();
    while let Some(row) = rows.next()? {
        let severity = usize::try_from(row.get::<_, i64>(2)?)
            .ok()
            .and_then(|rank| Severity::ALL.get(rank).copied())
            .ok_or_else(|| unreadable("a severity", "of a group"))?;
        sums.push(GroupSum {
            endpoint: routes::endpoint(row.get(0)?, row.get(1)?)?,
            severity,
            groups: uint(row.get(3)?),
            oldest: UnixMillis(uint(row.get(4)?)),
        });
    }
    Ok(sums)
}

fn wanted(connection: &Connection, listing: &GroupListing<'_>) -> Result<Wanted, Failure> {
    let epoch = counts::epoch_filter(connection, EpochFilter::Only(listing.epoch))?;
    let mut wanted =
        Wanted { sql: "c.epoch_id = ?1".to_owned(), values: vec![epoch.map_or(Value::Null, Value::Integer)] };
    if let Some(endpoint) = listing.endpoint {
        wanted.and("c.endpoint_id = ?", Value::Integer(routes::id(connection, endpoint)?));
    }
    if let Some(severity) = listing.severity {
        wanted.and("c.severity = ?", Value::Integer(severity_rank(severity)));
    }
    match listing.among {
        Among::All | Among::Except([]) => {}
        Among::Only(groups) => wanted.and(
            "c.group_id IN (SELECT id FROM groups WHERE fingerprint IN (SELECT value FROM json_each(?)))",
            Value::Text(names(groups)),
        ),
        Among::Except(groups) => wanted.and(
            "c.group_id NOT IN (SELECT id FROM groups WHERE fingerprint IN (SELECT value FROM json_each(?)))",
            Value::Text(names(groups)),
        ),
    }
    for word in listing.search.words() {
        wanted.and_found(word, &EndpointsFound::by(connection, word)?);
    }
    Ok(wanted)
}

impl Wanted {
    /// `?` stands for the value.
    fn and(&mut self, sql: &str, value: Value) {
        let value = self.value(value);
        self.sql.push_str(" AND ");
        self.sql.push_str(&sql.replace('?', &value));
    }

    /// The groups that a word leads to are gathered first, so that the list is walked along its index and asks each
    /// group only whether it is one of them.
    fn and_found(&mut self, word: &str, endpoints: &EndpointsFound) {
        let lower = word.to_ascii_lowercase();
        let by_endpoint = match endpoints {
            // What stands in every endpoint's name leaves no group out.
            EndpointsFound::All => return,
            EndpointsFound::Only(ids) => self.value(Value::Text(json(ids))),
        };
        // The index knows no less than three characters.
        let by_words = if word.chars().count() < 3 {
            let lower = self.value(Value::Text(lower.clone()));
            format!("SELECT id FROM groups WHERE instr(lower(location), {lower}) > 0")
        } else {
            // Between quotes everything is text (https://www.sqlite.org/fts5.html#fts5_strings).
            let phrase = self.value(Value::Text(format!("\"{}\"", word.replace('"', "\"\""))));
            format!("SELECT rowid FROM group_words WHERE group_words MATCH {phrase}")
        };
        let fingerprint = self.value(Value::Text(lower));
        self.sql.push_str(&format!(
            " AND c.group_id IN (
                SELECT id FROM groups WHERE endpoint_id IN (SELECT value FROM json_each({by_endpoint}))
                UNION ALL SELECT id FROM groups WHERE fingerprint = {fingerprint}
                UNION ALL {by_words})"
        ));
    }

    /// The name of a value in the statement.
    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }
}

/// The endpoints that have a word in their names. They are few: they are looked at one by one.
enum EndpointsFound {
    All,
    Only(Vec<i64>),
}

impl EndpointsFound {
    fn by(connection: &Connection, word: &str) -> Result<Self, Failure> {
        let mut statement = connection
            .prepare_cached("SELECT id, instr(lower(method || ' ' || template), ?1) > 0 FROM endpoints")?;
        let looked_at: Vec<(i64, bool)> = statement
            .query_map([word.to_ascii_lowercase()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if looked_at.iter().all(|(_, has)| *has) {
            return Ok(Self::All);
        }
        Ok(Self::Only(looked_at.into_iter().filter(|(_, has)| *has).map(|(id, _)| id).collect()))
    }
}

fn names(groups: &[Fingerprint]) -> String {
    json(&groups.iter().map(Fingerprint::as_str).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{epoch, fill};
    use crate::search::Search;
    use crate::store::{GroupFilter, Store};

    fn listing(epoch: &Epoch) -> GroupListing<'_> {
        GroupListing::first(100, Among::All, epoch)
    }

    fn ids(listed: &Listed) -> Vec<Fingerprint> {
        listed.groups.iter().map(|triaged| triaged.group.fingerprint.clone()).collect()
    }

    #[test]
    fn a_list_is_walked_page_by_page_and_neighbour_by_neighbour_in_one_order() {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, epoch) = (fill(dir.path()), epoch());
        let all = ledger.list_groups(&listing(&epoch)).unwrap();
        let rank = |triaged: &crate::triage::Triaged| (triaged.group.severity, triaged.group.count);
        assert!(all.groups.len() > 4 && all.found == all.groups.len() as u64);
        assert!(all.groups.is_sorted_by(|a, b| rank(a) >= rank(b)));
        let filter = GroupFilter {
            endpoint: None,
            epoch: EpochFilter::Only(&epoch),
            least_severity: None,
            limit: 1000,
        };
        assert_eq!(ledger.groups(&filter).unwrap().len(), all.groups.len());

        let whole = ids(&all);
        let mut paged = Vec::new();
        for offset in (0..whole.len()).step_by(2) {
            let page = ledger.list_groups(&GroupListing { offset, limit: 2, ..listing(&epoch) }).unwrap();
            assert_eq!(page.found, all.found);
            paged.extend(ids(&page));
        }
        assert_eq!(paged, whole);
        for (at, group) in whole.iter().enumerate() {
            let near = ledger.neighbours(&listing(&epoch), group).unwrap();
            assert_eq!(near.before.as_ref(), at.checked_sub(1).map(|at| &whole[at]), "{at}");
            assert_eq!(near.after.as_ref(), whole.get(at + 1), "{at}");
        }
    }

    #[test]
    fn a_list_has_what_was_asked_for_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, epoch) = (fill(dir.path()), epoch());
        let list = |change: &dyn Fn(&mut GroupListing<'_>)| {
            let mut wanted = listing(&epoch);
            change(&mut wanted);
            ledger.list_groups(&wanted).unwrap()
        };
        let whole = ids(&list(&|_| {}));
        let found = |typed: &str| {
            ledger.list_groups(&GroupListing { search: &Search::new(typed), ..listing(&epoch) }).unwrap()
        };
        let tracks = found("get /TRACKS");
        assert!(
            tracks.found > 0 && tracks.groups.iter().all(|t| t.group.endpoint.template() == "/tracks/{id}")
        );
        assert_eq!(ids(&found(whole[1].as_str())), whole[1..2]);
        assert_eq!(found("tracks nowhere").found, 0);
        let exposed = list(&|wanted| wanted.severity = Some(Severity::Exposure));
        assert!(exposed.found > 0 && exposed.groups.iter().all(|t| t.group.severity == Severity::Exposure));
        let endpoint: crate::endpoint::EndpointId = "GET /about".parse().unwrap();
        let expected = whole.len() as u64 - found("/about").found;
        let of_about: Vec<_> = ledger
            .list_groups(&GroupListing { endpoint: Some(&endpoint), ..listing(&epoch) })
            .map(|listed| ids(&listed))
            .unwrap();
        let others =
            ledger.list_groups(&GroupListing { among: Among::Except(&of_about), ..listing(&epoch) }).unwrap();
        assert_eq!(others.found, expected);
        let only =
            ledger.list_groups(&GroupListing { among: Among::Only(&of_about), ..listing(&epoch) }).unwrap();
        assert_eq!(ids(&only), of_about);

        let sums = |except: &[Fingerprint]| -> u64 {
            ledger.group_sums(&epoch, except).unwrap().iter().map(|sum| sum.groups).sum()
        };
        assert_eq!(sums(&[]), whole.len() as u64);
        assert_eq!(sums(&whole[..2]), whole.len() as u64 - 2);
    }

    /// What a search finds is what looking at every group finds, whatever was typed.
    #[test]
    fn a_search_finds_any_part_of_a_place_or_a_kind_and_takes_everything_for_text() {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, epoch) = (fill(dir.path()), epoch());
        let groups = ledger.list_groups(&listing(&epoch)).unwrap().groups;
        let by_hand = |word: &str| {
            let word = word.to_lowercase();
            let has = |triaged: &&crate::triage::Triaged| {
                let group = &triaged.group;
                let kind = if word.len() < 3 { "" } else { group.kind.as_str() };
                let texts = [group.endpoint.to_string(), group.location.clone(), kind.to_owned()];
                texts.iter().any(|text| text.to_lowercase().contains(&word))
            };
            groups.iter().filter(has).count() as u64
        };
        let mut found_some = 0;
        for word in [
            "$",
            "$.",
            "ti",
            "tit",
            "TITLE",
            "ist",
            "[*]",
            "$.tracks[*]",
            "value",
            "alu",
            "heade",
            "etag",
            "/",
            "{id}",
        ] {
            let search = Search::new(word);
            let found =
                ledger.list_groups(&GroupListing { search: &search, ..listing(&epoch) }).unwrap().found;
            assert_eq!(found, by_hand(word), "{word}");
            found_some += u64::from(found > 0);
        }
        assert!(found_some > 8, "the words are of the fixture: {found_some}");

        let long = "\"a\" OR ".repeat(2_000);
        for hostile in [
            "\"",
            "\"\"\"",
            "'",
            "*",
            "^a",
            "title*",
            "title OR value",
            "NOT",
            "AND AND",
            "NEAR(a b)",
            "words:title",
            "{words} : x",
            "-title",
            "+",
            "(",
            ")))",
            "\0\0\0",
            "abc\0\"",
            "%",
            "___",
            "\u{202e}\u{1f600}\u{1f600}\u{1f600}",
            &long,
        ] {
            let search = Search::new(hostile);
            let wanted = GroupListing { search: &search, ..listing(&epoch) };
            let listed = ledger.list_groups(&wanted).unwrap_or_else(|error| panic!("{hostile}: {error}"));
            assert!(listed.found <= groups.len() as u64);
            ledger.neighbours(&wanted, &groups[0].group.fingerprint).unwrap();
        }
    }

    #[test]
    fn what_a_person_looked_at_is_that_persons() {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, epoch) = (fill(dir.path()), epoch());
        let groups = ids(&ledger.list_groups(&listing(&epoch)).unwrap());
        ledger.keep_view("ann", &groups[0], "once", UnixMillis(1)).unwrap();
        ledger.keep_view("ann", &groups[0], "twice", UnixMillis(2)).unwrap();
        let views = ledger.views("ann", &groups).unwrap();
        assert_eq!(views.into_iter().collect::<Vec<_>>(), [(groups[0].clone(), "twice".to_owned())]);
        assert!(ledger.views("bob", &groups).unwrap().is_empty());
    }
}
