//! Form names with brackets: `a[b]=1` is a field in an object, `a[]=1` an element of an array, and `a[][b]=1` a field
//! of the array's last element, or of a new one if the last has that field already.

use serde_json::{Map, Value};

use crate::edges::body::BodyError;

const DEPTH_MAX: usize = 8;
/// Enough for 500 tracks with several fields each.
const PAIRS_MAX: usize = 4000;

pub(super) fn tree(pairs: Vec<(String, String)>) -> Result<Map<String, Value>, BodyError> {
    if pairs.len() > PAIRS_MAX {
        return Err(BodyError::Form(format!("more than {PAIRS_MAX} fields")));
    }
    let mut root = Map::new();
    for (name, value) in pairs {
        let path = path(&name);
        if path.len() > DEPTH_MAX {
            return Err(BodyError::Form(format!("{name:?} is nested deeper than {DEPTH_MAX}")));
        }
        let clash = || BodyError::Form(format!("{name:?} contradicts an earlier field"));
        let (first, rest) = path.split_first().expect("a path has at least one part");
        insert(root.entry(*first).or_insert(Value::Null), rest, value).ok_or_else(clash)?;
    }
    Ok(root)
}

/// `a[b][]` is a, b and the empty part. A name whose brackets do not match is one plain part.
fn path(name: &str) -> Vec<&str> {
    let plain = || vec![name];
    let Some((first, rest)) = name.split_once('[') else { return plain() };
    let Some(rest) = rest.strip_suffix(']') else { return plain() };
    if first.is_empty() {
        return plain();
    }
    std::iter::once(first).chain(rest.split("][")).collect()
}

/// `None` if the place already holds something of another shape. A plain field that comes twice keeps the last value.
fn insert(place: &mut Value, path: &[&str], leaf: String) -> Option<()> {
    match path {
        [] => match place {
            Value::Null | Value::String(_) => *place = Value::String(leaf),
            _ => return None,
        },
        ["", rest @ ..] => {
            if place.is_null() {
                *place = Value::Array(Vec::new());
            }
            let elements = place.as_array_mut()?;
            let starts_new = match rest {
                [] | ["", ..] => true,
                [field, ..] => elements.last().is_none_or(|last| last.get(*field).is_some()),
            };
            if starts_new {
                elements.push(Value::Null);
            }
            insert(elements.last_mut().expect("one was pushed if there was none"), rest, leaf)?;
        }
        [field, rest @ ..] => {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            insert(place.as_object_mut()?.entry(*field).or_insert(Value::Null), rest, leaf)?;
        }
    }
    Some(())
}
