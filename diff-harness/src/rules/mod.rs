//! Rules: declared ways to compare, in a file under version control.

mod scope;
mod path;
mod timestamp;
mod format;
mod fault;
mod table;
mod file;

use http::HeaderName;

use crate::endpoint::EndpointId;

pub use fault::RulesError;
pub use format::{Format, Scalar};
pub use path::{PathError, PathPattern, Step};
pub use scope::{Scope, ScopeError};
pub use table::RuleTable;
pub use timestamp::{Instant, Layout, Zone};

/// All rules of an installation. Ids are unique.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    rules: Vec<Rule>,
}

/// One declared way to compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub id: String,
    /// Any of these. Empty: every endpoint.
    pub endpoints: Vec<Scope>,
    pub target: Target,
    pub action: Action,
    /// Whether it may hide that the candidate shows what control withheld.
    pub allow_exposure: bool,
    /// Why a person declared it.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Json(PathPattern),
    Header(HeaderName),
    Status,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Differences there are tolerated: for a JSON path, in all that stands below it.
    Ignore,
    /// The elements of the array may stand in any order.
    Unordered,
    /// Elements of the array are put side by side by this chain of members. Their order still counts.
    Keyed {
        by: Vec<String>,
    },
    Tolerance(Tolerance),
    /// Values may differ as long as both have the format.
    Format(Format),
    /// A header that is not compared by default is.
    Compare,
}

impl Action {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Unordered => "unordered",
            Self::Keyed { .. } => "keyed",
            Self::Tolerance(_) => "tolerance",
            Self::Format(_) => "format",
            Self::Compare => "compare",
        }
    }
}

/// How far two values may be apart. Any of the declared ones suffices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// For numbers: the difference.
    pub absolute: Option<f64>,
    /// For numbers: the difference as a share of the control's value.
    pub relative: Option<f64>,
    /// For timestamps of one layout: the difference in seconds.
    pub seconds: Option<f64>,
}

impl Tolerance {
    /// Whether the two are within it.
    pub fn holds(&self, control: Scalar<'_>, candidate: Scalar<'_>) -> bool {
        let instants = match (control, candidate) {
            (Scalar::Text(a), Scalar::Text(b)) => (Instant::of_text(a), Instant::of_text(b)),
            (Scalar::Number(a), Scalar::Number(b)) => {
                if self.holds_for_numbers(a, b) {
                    return true;
                }
                (Instant::of_number(a), Instant::of_number(b))
            }
            _ => return false,
        };
        match (self.seconds, instants) {
            (Some(seconds), (Some(a), Some(b))) => a.layout == b.layout && a.seconds_apart(&b) <= seconds,
            _ => false,
        }
    }

    fn holds_for_numbers(&self, control: &str, candidate: &str) -> bool {
        let Some((difference, control)) = difference(control, candidate) else { return false };
        self.absolute.is_some_and(|most| difference <= most)
            || self.relative.is_some_and(|share| difference <= share * control.abs())
    }
}

/// How far apart two numbers are, and the control's value. Whole numbers are subtracted exactly.
fn difference(control: &str, candidate: &str) -> Option<(f64, f64)> {
    if let (Ok(a), Ok(b)) = (control.parse::<i128>(), candidate.parse::<i128>()) {
        return Some((a.checked_sub(b)?.unsigned_abs() as f64, a as f64));
    }
    let (a, b) = (control.parse::<f64>().ok()?, candidate.parse::<f64>().ok()?);
    let difference = (a - b).abs();
    difference.is_finite().then_some((difference, a))
}

impl Rules {
    /// Reads a rules file. `name` is what errors call it.
    pub fn parse(text: &str, name: &str) -> Result<Self, RulesError> {
        file::parse(text, name).map(|rules| Self { rules })
    }

    /// Takes `[[rules]]` tables that stood in another file, such as the configuration. `text` is that whole file.
    pub fn from_tables(
        tables: Vec<toml::Spanned<RuleTable>>,
        text: &str,
        name: &str,
    ) -> Result<Self, RulesError> {
        file::resolve(tables, text, name).map(|rules| Self { rules })
    }

