//! JSON columns: text on disk, [`Value`] in the program.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde_json::Value;

/// A value on its way into a column.
pub(crate) struct ToJson<'a>(pub(crate) &'a Value);

impl ToSql for ToJson<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string().into())
    }
}

/// A value on its way out of a column.
pub(crate) struct FromJson(pub(crate) Value);

impl FromSql for FromJson {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// How deep lists and objects are nested: 0 for a number, 1 for a flat list. Stops counting beyond `limit`,
/// so that a hostile value costs no more stack than the limit allows.
pub(crate) fn depth(value: &Value, limit: usize) -> usize {
    let below = |values: &mut dyn Iterator<Item = &Value>| match limit {
        0 => 1,
        _ => 1 + values.map(|value| depth(value, limit - 1)).max().unwrap_or(0),
    };
    match value {
        Value::Array(items) => below(&mut items.iter()),
        Value::Object(fields) => below(&mut fields.values()),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn depth_counts_nesting_and_stops_just_beyond_the_limit() {
        assert_eq!(depth(&json!(3), 9), 0);
        assert_eq!(depth(&json!([]), 9), 1);
        assert_eq!(depth(&json!({ "a": [1, { "b": [] }], "c": 1 }), 9), 4);
        assert_eq!(depth(&json!([[[[[]]]]]), 3), 4);
    }
}
