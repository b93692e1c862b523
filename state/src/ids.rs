//! Names of things: runs, pipeline versions, instants.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

/// Crockford's base 32: no `i`, `l`, `o`, `u`, so that an id survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Identifies a run: 12 characters of Crockford's base 32, lower case (60 bits).
///
/// Made by whoever creates the run, from its own source of randomness, so that a simulation can repeat it.
/// Safe as a file name and in a URL: nothing else passes [`RunId::parse`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// Characters of an id.
    pub const LENGTH: usize = 12;

    /// The id that the low 60 bits of `random` spell.
    pub fn from_random(random: u64) -> Self {
        let digit = |position: usize| ALPHABET[(random >> (5 * position)) as usize & 31] as char;
        Self((0..Self::LENGTH).rev().map(digit).collect())
    }

    /// Checks that `text` is an id: the right length, nothing but the alphabet.
    pub fn parse(text: &str) -> Result<Self, InvalidRunId> {
        let is_id = text.len() == Self::LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte));
        if is_id { Ok(Self(text.to_owned())) } else { Err(InvalidRunId(text.to_owned())) }
    }

    /// Whether an id could start with `text`.
    pub(crate) fn may_start_with(text: &str) -> bool {
        (1..=Self::LENGTH).contains(&text.len()) && text.bytes().all(|byte| ALPHABET.contains(&byte))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for RunId {
    type Err = InvalidRunId;
    fn from_str(text: &str) -> Result<Self, InvalidRunId> {
        Self::parse(text)
    }
}

impl TryFrom<String> for RunId {
    type Error = InvalidRunId;
    fn try_from(text: String) -> Result<Self, InvalidRunId> {
        Self::parse(&text)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl ToSql for RunId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for RunId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).map_err(FromSqlError::other)
    }
}

/// Text that is not a run id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a run id: expected 12 characters of 0-9 and a-z without i, l, o and u")]
pub struct InvalidRunId(String);

/// An instant: milliseconds since 1970-01-01 00:00 UTC, negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMs(pub i64);

impl From<i64> for UnixMs {
    fn from(ms: i64) -> Self {
        Self(ms)
    }
}

impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// Identifies one version of a pipeline's text. Given out by the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionId(pub i64);

macro_rules! stored_as_integer {
    ($type:ident) => {
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.into())
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map(Self)
            }
        }
    };
}

stored_as_integer!(UnixMs);
stored_as_integer!(VersionId);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_spells_the_low_sixty_bits() {
        assert_eq!(RunId::from_random(0).as_str(), "000000000000");
        assert_eq!(RunId::from_random(31).as_str(), "00000000000z");
        assert_eq!(RunId::from_random(32).as_str(), "000000000010");
        assert_eq!(RunId::from_random(u64::MAX).as_str(), "zzzzzzzzzzzz");
        assert_eq!(RunId::from_random(1 << 60), RunId::from_random(0));
    }

    #[test]
    fn what_could_leave_a_folder_or_confuse_a_reader_is_no_id() {
        for text in ["", "0123456789a", "0123456789abc", "0123456789AB", "0123456789al", "../../../etc", "000000000 00", "00000000000é"] {
            assert!(RunId::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_random_number_spells_a_valid_id(random: u64) {
            let id = RunId::from_random(random);
            prop_assert_eq!(RunId::parse(id.as_str()), Ok(id.clone()));
            prop_assert_eq!(serde_json::from_value::<RunId>(serde_json::to_value(&id).unwrap()).unwrap(), id);
        }

        #[test]
        fn different_bits_spell_different_ids(a in 0..1u64 << 60, b in 0..1u64 << 60) {
            prop_assert_eq!(RunId::from_random(a) == RunId::from_random(b), a == b);
        }
    }
}