    /// These and those of another file. The id that both have, if there is one.
    pub fn and(mut self, others: Self) -> Result<Self, String> {
        if let Some(twice) = others.iter().find(|other| self.iter().any(|rule| rule.id == other.id)) {
            return Err(twice.id.clone());
        }
        self.rules.extend(others.rules);
        Ok(self)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules that are for an endpoint, in the order of the file.
    pub fn scoped<'r>(&'r self, endpoint: &EndpointId) -> Vec<&'r Rule> {
        let covers = |rule: &&Rule| {
            rule.endpoints.is_empty() || rule.endpoints.iter().any(|scope| scope.covers(endpoint))
        };
        self.rules.iter().filter(covers).collect()
    }

    /// 16 hex digits that change when any rule compares differently, and not with comments, reasons or layout. Part
    /// of the epoch that evidence belongs to.
    pub fn hash(&self) -> String {
        let mut lines: Vec<String> = self.rules.iter().map(Rule::meaning).collect();
        lines.sort();
        let mut hasher = blake3::Hasher::new();
        for line in lines {
            hasher.update(&(line.len() as u64).to_le_bytes());
            hasher.update(line.as_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

impl Rule {
    /// All that decides what it does, as text.
    fn meaning(&self) -> String {
        let endpoints: Vec<String> = self.endpoints.iter().map(ToString::to_string).collect();
        let target = match &self.target {
            Target::Json(path) => format!("path {path}"),
            Target::Header(name) => format!("header {name}"),
            Target::Status => "status".to_owned(),
        };
        let Self { id, action, allow_exposure, .. } = self;
        // Debug output of the action names every parameter; a new field is a new meaning.
        format!("{id}\n{endpoints:?}\n{target}\n{action:?}\n{allow_exposure}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_holds_up_to_its_end() {
        use Scalar::{Number, Text};
        let absolute = Tolerance { absolute: Some(2.0), ..Tolerance::default() };
        let relative = Tolerance { relative: Some(0.01), ..Tolerance::default() };
        let seconds = Tolerance { seconds: Some(5.0), ..Tolerance::default() };
        for (tolerance, control, candidate, holds) in [
            (absolute, Number("10"), Number("12"), true),
            (absolute, Number("10"), Number("12.1"), false),
            (absolute, Number("10000000000000000001"), Number("10000000000000000003"), true),
            (absolute, Number("10000000000000000001"), Number("10000000000000000004"), false),
            (absolute, Number("1e400"), Number("1e401"), false),
            (absolute, Text("10"), Text("11"), false),
            (relative, Number("100"), Number("101"), true),
            (relative, Number("100"), Number("98.9"), false),
            (relative, Number("0"), Number("0.1"), false),
            (seconds, Text("2024-05-01T10:00:00Z"), Text("2024-05-01T09:59:55Z"), true),
            (seconds, Text("2024-05-01T10:00:00Z"), Text("2024-05-01T10:00:06Z"), false),
            (seconds, Text("2024-05-01T10:00:00Z"), Text("2024/05/01 10:00:00 +0000"), false),
            (seconds, Text("2024-05-01T10:00:00Z"), Text("soon"), false),
            (seconds, Number("1714557600"), Number("1714557603"), true),
            (seconds, Number("1"), Number("3"), false),
        ] {
            assert_eq!(tolerance.holds(control, candidate), holds, "{tolerance:?} {control:?} {candidate:?}");
        }
    }

    #[test]
    fn the_hash_is_of_what_the_rules_do() {
        let hash = |text: &str| Rules::parse(text, "rules.toml").unwrap().hash();
        let one = "[[rules]]\nid = 'a'\npath = '$.a'\naction = 'ignore'\nreason = 'x'\n";
        let two = "[[rules]]\nid = 'b'\nheader = 'X'\naction = 'compare'\nreason = 'x'\n";
        assert_eq!(hash(one), hash(&one.replace("reason = 'x'", "# why\nreason = 'y'")));
        assert_eq!(hash(&format!("{one}{two}")), hash(&format!("{two}{one}")));
        assert_ne!(hash(one), hash(&one.replace("$.a", "$.b")));
        assert_ne!(hash(one), hash(&format!("{one}allow_exposure = true")));
        assert_ne!(hash(one), hash(""));
        assert_eq!(hash(""), Rules::default().hash());
    }
}
