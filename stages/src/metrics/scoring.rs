//! The best items of many users.
//!
//! Scores are computed in blocks of 8 users × 96 items from transposed panels, in registers; a block's scores go to
//! the users' lists while still in the first-level cache, so the user × item matrix never exists. A task is 64 users, who share each item panel.

use rayon::prelude::*;

use super::panels::ItemPanels;
use super::top::{Scored, Top};
use crate::context::CancelToken;
use crate::kernel::{Aligned, SCORE_USERS};
use crate::model::AlsModel;

/// Blocks of users a task.
const GROUP: usize = 8;

/// A model made ready to score all its items for many users.
#[derive(Debug)]
pub struct Scorer<'a> {
    model: &'a AlsModel,
    panels: ItemPanels,
}

/// The best items of one user, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Of all items.
    pub all: Vec<Scored>,
    /// Of the items not excluded.
    pub unseen: Vec<Scored>,
}

impl<'a> Scorer<'a> {
    /// Copies the item factors into panels.
    pub fn new(model: &'a AlsModel) -> Self {
        Self { model, panels: ItemPanels::new(model.items()) }
    }

    /// The `k` best items of each of `users` (row numbers of the model), once of all and once of those that
    /// `seen(user, item)` (row numbers) does not exclude; `finish(place in users, best)` makes of them what is kept.
    /// Results are in the order of `users`; those not reached when `cancel` was set are missing.
    pub fn best<T: Send>(
        &self,
        users: &[u32],
        k: usize,
        cancel: &CancelToken,
        seen: impl Fn(u32, u32) -> bool + Sync,
        finish: impl Fn(usize, Best) -> T + Sync,
    ) -> Vec<T> {
        let groups = users.par_chunks(GROUP * SCORE_USERS).enumerate();
        let results: Vec<Vec<T>> = groups
            .map(|(group, users)| {
                if cancel.is_cancelled() {
                    return Vec::new();
                }
                let first = group * GROUP * SCORE_USERS;
                let best = self.group(users, k, &seen);
                best.into_iter().enumerate().map(|(place, best)| finish(first + place, best)).collect()
            })
            .collect();
        results.into_iter().flatten().collect()
    }

    fn group(&self, users: &[u32], k: usize, seen: &impl Fn(u32, u32) -> bool) -> Vec<Best> {
        let factors = self.model.users();
        let blocks: Vec<Aligned> =
            users.chunks(SCORE_USERS).map(|users| self.panels.block(users.iter().map(|&user| factors.row(user)))).collect();
        let mut lists = vec![(Top::new(k), Top::new(k)); users.len()];
        self.panels.scan(&blocks, |block, first, scores| {
            let places = block * SCORE_USERS..users.len().min((block + 1) * SCORE_USERS);
            for ((scores, &user), (all, unseen)) in scores.into_iter().zip(&users[places.clone()]).zip(&mut lists[places]) {
                offer(scores, first, all, unseen, |item| seen(user, item));
            }
        });
        lists.into_iter().map(|(all, unseen)| Best { all: all.finish(), unseen: unseen.finish() }).collect()
    }
}

/// Offers the items from `first` on to both lists.
fn offer(scores: &[f32], first: u32, all: &mut Top, unseen: &mut Top, seen: impl Fn(u32) -> bool) {
    // Once the lists are full, most blocks hold nothing above either bar, which one branchless pass finds out.
    let bar = unseen.bar().min(all.bar());
    if !scores.iter().fold(false, |any, &score| any | (score > bar)) {
        return;
    }
    for (item, &score) in (first..).zip(scores) {
        all.offer(item, score);
        if score > unseen.bar() && !seen(item) {
            unseen.offer(item, score);
        }
    }
}
