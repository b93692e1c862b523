//! One rating packed into 64 bits, where its values allow it: half the memory of a [`Row`], and twice as fast to sort.

use arrow_array::ArrayRef;
use arrow_schema::ArrowError;

use super::added::Values;
use super::row::{Line, Row};
use crate::ratings::Ratings;

/// Movies below this can be packed.
const MOVIES: i32 = 1 << 20;
/// Users below this can be packed.
const USERS: i32 = 1 << 24;
/// Days since 1970-01-01 below this can be packed: until 2059.
pub(super) const DAYS: i32 = 1 << 15;
/// The most half stars that can be packed.
const HALVES: f32 = 31.0;

/// A rating whose order is that of its [`Row`].
///
/// ```text
/// bit 63     44 43      20 19      5 4                0
///     movie      user       date      31 - half stars
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Packed(u64);

impl Packed {
    /// `None` if a value is out of range, or the rating is not whole or half stars.
    pub(super) fn new(movie: i32, user: i32, rating: f32, date: i32) -> Option<Self> {
        let halves = rating * 2.0;
        let fits = (0..MOVIES).contains(&movie)
            && (0..USERS).contains(&user)
            && (0..DAYS).contains(&date)
            && (0.0..=HALVES).contains(&halves)
            && halves as u8 as f32 == halves;
        fits.then(|| Self((movie as u64) << 44 | (user as u64) << 20 | (date as u64) << 5 | (31 - halves as u64)))
    }

    pub(super) fn of(ratings: &Ratings, index: usize) -> Option<Self> {
        Self::new(ratings.movie[index], ratings.user[index], ratings.rating[index], ratings.date[index])
    }

    /// Adds all of `ratings` to `rows`; `None`, and some of them may have been added, if one cannot be packed.
    pub(super) fn extend(rows: &mut Vec<Self>, ratings: &Ratings) -> Option<()> {
        rows.reserve(ratings.len());
        (0..ratings.len()).try_for_each(|index| {
            rows.push(Self::of(ratings, index)?);
            Some(())
        })
    }

    pub(super) const BYTES: usize = size_of::<Self>();

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0.to_le_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }
}

impl Line for Packed {
    fn row(self) -> Row {
        Row::new(self.movie(), self.user(), self.rating(), self.date())
    }

    fn movie(self) -> i32 {
        (self.0 >> 44) as i32
    }

    fn user(self) -> i32 {
        (self.0 >> 20) as i32 & (USERS - 1)
    }

    fn date(self) -> i32 {
        (self.0 >> 5) as i32 & (DAYS - 1)
    }

    fn rating(self) -> f32 {
        (31 - (self.0 & 31)) as f32 / 2.0
    }

    fn is_same_key(self, other: Self) -> bool {
        self.0 >> 5 == other.0 >> 5
    }

    /// Netflix text goes movie by movie, mostly in ascending order: then it is enough to sort the rows of each movie, which lie in the
    /// first-level cache. Otherwise the rows may be sorted runs, which a stable sort finds and merges.
    fn sort(lines: &mut [Self]) {
        if lines.is_sorted_by_key(|line| line.0 >> 44) {
            lines.chunk_by_mut(|a, b| a.0 >> 44 == b.0 >> 44).for_each(<[Self]>::sort_unstable);
        } else {
            lines.sort();
        }
    }

    fn columns(_: &[Self], _: &Values) -> Result<Vec<ArrayRef>, ArrowError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Values = (i32, i32, u8, i32);

    fn any_values() -> impl Strategy<Value = Values> {
        (prop_oneof![0..MOVIES, 0..3], prop_oneof![0..USERS, 0..3], 0..=31_u8, prop_oneof![0..DAYS, 0..3])
    }

    fn packed((movie, user, halves, date): Values) -> Packed {
        Packed::new(movie, user, f32::from(halves) / 2.0, date).unwrap()
    }

    proptest! {
        #[test]
        fn a_packed_row_says_what_the_row_says_and_sorts_as_it_does(a in any_values(), b in any_values()) {
            let (a, b) = (packed(a), packed(b));
            let row = a.row();
            prop_assert_eq!((a.movie(), a.user(), a.rating(), a.date()), (row.movie(), row.user(), row.rating(), row.date()));
            prop_assert_eq!(a.cmp(&b), row.cmp(&b.row()));
            prop_assert_eq!(a.is_same_key(b), row.key() == b.row().key());
            prop_assert_eq!(Packed::from_bytes(a.to_bytes()), a);
        }

        #[test]
        fn sorting_by_movie_is_sorting(values in prop::collection::vec(any_values(), 0..200), by_movie: bool) {
            let mut lines: Vec<Packed> = values.into_iter().map(packed).collect();
            if by_movie {
                lines.sort_by_key(|line| line.movie());
            }
            let mut sorted = lines.clone();
            sorted.sort_unstable();
            Packed::sort(&mut lines);
            prop_assert_eq!(lines, sorted);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Packed::new(MOVIES - 1, USERS - 1, 15.5, DAYS - 1).is_some());
        for (movie, user, rating, date) in [
            (MOVIES, 1, 3.0, 1),
            (-1, 1, 3.0, 1),
            (1, USERS, 3.0, 1),
            (1, -1, 3.0, 1),
            (1, 1, 16.0, 1),
            (1, 1, -0.5, 1),
            (1, 1, 3.1, 1),
            (1, 1, f32::NAN, 1),
            (1, 1, 3.0, DAYS),
            (1, 1, 3.0, -1),
        ] {
            assert_eq!(Packed::new(movie, user, rating, date), None);
        }
    }
}
