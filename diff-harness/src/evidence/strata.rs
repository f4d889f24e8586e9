//! Samples counted by shape.
//!
//! A shape is one kind of request and answer: status class, whether authenticated, which optional parameters, what the
//! body looks like. One URL polled 10,000 times is one shape, so what a shape may contribute is capped; and no verdict
//! averages over shapes, because an endpoint that is right without a parameter and wrong with it is wrong.

/// What was compared in one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stratum {
    pub shape: String,
    pub compared: u64,
    pub mismatched: u64,
}

/// The samples that count, over all shapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strata {
    /// Comparisons after the cap.
    pub compared: u64,
    /// Mismatches: never capped.
    pub mismatched: u64,
    /// Comparisons that the cap left out.
    pub left_out: u64,
    /// The shapes that are wrong often enough to be named, worst first.
    pub wrong: Vec<Stratum>,
}

/// Adds up shapes, each contributing at most `cap` comparisons.
///
/// A shape's mismatches are never capped away: they stay, and its matches are cut to what the cap leaves beside them.
/// A shape is named as wrong when more than `tolerated_share` of it mismatched.
pub fn weigh(strata: &[Stratum], cap: u64, tolerated_share: f64) -> Strata {
    let mut total = Strata { compared: 0, mismatched: 0, left_out: 0, wrong: Vec::new() };
    for stratum in strata {
        let counted = stratum.compared.min(cap).max(stratum.mismatched);
        total.compared += counted;
        total.mismatched += stratum.mismatched;
        total.left_out += stratum.compared - counted;
        if share_wrong(stratum) > tolerated_share {
            total.wrong.push(stratum.clone());
        }
    }
    total.wrong.sort_by(|a, b| share_wrong(b).total_cmp(&share_wrong(a)).then_with(|| a.shape.cmp(&b.shape)));
    total
}

fn share_wrong(stratum: &Stratum) -> f64 {
    if stratum.compared == 0 { 0.0 } else { stratum.mismatched as f64 / stratum.compared as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stratum(shape: &str, compared: u64, mismatched: u64) -> Stratum {
        Stratum { shape: shape.to_owned(), compared, mismatched }
    }

    #[test]
    fn one_url_polled_ten_thousand_times_is_one_shape() {
        let total = weigh(&[stratum("2xx", 10_000, 0)], 100, 0.01);
        assert_eq!((total.compared, total.left_out), (100, 9_900));
    }

    #[test]
    fn a_variant_that_is_wrong_is_named_whatever_the_average_says() {
        let total = weigh(&[stratum("2xx", 9_990, 0), stratum("2xx ?_shape", 10, 4)], 100_000, 0.01);
        assert_eq!(total.wrong, [stratum("2xx ?_shape", 10, 4)]);
        assert!((total.mismatched as f64) < 0.01 * total.compared as f64, "the average hides it");
    }

    #[test]
    fn the_cap_never_hides_a_mismatch() {
        let total = weigh(&[stratum("2xx", 500, 300)], 100, 1.0);
        assert_eq!((total.compared, total.mismatched, total.left_out), (300, 300, 200));
    }

    #[test]
    fn no_samples_are_no_samples() {
        assert_eq!(weigh(&[], 100, 0.01).compared, 0);
        assert_eq!(weigh(&[stratum("2xx", 0, 0)], 100, 0.01).wrong, []);
    }
}
