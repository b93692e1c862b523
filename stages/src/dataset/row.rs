//! One rating packed into 128 bits whose order is the order of the rows in a file.

use arrow_array::ArrayRef;
use arrow_schema::ArrowError;

use super::added::Values;
use super::parquet_file::FileRows;
use crate::error::Result;
use crate::ratings::Ratings;

/// A rating that sorts by movie, user, date, and within these by rating from high to low.
///
/// ```text
/// bit 127      96 95       64 63       32 31        0
///     movie       user        date        rating, reversed
/// ```
/// Signed numbers have their sign bit flipped and floats are mapped to their total order, so that unsigned comparison of the
/// whole orders the rows: sorting needs no key function, and equal keys are neighbours with the best rating first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row(u128);

const SIGN: u32 = 1 << 31;

impl Row {
    pub(super) fn new(movie: i32, user: i32, rating: f32, date: i32) -> Self {
        // `+ 0.0` turns -0.0 into 0.0: the two are the same rating and must have the same bits.
        let bits = (rating + 0.0).to_bits();
        let ascending = if bits & SIGN == 0 { bits | SIGN } else { !bits };
        let word = |value: i32| u128::from(value as u32 ^ SIGN);
        Self(word(movie) << 96 | word(user) << 64 | word(date) << 32 | u128::from(!ascending))
    }

    pub(super) fn of(ratings: &Ratings, index: usize) -> Self {
        Self::new(ratings.movie[index], ratings.user[index], ratings.rating[index], ratings.date[index])
    }

    pub(super) const BYTES: usize = size_of::<Self>();

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0.to_le_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    pub(super) fn movie(self) -> i32 {
        ((self.0 >> 96) as u32 ^ SIGN) as i32
    }

    pub(super) fn user(self) -> i32 {
        ((self.0 >> 64) as u32 ^ SIGN) as i32
    }

    pub(super) fn date(self) -> i32 {
        ((self.0 >> 32) as u32 ^ SIGN) as i32
    }

    pub(super) fn rating(self) -> f32 {
        let ascending = !(self.0 as u32);
        f32::from_bits(if ascending & SIGN == 0 { !ascending } else { ascending ^ SIGN })
    }

    /// What an upsert keeps one row of: `(MOVIE_ID, CUST_ID, DATE)`.
    pub(super) fn key(self) -> u128 {
        self.0 >> 32
    }
}

/// What a publisher sorts and writes: a row alone ([`Row`], or [`Packed`](super::packed::Packed) where it fits), or one that carries
/// values of added columns along ([`Tagged`](super::added::Tagged)). Orders as the row does.
pub(super) trait Line: Copy + Ord + Send + Sync {
    /// The row itself.
    fn row(self) -> Row;

    fn movie(self) -> i32 {
        self.row().movie()
    }

    fn user(self) -> i32 {
        self.row().user()
    }

    fn date(self) -> i32 {
        self.row().date()
    }

    fn rating(self) -> f32 {
        self.row().rating()
    }

    /// Whether an upsert keeps one of the two.
    fn is_same_key(self, other: Self) -> bool {
        self.row().key() == other.row().key()
    }

    /// Sorts in place.
    fn sort(lines: &mut [Self]) {
        lines.sort_unstable();
    }

    /// The added columns of `lines`, in their order.
    fn columns(lines: &[Self], values: &Values) -> Result<Vec<ArrayRef>, ArrowError>;
}

/// A line that any row can become.
pub(super) trait Carrier: Line + From<Row> {
    /// The rows of a file; what else the file holds of them goes to `values`.
    fn take(file: FileRows, values: &mut Values) -> Vec<Self>;
}

impl Line for Row {
    fn row(self) -> Row {
        self
    }

    fn columns(_: &[Self], _: &Values) -> Result<Vec<ArrayRef>, ArrowError> {
        Ok(Vec::new())
    }
}

impl Carrier for Row {
    fn take(file: FileRows, _: &mut Values) -> Vec<Self> {
        (0..file.ratings.len()).map(|index| Row::of(&file.ratings, index)).collect()
    }
}

/// Sorts rows; with `one_per_key`, of rows with the same key only the one with the highest rating stays.
pub(super) fn arrange<L: Line>(lines: &mut Vec<L>, one_per_key: bool) {
    L::sort(lines);
    if one_per_key {
        lines.dedup_by(|next, kept| next.is_same_key(*kept));
    }
}

/// Whether sorted rows hold each key once.
pub(super) fn is_distinct<L: Line>(lines: &[L]) -> bool {
    lines.windows(2).all(|pair| !pair[0].is_same_key(pair[1]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_row_unpacks_to_what_was_packed(movie: i32, user: i32, rating in -1e6_f32..1e6, date: i32) {
            let row = Row::new(movie, user, rating, date);
            prop_assert_eq!((row.movie(), row.user(), row.rating(), row.date()), (movie, user, rating, date));
        }

        #[test]
        fn order_is_movie_user_date_and_the_highest_rating_first(
            a in (any::<i32>(), 0..3_i32, -9..9_i32, -4..4_i32), b in (-2..2_i32, 0..3_i32, -9..9_i32, -4..4_i32),
        ) {
            let pack = |(movie, user, date, halves): (i32, i32, i32, i32)| Row::new(movie, user, halves as f32 / 2.0, date);
            let by = |(movie, user, date, halves): (i32, i32, i32, i32)| (movie, user, date, std::cmp::Reverse(halves));
            prop_assert_eq!(pack(a).cmp(&pack(b)), by(a).cmp(&by(b)));
        }
    }

    #[test]
    fn the_highest_rating_of_a_key_stays() {
        let mut rows = vec![Row::new(1, 1, 2.0, 9), Row::new(1, 1, 4.5, 9), Row::new(1, 1, 3.0, 8), Row::new(1, 1, 4.5, 9)];
        arrange(&mut rows, true);
        assert_eq!(rows, [Row::new(1, 1, 3.0, 8), Row::new(1, 1, 4.5, 9)]);
        assert!(is_distinct(&rows));
        assert_eq!(Row::new(1, 1, -0.0, 1), Row::new(1, 1, 0.0, 1));
    }
}
