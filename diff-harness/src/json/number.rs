//! A JSON number by its text: equal in value, never expanded.

use std::hash::{Hash, Hasher};

/// The value of a number as sign, digits and a power of ten, without leading or trailing zeros in the digits:
/// `1`, `1.0`, `10e-1` are all `0.1 × 10¹`. The text of `1e999999999` costs what its eleven characters cost.
///
/// Exponents that do not fit 128 bits make a number that equals only itself, letter by letter (or zero, if its
/// digits are).
#[derive(Clone, Copy, Debug)]
pub struct Number<'t> {
    negative: bool,
    /// The significant digits are `head` followed by `tail`.
    head: &'t str,
    tail: &'t str,
    exponent: Exponent<'t>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Exponent<'t> {
    /// The value is 0.DIGITS × 10 to this power.
    Power(i128),
    /// Beyond 128 bits: the whole text of the number.
    Text(&'t str),
}

impl<'t> Number<'t> {
    /// Reads a number as JSON writes it (RFC 8259 §6). The text has been through a JSON parser.
    pub fn of(text: &'t str) -> Self {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
            None => (unsigned, "0"),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));

        let whole_trimmed = whole.trim_start_matches('0');
        let (head, tail, shift) = if whole_trimmed.is_empty() {
            let significant = fraction.trim_start_matches('0');
            (significant.trim_end_matches('0'), "", -((fraction.len() - significant.len()) as i128))
        } else {
            let fraction = fraction.trim_end_matches('0');
            let head = if fraction.is_empty() { whole_trimmed.trim_end_matches('0') } else { whole_trimmed };
            (head, fraction, whole_trimmed.len() as i128)
        };
        if head.is_empty() && tail.is_empty() {
            return Self { negative: false, head, tail, exponent: Exponent::Power(0) };
        }
        let power = exponent.parse::<i128>().ok().and_then(|power| power.checked_add(shift));
        Self { negative, head, tail, exponent: power.map_or(Exponent::Text(text), Exponent::Power) }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.head.bytes().chain(self.tail.bytes())
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.negative == other.negative
            && self.exponent == other.exponent
            && self.head.len() + self.tail.len() == other.head.len() + other.tail.len()
            && self.digits().eq(other.digits())
    }
}

impl Eq for Number<'_> {}

impl Hash for Number<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.negative.hash(state);
        self.exponent.hash(state);
        for digit in self.digits() {
            state.write_u8(digit);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn numbers_are_equal_by_value() {
        let hasher = std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default();
        for (left, right, equal) in [
            ("1", "1.0", true),
            ("1", "1e0", true),
            ("100", "1E+2", true),
            ("0.001", "1e-3", true),
            ("12.50", "125e-1", true),
            ("0", "-0.0e7", true),
            ("0e99999999999999999999999999999999999999999999", "0", true),
            ("1e999999999", "10e999999998", true),
            ("1", "-1", false),
            ("1", "10", false),
            ("101", "1001", false),
            ("10000000000000000001", "10000000000000000002", false),
            ("0.1", "0.10000000000000000000000000000000000000001", false),
            ("1e999999999", "1e999999998", false),
            (
                "1e99999999999999999999999999999999999999999999",
                "1e99999999999999999999999999999999999999999998",
                false,
            ),
        ] {
            let (a, b) = (Number::of(left), Number::of(right));
            assert_eq!(a == b, equal, "{left} {right}");
            if equal {
                assert_eq!(hasher.hash_one(a), hasher.hash_one(b), "{left} {right}");
            }
        }
    }
}
