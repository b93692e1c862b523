//! Lists come in pages: `{"items": […], "next_cursor": "…"}`. A cursor says where the next page begins; it is opaque to clients, and bound
//! to the list that gave it out.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::server::problem::Problem;

/// A part of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct Page<T> {
    /// The items, in the order of the list.
    pub(crate) items: Vec<T>,
    /// Give it as `cursor` for the next page; null after the last.
    pub(crate) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that is short enough to be given whole.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }

    /// A page of at most `limit` from up to one item more than that. If there is one more, the cursor is the key of the last item given.
    pub(crate) fn cut<K: Serialize>(list: &str, mut items: Vec<T>, limit: Limit, key: impl Fn(&T) -> K) -> Self {
        let has_more = items.len() > limit.get();
        items.truncate(limit.get());
        let next_cursor = items.last().filter(|_| has_more).map(|last| write_cursor(list, &key(last)));
        Self { items, next_cursor }
    }
}

/// How many items a page may have: 1 to 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u32")]
#[schemars(extend("minimum" = 1, "maximum" = 500))]
pub(crate) struct Limit(u32);

impl Limit {
    /// The most.
    pub(crate) const MAX: u32 = 500;

    /// So many, which must be in bounds.
    pub(crate) const fn of(limit: u32) -> Self {
        assert!(limit >= 1 && limit <= Self::MAX, "a limit of the program's own is out of bounds");
        Self(limit)
    }

    /// As a length.
    pub(crate) fn get(self) -> usize {
        self.0 as usize
    }

    /// One more than that: who reads so many knows whether there is a next page.
    pub(crate) fn and_one(self) -> u32 {
        self.0 + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<u32> for Limit {
    type Error = String;
    fn try_from(limit: u32) -> Result<Self, String> {
        if (1..=Self::MAX).contains(&limit) { Ok(Self(limit)) } else { Err(format!("expected 1 to {}, not {limit}", Self::MAX)) }
    }
}

/// A cursor that stands behind `key` in `list`.
pub(crate) fn write_cursor(list: &str, key: &impl Serialize) -> String {
    let text = serde_json::to_string(&(list, key)).unwrap_or_default();
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The key that a cursor of `list` holds.
pub(crate) fn read_cursor<K: DeserializeOwned>(list: &str, cursor: &str) -> Result<K, Problem> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes: Option<Vec<u8>> =
        cursor.as_bytes().chunks(2).map(|pair| Some((digit(pair[0])? * 16 + digit(*pair.get(1)?)?) as u8)).collect();
    let parsed = bytes.and_then(|bytes| serde_json::from_slice::<(String, K)>(&bytes).ok());
    match parsed {
        Some((of, key)) if of == list => Ok(key),
        _ => Err(Problem::invalid("unknown-cursor", "the cursor is not one that this list gave out")
            .with_hint("leave `cursor` out to begin anew")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_with_a_cursor_that_stands_behind_its_last_item() {
        let limit = Limit::try_from(2).unwrap();
        let page = Page::cut("runs", vec![7, 5, 3], limit, |item| *item);
        assert_eq!(page.items, [7, 5]);
        assert_eq!(read_cursor::<i64>("runs", &page.next_cursor.unwrap()).unwrap(), 5);
        assert!(Page::cut("runs", vec![7, 5], limit, |item| *item).next_cursor.is_none());
    }

    #[test]
    fn a_cursor_of_another_list_or_of_nobody_is_refused() {
        let cursor = write_cursor("runs", &5);
        for (list, cursor) in [("tokens", cursor.as_str()), ("runs", ""), ("runs", "zz"), ("runs", "5"), ("runs", "é0")] {
            assert!(read_cursor::<i64>(list, cursor).is_err(), "{list} {cursor}");
        }
        assert!(read_cursor::<String>("runs", &cursor).is_err(), "a key of another type");
    }
}
