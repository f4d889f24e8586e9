//! Whatever hides divergences and should be looked at: a rule or a waiver that hides everything, or nothing any more.

use crate::endpoint::EndpointId;
use crate::fingerprint::Fingerprint;
use crate::store::RuleTally;

/// A waiver that holds, and what there was of its group in one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    pub group: Fingerprint,
    pub endpoint: EndpointId,
    /// Comparisons of the endpoint.
    pub compared: u64,
    /// Those of them in which the group was found.
    pub exchanges: u64,
    /// Comparisons of the endpoint after which silence says something.
    pub enough: u64,
}

/// What should be looked at, and of which endpoint; a rule may be for several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub endpoint: Option<EndpointId>,
    pub words: String,
}

/// `declared` are the ids of the rules in force, `tallies` what they did in the epoch, in `compared` comparisons. Nothing
/// is said of what had fewer comparisons than are enough to show itself; `enough` is that number for rules.
pub fn remarks(
    declared: &[String],
    tallies: &[RuleTally],
    compared: u64,
    waived: &[Waived],
    enough: u64,
) -> Vec<Remark> {
    let rules = declared.iter().filter_map(|rule| {
        let tally = tallies.iter().find(|tally| tally.rule == *rule);
        let (applied, hidden) = tally.map_or((0, 0), |tally| (tally.applied, tally.hidden));
        let words = if applied == 0 && compared >= enough {
            format!("the rule {rule} found no place to apply in {compared} comparisons of this epoch")
        } else if applied >= enough && hidden >= applied {
            format!(
                "the rule {rule} hid something wherever it applied: {hidden} divergences in {applied} comparisons"
            )
        } else {
            return None;
        };
        Some(Remark { endpoint: None, words })
    });
    let waivers = waived.iter().filter(|waived| waived.compared >= waived.enough).filter_map(|waived| {
        let Waived { group, endpoint, compared, exchanges, .. } = waived;
        let words = if *exchanges == 0 {
            format!(
                "the waiver of {group} ({endpoint}) hides nothing any more in {compared} comparisons of this epoch: \
                 strangler divergences triage {group} --undo takes it back"
            )
        } else if exchanges >= compared {
            format!("the waiver of {group} hides something in each of {compared} comparisons of {endpoint}")
        } else {
            return None;
        };
        Some(Remark { endpoint: Some(endpoint.clone()), words })
    });
    rules.chain(waivers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(rule: &str, applied: u64, hidden: u64) -> RuleTally {
        RuleTally { rule: rule.to_owned(), applied, hidden }
    }

    #[test]
    fn a_rule_that_hides_everything_or_nothing_is_named() {
        let declared = ["all", "none", "some", "young"].map(str::to_owned);
        let tallies = [tally("all", 100, 250), tally("some", 100, 99), tally("young", 5, 5)];
        let said: Vec<_> = remarks(&declared, &tallies, 100, &[], 100).into_iter().map(|r| r.words).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("the rule all hid something wherever it applied: 250"), "{said:?}");
        assert!(said[1].starts_with("the rule none found no place"), "{said:?}");
        assert_eq!(remarks(&declared, &[], 99, &[], 100), [], "too early to say");
    }

    #[test]
    fn a_waiver_that_hides_everything_or_nothing_any_more_is_named() {
        let waived = |exchanges, compared| Waived {
            group: "v1-0123456789abcdef".parse().unwrap(),
            endpoint: "GET /a".parse().unwrap(),
            compared,
            exchanges,
            enough: 100,
        };
        let said = |exchanges, compared| {
            let said = remarks(&[], &[], compared, &[waived(exchanges, compared)], 100);
            said.into_iter().next().map(|remark| remark.words)
        };
        assert!(said(0, 100).unwrap().contains("--undo"));
        assert!(said(100, 100).unwrap().contains("in each of 100 comparisons of GET /a"));
        assert_eq!((said(99, 100), said(0, 99)), (None, None));
    }
}
