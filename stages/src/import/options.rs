//! What a person may say about the files; everything else is found out.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::known::Role;
use crate::intake::RatingRange;

/// What the files are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The first bytes decide.
    #[default]
    Auto,
    /// Text with separators, plain, gzip or Zstandard.
    Csv,
    /// Parquet.
    Parquet,
}

/// What becomes of ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdMode {
    /// Numbers stay, others are mapped; each side for itself. A dataset that is there decides, else the first rows.
    #[default]
    Auto,
    /// Numbers from 0 to 2147483647; rows with others are malformed.
    Int,
    /// Mapped: text of any kind, or numbers of any size.
    Map,
}

/// A column: its name in the header, or its place, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ColumnRef {
    /// Its place, from 1.
    Place(#[schemars(range(min = 1))] usize),
    /// Its name.
    Name(String),
}

/// Which columns are which. Those that are not given are known by their names, or by the order user, item, rating, time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// Who rated.
    pub user: Option<ColumnRef>,
    /// What was rated.
    pub item: Option<ColumnRef>,
    /// How.
    pub rating: Option<ColumnRef>,
    /// When.
    pub time: Option<ColumnRef>,
}

impl Columns {
    /// What was said of a role.
    pub(super) fn of(&self, role: Role) -> Option<&ColumnRef> {
        match role {
            Role::User => self.user.as_ref(),
            Role::Item => self.item.as_ref(),
            Role::Rating => self.rating.as_ref(),
            Role::Time => self.time.as_ref(),
        }
    }
}

/// What stands between fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// One character.
    Byte(u8),
    /// `::`, as MovieLens has it.
    DoubleColon,
    /// One blank or several.
    Blank,
}

impl Delimiter {
    /// How it is written as an input, and between the fields of a rejected row.
    pub fn text(self) -> Cow<'static, str> {
        match self {
            Delimiter::Byte(byte) => char::from(byte).to_string().into(),
            Delimiter::DoubleColon => "::".into(),
            Delimiter::Blank => " ".into(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "tab" | "\\t" => Some(Delimiter::Byte(b'\t')),
            "blank" | "space" | " " => Some(Delimiter::Blank),
            "::" => Some(Delimiter::DoubleColon),
            _ => match text.as_bytes() {
                &[byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n".contains(&byte) => Some(Delimiter::Byte(byte)),
                _ => None,
            },
        }
    }
}

impl<'de> Deserialize<'de> for Delimiter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is no delimiter: give one character such as `;`, or `tab`, `blank`, `::`"))
        })
    }
}

impl JsonSchema for Delimiter {
    fn schema_name() -> Cow<'static, str> {
        "Delimiter".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": 5 })
    }
}

/// Everything that was said about the files.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// What they are.
    pub format: Format,
    /// Which columns are which.
    pub columns: Columns,
    /// What stands between fields; found out by default.
    pub delimiter: Option<Delimiter>,
    /// Whether the first row names the columns; found out by default.
    pub header: Option<bool>,
    /// Whether `"` begins a field that may hold separators and newlines.
    pub quoting: bool,
    /// The ratings that count; those of the layout by default.
    pub rating_range: Option<RatingRange>,
    /// The rating that stands for "seen, not rated"; that of the layout by default.
    pub unrated: Option<f32>,
    /// The rating of rows without one; such rows are malformed by default.
    pub default_rating: Option<f32>,
    /// The day of rows without a time, in days since 1970-01-01.
    pub undated: i32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::Auto,
            columns: Columns::default(),
            delimiter: None,
            header: None,
            quoting: true,
            rating_range: None,
            unrated: None,
            default_rating: None,
            undated: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn delimiters_are_characters_and_a_few_words() {
        for (text, expected) in [
            ("tab", Some(Delimiter::Byte(b'\t'))),
            ("\t", Some(Delimiter::Byte(b'\t'))),
            (";", Some(Delimiter::Byte(b';'))),
            ("blank", Some(Delimiter::Blank)),
            ("::", Some(Delimiter::DoubleColon)),
            ("a", None),
            ("\"", None),
            ("§", None),
            (",,", None),
        ] {
            assert_eq!(from_value::<Delimiter>(json!(text)).ok(), expected, "{text}");
        }
    }
}
