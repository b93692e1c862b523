//! Rows that are not what this crate writes: somebody edited the file, or a disk changed a bit where no page's structure tells.
//!
//! One such row must not hide all others from a person who looks. Lists of a view that reads around damage leave it out and keep a
//! [`Damage`] of it; everywhere else it is [`Error::Corrupt`], with the same words.

use std::path::Path;

use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::error::{Error, describe};

/// Columns that tell a person which row is meant, in the order in which they are named.
const KEYS: [&str; 7] = ["run_id", "id", "pipeline", "task_id", "number", "seq", "name"];
/// Longest value of one of them that is shown.
const VALUE_CHARS_MAX: usize = 40;

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What was being read: `read the tasks of a run`.
    pub what: String,
    /// Which row: `id k3f9…, pipeline etl`.
    pub row: String,
    /// What is wrong with it: ``column `status`: unknown run status `x` ``.
    pub detail: String,
}

impl Damage {
    pub(crate) fn of(what: &str, row: &Row<'_>, error: &rusqlite::Error) -> Self {
        let names: Vec<&str> = row.as_ref().column_names().collect();
        let column = |position: usize| names.get(position).copied().unwrap_or("?");
        let detail = match error {
            rusqlite::Error::FromSqlConversionFailure(position, _, cause) => format!("column `{}`: {cause}", column(*position)),
            rusqlite::Error::InvalidColumnType(position, _, kind) => format!("column `{}` holds {kind}", column(*position)),
            rusqlite::Error::IntegralValueOutOfRange(position, value) => format!("column `{}` holds {value}", column(*position)),
            other => describe(other),
        };
        let keys = KEYS.iter().filter_map(|key| {
            let position = names.iter().position(|name| name == key)?;
            Some(format!("{key} {}", shown(row.get_ref(position).ok()?)))
        });
        Self { what: what.to_owned(), row: keys.collect::<Vec<_>>().join(", "), detail }
    }

    pub(crate) fn into_error(self, path: &Path) -> Error {
        Error::Corrupt { path: path.to_owned(), detail: self.to_string() }
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.row.is_empty() { f.write_str(&self.detail) } else { write!(f, "{}: {}", self.row, self.detail) }
    }
}

/// Whether a row holds what it must not, as opposed to SQLite having failed.
pub(crate) fn is_malformed(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
    )
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) => String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(VALUE_CHARS_MAX).collect(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => "?".to_owned(),
    }
}
