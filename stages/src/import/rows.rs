//! Rows into ratings: every value checked, ids numbered, in blocks.

use std::borrow::Cow;

use super::cell::Cell;
use super::options::Options;
use super::shape::Layout;
use crate::error::{Result, StageError};
use crate::intake::{Defect, RatingRange};
use crate::names::NameMap;
use crate::ratings::Ratings;

/// Rows in a block: what one thread scatters by month later.
const BLOCK_ROWS: usize = 1 << 17;

/// Which sides have names rather than numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IdKinds {
    /// Whether users do.
    pub users: bool,
    /// Whether items do.
    pub items: bool,
}

impl IdKinds {
    /// What the first rows look like: names where most ids are no numbers from 0 to 2147483647.
    pub(super) fn of_sample(rows: &[[Cell<'_>; 4]]) -> Self {
        let are_names = |side: usize| {
            let ids = || rows.iter().map(|row| row[side]).filter(|&cell| cell != Cell::Missing);
            let numbers = ids().filter(|cell| cell.number(Defect::BadId).is_ok()).count();
            ids().count() > 2 * numbers
        };
        Self { users: are_names(0), items: are_names(1) }
    }
}

/// The names met so far, of the sides that have names. Numbers here are those of one reading; whoever publishes gives final ones.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Of users.
    pub users: Option<NameMap>,
    /// Of items.
    pub items: Option<NameMap>,
}

impl Seen {
    /// Nothing yet.
    pub fn new(kinds: IdKinds) -> Self {
        Self { users: kinds.users.then(NameMap::default), items: kinds.items.then(NameMap::default) }
    }
}

/// What a row was, if it was no rating.
pub(super) enum Outcome {
    Rated,
    /// Seen, not rated.
    Unrated,
    Malformed(Defect),
}

/// What rows count for, of one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    rating_range: RatingRange,
    unrated: Option<f32>,
    default_rating: Option<f32>,
    undated: i32,
}

impl Rules {
    /// What was said, else what the layout says.
    pub(super) fn new(options: &Options, layout: Option<Layout>) -> Self {
        Self {
            rating_range: options.rating_range.or(layout.map(|layout| layout.rating_range)).unwrap_or_default(),
            unrated: options.unrated.or(layout.and_then(|layout| layout.unrated)),
            default_rating: options.default_rating,
            undated: options.undated,
        }
    }

    pub(super) fn rating_range(&self) -> RatingRange {
        self.rating_range
    }
}

/// Ratings so far.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) blocks: Vec<Ratings>,
    /// Ratings in all blocks.
    pub(super) rows: u64,
    /// Those without a time.
    pub(super) undated: u64,
    /// Rows of what was seen, but not rated.
    pub(super) unrated: u64,
    /// Lowest and highest rating that was out of range, and how many were.
    pub(super) out_of_range: Option<(f32, f32, u64)>,
}

impl Builder {
    /// Takes a row.
    ///
    /// # Errors
    /// More names than there are numbers.
    pub(super) fn add(&mut self, cells: [Cell<'_>; 4], rules: &Rules, seen: &mut Seen) -> Result<Outcome> {
        let [user, item, rating, time] = cells;
        let (stars, day) = match self.value(rating, time, rules) {
            Ok(Some(value)) => value,
            Ok(None) => {
                self.unrated += 1;
                return Ok(Outcome::Unrated);
            }
            Err(defect) => return Ok(Outcome::Malformed(defect)),
        };
        // Both are checked before either gets a number: a rejected row leaves no trace.
        let user = match Checked::of(user, seen.users.is_some(), Defect::BadId) {
            Ok(user) => user,
            Err(defect) => return Ok(Outcome::Malformed(defect)),
        };
        let item = match Checked::of(item, seen.items.is_some(), Defect::BadItem) {
            Ok(item) => item,
            Err(defect) => return Ok(Outcome::Malformed(defect)),
        };
        let (user, item) = (user.number(&mut seen.users)?, item.number(&mut seen.items)?);
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK_ROWS) {
            self.blocks.push(Ratings::default());
        }
        if let Some(block) = self.blocks.last_mut() {
            block.push(item, user, stars, day.unwrap_or(rules.undated));
        }
        self.rows += 1;
        self.undated += u64::from(day.is_none());
        Ok(Outcome::Rated)
    }

    /// The stars and the day; none if the row says that there is no rating.
    fn value(&mut self, rating: Cell<'_>, time: Cell<'_>, rules: &Rules) -> Result<Option<(f32, Option<i32>)>, Defect> {
        let stars = rating.rating()?.or(rules.default_rating).ok_or(Defect::MissingValue)?;
        if rules.unrated == Some(stars) {
            return Ok(None);
        }
        if !rules.rating_range.contains(stars) {
            let (low, high, count) = self.out_of_range.unwrap_or((stars, stars, 0));
            self.out_of_range = Some((low.min(stars), high.max(stars), count + 1));
            return Err(Defect::RatingOutOfRange);
        }
        Ok(Some((stars, time.day()?)))
    }
}

/// An id that can be had.
enum Checked<'a> {
    Number(i32),
    Name(Cow<'a, str>),
}

impl<'a> Checked<'a> {
    fn of(cell: Cell<'a>, is_name: bool, bad: Defect) -> Result<Self, Defect> {
        if is_name { cell.name().map(Checked::Name) } else { cell.number(bad).map(Checked::Number) }
    }

    fn number(self, names: &mut Option<NameMap>) -> Result<i32> {
        match (self, names) {
            (Checked::Name(name), Some(names)) => names.id_or_add(&name),
            (Checked::Number(number), _) => Ok(number),
            (Checked::Name(_), None) => Err(StageError::bug("a name on a side of numbers")),
        }
    }
}
