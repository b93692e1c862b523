//! Lists of many users, block by block.

use super::one::{Recommended, ranked};
use super::seen::Seen;
use crate::context::{Context, Unit};
use crate::error::Result;
use crate::metrics::Scorer;
use crate::model::AlsModel;

/// The longest list. What a worker holds of candidates grows with it: 64 users, two lists of twice the length.
pub const K_MAX: usize = 10_000;

/// About so many rows are in memory at a time, whatever the number of users.
const BLOCK_ROWS: usize = 1 << 18;

/// The list of one user, best item first; empty if everything is excluded.
#[derive(Debug, Clone, PartialEq)]
pub struct UserList {
    /// `CUST_ID`.
    pub user: i32,
    /// Up to `k` places.
    pub items: Vec<Recommended>,
}

/// What is recommended, and what is not.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The model.
    pub model: &'a AlsModel,
    /// Rows of the users to recommend to.
    pub users: &'a [u32],
    /// Length of a list, 1 to [`K_MAX`].
    pub k: usize,
    /// What is not recommended to those who rated it.
    pub seen: &'a Seen,
    /// Ids that are recommended to nobody, ascending.
    pub excluded: &'a [i32],
}

impl Batch<'_> {
    /// Hands the lists to `take`, a block of users at a time, in the order of `users`.
    ///
    /// # Errors
    /// Cancellation, and what `take` returns.
    pub fn run(&self, context: &Context, mut take: impl FnMut(Vec<UserList>) -> Result<()>) -> Result<()> {
        let Self { model, users, seen, .. } = self;
        let (user_ids, item_ids) = (model.users().ids().as_slice(), model.items().ids().as_slice());
        let is_excluded: Vec<bool> = item_ids.iter().map(|id| self.excluded.binary_search(id).is_ok()).collect();
        let scorer = Scorer::new(model);
        let k = self.k.clamp(1, item_ids.len());
        let mut done = 0;
        for block in users.chunks((BLOCK_ROWS / k).clamp(64, 8192)) {
            let is_seen = |user: u32, item: u32| is_excluded[item as usize] || seen.contains(user, item);
            let lists = scorer.best(block, k, &context.cancel, is_seen, |place, best| UserList {
                user: user_ids[block[place] as usize],
                items: ranked(&best.unseen, item_ids).collect(),
            });
            // A block that was cut short is not passed on.
            context.check_cancelled()?;
            take(lists)?;
            done += block.len();
            context.progress("recommend", done as u64, Some(users.len() as u64), Unit::Users);
        }
        Ok(())
    }
}
