//! An id as people write it and read it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::map::NameMap;

/// The id of a user or an item as it stands in the original data: a number or a text. Which of the two was written does not matter
/// to whoever looks it up: a model knows either numbers or names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    /// As in JSON `30`.
    Number(i64),
    /// As in JSON `"B00004CXX9"`, and everything that comes from a command line.
    Name(String),
}

impl Id {
    /// The number inside, given the map of its side if there is one.
    pub(super) fn resolve(&self, map: Option<&NameMap>) -> Option<i32> {
        match (self, map) {
            (Id::Number(number), None) => i32::try_from(*number).ok(),
            (Id::Name(name), None) => name.trim().parse().ok(),
            (Id::Number(number), Some(map)) => map.id(&number.to_string()),
            (Id::Name(name), Some(map)) => map.id(name),
        }
    }

    /// The original of a number inside. One that has no name, which no dataset of recflow's holds, is shown as it is.
    pub(super) fn show(id: i32, map: Option<&NameMap>) -> Self {
        map.and_then(|map| map.name(id)).map_or(Id::Number(i64::from(id)), |name| Id::Name(name.to_owned()))
    }

    /// An id as it was typed: a number where the text reads exactly as one, so that JSON shows numbers as numbers.
    pub fn typed(text: &str) -> Self {
        match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Id::Number(number),
            _ => Id::Name(text.to_owned()),
        }
    }

    /// What it is as text.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            Id::Number(number) => number.to_string().into(),
            Id::Name(name) => name.into(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.as_text())
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Id::Name(text.to_owned())
    }
}

impl From<i32> for Id {
    fn from(number: i32) -> Self {
        Id::Number(i64::from(number))
    }
}

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer" }, { "type": "string" }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_text_are_the_same_id() {
        let mut map = NameMap::default();
        for name in ["x", "30", "030"] {
            map.id_or_add(name).unwrap();
        }
        let number = Id::from(30);
        assert_eq!((number.resolve(None), Id::from("30").resolve(None)), (Some(30), Some(30)));
        assert_eq!(
            (number.resolve(Some(&map)), Id::from("30").resolve(Some(&map)), Id::from("030").resolve(Some(&map))),
            (Some(1), Some(1), Some(2))
        );
        assert_eq!((Id::from("x").resolve(None), Id::Number(1 << 40).resolve(None)), (None, None));
        assert_eq!((Id::show(0, Some(&map)), Id::show(0, None)), (Id::from("x"), Id::from(0)));
        assert_eq!(format!("{:>4}|{:<3}|", Id::from(30), Id::from("x")), "  30|x  |");
    }
}
