//! Copies what is kept out of the buffers in which it came: a few bytes of such a buffer hold all of it in memory.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};

/// Gives the values of a header map memory of their own: one piece for all of them.
pub fn headers(headers: &mut HeaderMap) {
    let length = headers.values().map(HeaderValue::len).sum();
    if length == 0 {
        return;
    }
    let mut all = BytesMut::with_capacity(length);
    headers.values().for_each(|value| all.extend_from_slice(value.as_bytes()));
    let mut all = all.freeze();
    for value in headers.values_mut() {
        *value = same(value, all.split_to(value.len()));
    }
}

/// A value with memory of its own.
pub fn value(value: &HeaderValue) -> HeaderValue {
    same(value, Bytes::copy_from_slice(value.as_bytes()))
}

fn same(value: &HeaderValue, bytes: Bytes) -> HeaderValue {
    let mut copy = HeaderValue::from_maybe_shared(bytes).expect("the bytes of a value are one");
    copy.set_sensitive(value.is_sensitive());
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_is_the_same_and_holds_nothing_else() {
        let buffer = Bytes::from(b"HTTP/1.1 200 OK\r\na: one\r\nb: \xff\r\na: two\r\nc: \r\n\r\n".to_vec());
        let piece =
            |at: usize, length: usize| HeaderValue::from_maybe_shared(buffer.slice(at..at + length)).unwrap();
        let mut kept = HeaderMap::new();
        kept.append("a", piece(20, 3));
        kept.append("b", piece(28, 1));
        kept.append("a", piece(34, 3));
        kept.append("c", piece(42, 0));
        kept.get_mut("b").unwrap().set_sensitive(true);
        let before = kept.clone();
        headers(&mut kept);
        assert_eq!(kept, before);
        assert!(kept["b"].is_sensitive() && !kept["a"].is_sensitive());
        let alone = value(&piece(20, 3));
        assert_eq!(alone, "one");
        drop(before);
        // Nobody else holds the buffer.
        assert!(buffer.try_into_mut().is_ok());
    }
}
