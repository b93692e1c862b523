//! What can be wrong with a line.

use serde::{Deserialize, Serialize};

/// Why a line was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// The user's id is not a whole number from 0 to 2147483647.
    BadId,
    /// The rating is not a number: of whole or half stars in Netflix text, a finite one elsewhere.
    BadRating,
    /// The rating lies outside `rating_range`.
    RatingOutOfRange,
    /// The date is not `YYYY-MM-DD`, or that day does not exist.
    ImpossibleDate,
    /// A row of Netflix text has more or fewer than three fields.
    FieldCount,
    /// A row that stands before the first header of Netflix text.
    NoMovie,
    /// A header of Netflix text whose movie id cannot be read.
    BadHeader,
    /// A row below a header that could not be read: nobody knows its movie.
    UnderBadHeader,
    /// The item's id is not a whole number from 0 to 2147483647.
    BadItem,
    /// The time is neither an instant nor a day of the years 1 to 9999.
    BadTime,
    /// There is no user, item or rating: the field is empty or null.
    MissingValue,
    /// An id that is no UTF-8 text.
    NotText,
    /// The row has more or fewer fields than the first row of its file.
    RowLength,
}

impl Defect {
    /// Every kind, in the order of the enum.
    pub const ALL: [Defect; 13] = [
        Defect::BadId,
        Defect::BadRating,
        Defect::RatingOutOfRange,
        Defect::ImpossibleDate,
        Defect::FieldCount,
        Defect::NoMovie,
        Defect::BadHeader,
        Defect::UnderBadHeader,
        Defect::BadItem,
        Defect::BadTime,
        Defect::MissingValue,
        Defect::NotText,
        Defect::RowLength,
    ];

    /// The name of the kind in outputs and in the rejects file.
    pub fn name(self) -> &'static str {
        match self {
            Defect::BadId => "bad_id",
            Defect::BadRating => "bad_rating",
            Defect::RatingOutOfRange => "rating_out_of_range",
            Defect::ImpossibleDate => "impossible_date",
            Defect::FieldCount => "field_count",
            Defect::NoMovie => "no_movie",
            Defect::BadHeader => "bad_header",
            Defect::UnderBadHeader => "under_bad_header",
            Defect::BadItem => "bad_item",
            Defect::BadTime => "bad_time",
            Defect::MissingValue => "missing_value",
            Defect::NotText => "not_text",
            Defect::RowLength => "row_length",
        }
    }

    /// What is wrong, for people who look at a line of Netflix text or of a table.
    pub fn describe(self) -> &'static str {
        match self {
            Defect::BadId => "user id is not a whole number",
            Defect::BadRating => "rating is not a number of stars",
            Defect::RatingOutOfRange => "rating is out of range",
            Defect::ImpossibleDate => "date is impossible or not YYYY-MM-DD",
            Defect::FieldCount => "expected three fields: user, rating, date",
            Defect::NoMovie => "row stands before any `MovieID:` header",
            Defect::BadHeader => "header has no readable movie id",
            Defect::UnderBadHeader => "row stands below a header that could not be read",
            Defect::BadItem => "item id is not a whole number",
            Defect::BadTime => "time is no instant and no date",
            Defect::MissingValue => "user, item or rating is missing",
            Defect::NotText => "id is not UTF-8 text",
            Defect::RowLength => "row has more or fewer fields than the first of its file",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_defect_is_the_one_it_is_stored_under() {
        for defect in Defect::ALL {
            assert_eq!(serde_json::to_value(defect).unwrap(), defect.name());
        }
    }
}
