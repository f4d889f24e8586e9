//! Samples counted by shape.
//!
//! A shape is one kind of request and answer: status class, whether authenticated, which optional parameters, what the
//! body looks like. What a shape may contribute is capped by how many different requests it was: one URL polled 10,000
//! times is one request. And no verdict averages over shapes, because an endpoint that is right without a parameter and
//! wrong with it is wrong.

use super::sprt::{Decision, Sprt};

/// What was compared in one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stratum {
    pub shape: String,
    /// Comparisons that are evidence.
    pub compared: u64,
    pub mismatched: u64,
    /// What its different requests allow it to contribute.
    pub allowed: u64,
}

/// The samples that count, over all shapes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strata {
    /// Comparisons after the cap.
    pub compared: u64,
    /// Mismatches: never capped.
    pub mismatched: u64,
    /// Comparisons that the cap left out.
    pub left_out: u64,
    /// The shapes that are wrong by the test of their own, worst first.
    pub wrong: Vec<Stratum>,
    /// The shapes that look wrong and of which too little is known, worst first.
    pub suspect: Vec<Stratum>,
}

/// Adds up shapes, each contributing at most what it is allowed, and tests each by itself.
///
/// A shape's mismatches are never capped away: they stay, and its matches are cut to what the cap leaves beside them.
/// Many shapes are many tests: each is held to α divided by their number (Bonferroni), so that all of them together
/// reject an endpoint at p0 with a chance of at most about α.
pub fn weigh(strata: &[Stratum], sprt: &Sprt) -> Strata {
    let each = sprt.one_of(strata.len());
    let mut total = Strata::default();
    for stratum in strata {
        let counted = stratum.compared.min(stratum.allowed).max(stratum.mismatched);
        total.compared += counted;
        total.mismatched += stratum.mismatched;
        total.left_out += stratum.compared.saturating_sub(counted);
        let compared = stratum.compared.max(stratum.mismatched);
        match each.decide(compared, stratum.mismatched) {
            Decision::Reject => total.wrong.push(stratum.clone()),
            // More like p1 than like p0.
            Decision::Continue if each.score(compared, stratum.mismatched) > 0.0 => {
                total.suspect.push(stratum.clone());
            }
            Decision::Continue | Decision::Promote => {}
        }
    }
    for named in [&mut total.wrong, &mut total.suspect] {
        named.sort_by(|a, b| share_wrong(b).total_cmp(&share_wrong(a)).then_with(|| a.shape.cmp(&b.shape)));
    }
    total
}

fn share_wrong(stratum: &Stratum) -> f64 {
    if stratum.compared == 0 { 0.0 } else { stratum.mismatched as f64 / stratum.compared as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stratum(shape: &str, compared: u64, mismatched: u64) -> Stratum {
        Stratum { shape: shape.to_owned(), compared, mismatched, allowed: u64::MAX }
    }

    #[test]
    fn one_url_polled_ten_thousand_times_is_one_request() {
        let polled = Stratum { allowed: 82, ..stratum("2xx", 10_000, 0) };
        let total = weigh(&[polled], &Sprt::default());
        assert_eq!((total.compared, total.left_out), (82, 9_918));
    }

    #[test]
    fn a_variant_that_is_wrong_is_named_whatever_the_average_says() {
        let strata = [stratum("2xx", 9_990, 0), stratum("2xx ?_shape", 10, 4)];
        let total = weigh(&strata, &Sprt::default());
        assert_eq!(total.wrong, [stratum("2xx ?_shape", 10, 4)]);
        let whole = Sprt::default().decide(total.compared, total.mismatched);
        assert_eq!(whole, Decision::Promote, "the average hides it");
    }

    #[test]
    fn a_variant_of_which_little_is_known_is_suspect_and_not_judged() {
        let total = weigh(&[stratum("2xx", 500, 0), stratum("2xx ?q", 1, 1)], &Sprt::default());
        assert_eq!((total.wrong.len(), total.suspect.len()), (0, 1));
    }

    #[test]
    fn many_variants_are_held_to_a_stricter_test_each() {
        let many = |n: usize| {
            let mut strata: Vec<_> = (0..n).map(|n| stratum(&format!("2xx ?{n}"), 100, 0)).collect();
            strata.push(stratum("2xx ?x", 2, 2));
            weigh(&strata, &Sprt::default())
        };
        assert_eq!(many(1).wrong.len(), 1);
        assert_eq!((many(50).wrong.len(), many(50).suspect.len()), (0, 1));
    }

    #[test]
    fn the_cap_never_hides_a_mismatch() {
        let few = Stratum { allowed: 100, ..stratum("2xx", 500, 300) };
        let total = weigh(&[few], &Sprt::default());
        assert_eq!((total.compared, total.mismatched, total.left_out), (300, 300, 200));
    }

    #[test]
    fn no_samples_are_no_samples() {
        assert_eq!(weigh(&[], &Sprt::default()), Strata::default());
        assert_eq!(weigh(&[stratum("2xx", 0, 0)], &Sprt::default()), Strata::default());
    }
}
