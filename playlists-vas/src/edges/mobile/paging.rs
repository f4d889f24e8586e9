//! Pages: `{"collection": […], "next": "…"}`, where `next` is handed back as `cursor` and is missing on the last page.

use serde_json::{Value, json};

use crate::{
    domain::{Cursor, Page, Position},
    edges::mobile::{ApiError, Caller},
    regressions::Regression,
};

const LIMIT_DEFAULT: u32 = 30;
const LIMIT_MAX: u32 = 100;

/// # Errors
/// 400 for a limit that is no number from 1 on, and for a cursor that no page gave out. More than 100 is 100.
pub(super) fn page(caller: &Caller) -> Result<Page, ApiError> {
    let limit = match caller.parameter("limit") {
        None => LIMIT_DEFAULT,
        Some(text) => limit(text).ok_or(ApiError::BadParameter("limit"))?,
    };
    let position = match caller.parameter("cursor") {
        None => Position::Offset(0),
        Some(text) => match opened(text) {
            Some(cursor) => Position::After(cursor),
            None if caller.regressions.on(Regression::LenientCursor) => Position::Offset(0),
            None => return Err(ApiError::BadParameter("cursor")),
        },
    };
    Ok(Page { limit, position })
}

pub(super) fn write(items: Vec<Value>, next: Option<Cursor>) -> Value {
    let mut written = json!({ "collection": items });
    if let Some(next) = next {
        written["next"] = json!(sealed(next));
    }
    written
}

fn limit(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let limit = digits.then(|| text.parse::<u32>().unwrap_or(u32::MAX))?;
    (limit >= 1).then(|| limit.min(LIMIT_MAX))
}

/// Hexadecimal, so that nobody is tempted to make one.
fn sealed(cursor: Cursor) -> String {
    cursor.to_string().bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn opened(text: &str) -> Option<Cursor> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
    String::from_utf8(bytes?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let cursor = Cursor { key: -5, id: 201 };
        assert_eq!(opened(&sealed(cursor)), Some(cursor));
        for bad in ["", "0", "zz", "+1", "3a", "é", "ÿÿ"] {
            assert_eq!(opened(bad), None, "{bad}");
        }
    }

    #[test]
    fn limits_are_numbers_from_1_to_100() {
        assert_eq!([limit("1"), limit("100"), limit("101")], [Some(1), Some(100), Some(100)]);
        assert_eq!(limit("99999999999999999999"), Some(100));
        for bad in ["", "0", "-1", "+1", "x", "1.5"] {
            assert_eq!(limit(bad), None, "{bad}");
        }
    }
}
