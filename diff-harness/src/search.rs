//! What somebody searches a list for.

use std::fmt;

/// More of what was typed is not looked at.
const CHARS_MAX: usize = 200;
/// Each word costs a look through an index.
const WORDS_MAX: usize = 12;

/// Words that must all be found, in any case. Whatever was typed makes one: quotes and operators are text like any
/// other, and of an endless search the beginning counts. What it shows is what is searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search(Vec<String>);

static NOTHING: Search = Search(Vec::new());

impl Search {
    /// What everything is found by.
    pub fn nothing() -> &'static Self {
        &NOTHING
    }

    pub fn new(typed: &str) -> Self {
        let heeded: String = typed.chars().take(CHARS_MAX).collect();
        let mut words: Vec<String> = Vec::new();
        for word in heeded.split(|c: char| c.is_whitespace() || c.is_control()) {
            let is_new = !word.is_empty() && !words.iter().any(|known| known == word);
            if is_new && words.len() < WORDS_MAX {
                words.push(word.to_owned());
            }
        }
        Self(words)
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_its_different_words_and_ends_somewhere() {
        for (typed, shown) in [
            ("", ""),
            ("  get\t/tracks  get ", "get /tracks"),
            ("a\u{0}b \u{1b}[0m", "a b [0m"),
            ("\"x\" OR NOT (y*)", "\"x\" OR NOT (y*)"),
        ] {
            assert_eq!(Search::new(typed).to_string(), shown, "{typed:?}");
        }
        assert_eq!(Search::new(&"x".repeat(10_000)).to_string().len(), CHARS_MAX);
        let many: Vec<_> = (0..50).map(|n| n.to_string()).collect();
        assert_eq!(Search::new(&many.join(" ")).words().count(), WORDS_MAX);
    }
}
