//! The id that a client, both sides and the ledger know a request by.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue};

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a trusted peer.
const TAKEN_MAX: usize = 128;
/// Characters of an id that is made here.
const MADE: usize = 32;
/// Ids share their memory by the hundred, so that making one allocates next to nothing.
const BATCH: usize = 128 * MADE;

/// Makes ids for one thread: 64 random bits of the thread, and a scrambled count.
struct Maker {
    prefix: u64,
    made: u64,
    batch: BytesMut,
}

/// All bytes in hexadecimal.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        hex[byte] = [DIGITS[byte >> 4], DIGITS[byte & 0xf]];
        byte += 1;
    }
    hex
};

thread_local! {
    static MAKER: RefCell<Maker> = RefCell::new(Maker::new());
}

/// A new id.
pub(super) fn make() -> HeaderValue {
    MAKER.with_borrow_mut(Maker::make)
}

/// Whether an id that a peer sent can stand in a log, a URL and a file name.
pub(super) fn is_usable(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'=');
    (1..=TAKEN_MAX).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

impl Maker {
    fn new() -> Self {
        // The standard library seeds its hashers from the system's randomness.
        let random = RandomState::new();
        let prefix = random.hash_one(std::time::SystemTime::now());
        Self { prefix, made: random.hash_one(prefix), batch: BytesMut::new() }
    }

    fn make(&mut self) -> HeaderValue {
        // An odd factor permutes all 64-bit numbers: no id comes twice, and none tells how many there were.
        self.made = self.made.wrapping_add(1);
        let count = self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if self.batch.capacity() < MADE {
            self.batch = BytesMut::with_capacity(BATCH);
        }
        let both = (u128::from(self.prefix) << 64) | u128::from(count);
        let digits: [[u8; 2]; MADE / 2] = both.to_be_bytes().map(|byte| HEX[usize::from(byte)]);
        self.batch.extend_from_slice(digits.as_flattened());
        let id: Bytes = self.batch.split().freeze();
        HeaderValue::from_maybe_shared(id).expect("hexadecimal digits can stand in a header")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_id_is_made_twice() {
        let of_a_thread = || (0..5_000).map(|_| make()).collect::<Vec<_>>();
        let other = std::thread::spawn(of_a_thread);
        let ids: HashSet<_> = of_a_thread().into_iter().chain(other.join().unwrap()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == MADE && is_usable(id)));
    }

    #[test]
    fn what_could_not_stand_in_a_log_is_not_taken() {
        for id in ["", "a b", "a\"b", "<a>", "a/../b", &"x".repeat(129)] {
            assert!(!is_usable(&HeaderValue::from_str(id).unwrap()), "{id:?} was taken");
        }
        for id in ["1", "Root=1-67891233-abcdef", "01J9.x_y:z"] {
            assert!(is_usable(&HeaderValue::from_static(id)), "{id:?} was not taken");
        }
    }
}
