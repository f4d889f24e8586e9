//! Query parameters. Nothing here refuses: what cannot be read counts as not said.

use std::str::FromStr;

use crate::domain::Access;

pub(super) const LIMIT_DEFAULT: u32 = 50;
pub(super) const LIMIT_MAX: u32 = 200;
pub(super) const OFFSET_MAX: u64 = 8000;

/// Decoded pairs, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(raw: &str) -> Self {
        Self(serde_urlencoded::from_str(raw).unwrap_or_default())
    }

    /// The last of that name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    /// `1`, `true`, `t`, `yes`, `y` and `on` in any case; everything else says no.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.text(name).map(lenient_bool)
    }

    /// 1 to 200; more is 200, anything else the default of 50.
    pub(super) fn limit(&self) -> u32 {
        let limit = self.number::<i128>("limit").filter(|limit| *limit >= 1);
        limit.map_or(LIMIT_DEFAULT, |limit| u32::try_from(limit).unwrap_or(LIMIT_MAX).min(LIMIT_MAX))
    }

    /// At most 8000; anything unreadable is 0.
    pub(super) fn offset(&self) -> u64 {
        let offset = self.number::<i128>("offset").filter(|offset| *offset >= 0).unwrap_or(0);
        u64::try_from(offset).unwrap_or(OFFSET_MAX).min(OFFSET_MAX)
    }

    /// Unknown levels are ignored; if none is left, the default: playable and preview.
    pub(super) fn access(&self) -> AccessSet {
        let levels: Vec<Access> =
            self.words("access").iter().filter_map(|word| Access::from_word(word)).collect();
        if levels.is_empty() { AccessSet::STREAMABLE } else { levels.into_iter().collect() }
    }

    /// The readable ones of a comma separated list, the first 200, once each.
    pub(super) fn ids<Id: FromStr + PartialEq>(&self) -> Option<Vec<Id>> {
        self.text("ids")?;
        let mut ids: Vec<Id> = Vec::new();
        for id in self.words("ids").iter().filter_map(|word| word.parse().ok()) {
            if ids.len() < LIMIT_MAX as usize && !ids.contains(&id) {
                ids.push(id);
            }
        }
        Some(ids)
    }

    /// A comma separated list; also of all `name[]`.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let array = format!("{name}[]");
        let values = self.0.iter().filter(|(known, _)| known == name || *known == array);
        let words = values.flat_map(|(_, value)| value.split(',')).map(str::trim);
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    /// Without the named parameters, encoded again.
    pub(super) fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn encoded(&self) -> String {
        serde_urlencoded::to_string(&self.0).expect("pairs of strings can be encoded")
    }

    fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.trim().parse().ok()
    }
}

pub(super) fn lenient_bool(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "1" | "true" | "t" | "yes" | "y" | "on")
}

/// A set of access levels, as the `access` filter names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AccessSet(u8);

impl AccessSet {
    /// The default: playable and preview. Older players cannot say "not here".
    const STREAMABLE: Self = Self(0b011);

    pub(super) fn contains(self, access: Access) -> bool {
        self.0 & (1 << access as u8) != 0
    }
}

impl FromIterator<Access> for AccessSet {
    fn from_iter<I: IntoIterator<Item = Access>>(levels: I) -> Self {
        Self(levels.into_iter().fold(0, |set, access| set | 1 << access as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_clamped_and_bad_ones_ignored() {
        for (text, limit) in [
            ("", 50),
            ("limit=", 50),
            ("limit=7", 7),
            ("limit=0", 50),
            ("limit=-3", 50),
            ("limit=x", 50),
            ("limit=201", 200),
            ("limit=99999999999999999999", 200),
            ("limit=5&limit=6", 6),
        ] {
            assert_eq!(Query::parse(text).limit(), limit, "{text}");
        }
        for (text, offset) in [("offset=3", 3), ("offset=-1", 0), ("offset=9001", 8000), ("offset=a", 0)] {
            assert_eq!(Query::parse(text).offset(), offset, "{text}");
        }
    }

    #[test]
    fn access_and_ids_take_what_they_can_read() {
        let access = Query::parse("access=blocked,nonsense").access();
        assert!(access.contains(Access::Blocked) && !access.contains(Access::Playable));
        assert_eq!(Query::parse("access=nonsense").access(), AccessSet::STREAMABLE);
        assert_eq!(Query::parse("ids=3,1,x,3&ids[]=2").ids::<i64>(), Some(vec![3, 1, 2]));
    }

    #[test]
    fn yes_has_many_spellings() {
        for yes in ["1", "true", "TRUE", "t", "yes", "on"] {
            assert_eq!(Query::parse(&format!("a={yes}")).flag("a"), Some(true), "{yes}");
        }
        assert_eq!(Query::parse("a=0").flag("a"), Some(false));
        assert_eq!(Query::parse("").flag("a"), None);
    }
}
