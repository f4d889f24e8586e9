//! Times as the dialect writes them: `2010/09/01 10:00:00 +0000`.

use serde_json::Value;

use crate::domain::Timestamp;

pub(crate) fn time(time: Timestamp) -> Value {
    Value::String(time.as_jiff().strftime("%Y/%m/%d %H:%M:%S +0000").to_string())
}

/// Year, month and day of a release, each null if there is none.
pub(super) fn release(at: Option<Timestamp>) -> [Value; 3] {
    let Some((year, month, day)) = at.map(Timestamp::date) else {
        return [Value::Null, Value::Null, Value::Null];
    };
    [year.into(), month.into(), day.into()]
}
