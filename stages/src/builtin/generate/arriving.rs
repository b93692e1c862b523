//! Ratings that arrive after the data set, as stream files: a month like those before, and one in which everybody is stricter.
//!
//! The two months hold different pairs, so both may be taken in, one after the other, and no rating hides another.

use rustc_hash::FxHashSet;

use super::model::{Drawn, World};
use crate::context::Context;
use crate::date::{days_from_civil, format_iso};
use crate::error::Result;
use crate::stage::WorkspacePath;
use crate::storage::write_atomically;

/// By how many stars the second month's ratings are lower: enough for drift to be seen also where half of the stream is of the first month.
const STRICTER: f32 = -1.25;

/// Ratings in a month: one for every fifty of the data set, but not fewer than this while that many can be.
const LEAST_ROWS: u64 = 500;

/// Both months, movie numbers from 0 with their rating, in order of time.
pub(super) struct Arriving([Vec<(u32, Drawn)>; 2]);

impl Arriving {
    /// Draws January and February 2006. `past` holds the ratings of each movie, `ratings` is how many there are.
    pub(super) fn draw(world: &World, ratings: u64, past: &[Vec<Drawn>]) -> Self {
        let rows = (ratings / 50).max(LEAST_ROWS.min(ratings));
        let mut taken = FxHashSet::default();
        let mut month = |number: u32, shift: f32| {
            let days = days_from_civil(2006, number, 1)..days_from_civil(2006, number + 1, 1);
            let mut drawn = world.draw_new(rows, days, shift, u64::from(number), past, &mut taken);
            drawn.sort_unstable_by_key(|(movie, drawn)| (drawn.date, drawn.user, *movie));
            drawn
        };
        Self([month(1, 0.0), month(2, STRICTER)])
    }

    /// Ratings in each month.
    pub(super) fn rows(&self) -> u64 {
        self.0[0].len().min(self.0[1].len()) as u64
    }

    /// Writes `nodrift.csv` and `drift.csv`; returns their paths as `folder` was given.
    pub(super) fn write(&self, folder: &WorkspacePath, context: &Context) -> Result<[String; 2]> {
        let mut paths = ["nodrift", "drift"].map(|name| format!("{}/{name}.csv", folder.as_str().trim_end_matches('/')));
        for (path, month) in paths.iter_mut().zip(&self.0) {
            context.check_cancelled()?;
            write_atomically(context.storage.as_ref(), &context.workspace.join(&*path), |file| {
                file.write_all(b"DATE,CUST_ID,MOVIE_ID,RATING\n")?;
                month.iter().try_for_each(|(movie, drawn)| {
                    writeln!(file, "{},{},{},{}", format_iso(drawn.date), drawn.user_id(), movie + 1, drawn.stars)
                })
            })?;
        }
        Ok(paths)
    }
}
