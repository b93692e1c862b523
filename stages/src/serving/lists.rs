//! Several requests in one scan of the items.

use std::borrow::Cow;

use super::model::ServedModel;
use super::request::{Fallback, List, ListedItem, Refusal, Request, Whom};
use crate::error::{ErrorKind, StageError};
use crate::kernel::{Aligned, SCORE_USERS};
use crate::metrics::top::{Scored, Top};
use crate::model::popularity::RatedItem;
use crate::model::record::FILE;
use crate::names::Id;
use crate::recommend::new_user::{by_number, fold_in_with};
use crate::recommend::one::unknown_user;

/// A request that needs a scan.
struct Scan<'a> {
    factors: Cow<'a, [f32]>,
    k: usize,
    /// Rows of items to leave out, ascending.
    excluded: Cow<'a, [u32]>,
    unknown_items: Vec<Id>,
}

/// A request made ready.
enum Prepared<'a> {
    Scan(Scan<'a>),
    Answered(Result<List, Refusal>),
}

impl ServedModel {
    /// The lists for `requests`, in their order. All that are asked at once share one scan of the items, up to eight at the cost of one.
    pub fn answer(&self, requests: &[Request]) -> Vec<Result<List, Refusal>> {
        let prepared: Vec<Prepared<'_>> = requests.iter().map(|request| self.prepare(request)).collect();
        let scans: Vec<&Scan<'_>> =
            prepared.iter().filter_map(|prepared| if let Prepared::Scan(scan) = prepared { Some(scan) } else { None }).collect();
        let mut lists = self.scan(&scans).into_iter();
        prepared
            .into_iter()
            .map(|prepared| match prepared {
                Prepared::Answered(answer) => answer,
                Prepared::Scan(scan) => self.list(lists.next().unwrap_or_default(), scan.unknown_items),
            })
            .collect()
    }

    fn prepare(&self, request: &Request) -> Prepared<'_> {
        // Below 1 is not asked for; a list needs room for one item all the same.
        let k = request.k.clamp(1, self.model.items().ids().len());
        match &request.whom {
            Whom::User { user, exclude_seen } => {
                let row = self.names.user(user).and_then(|number| self.model.users().ids().row(number));
                let Some(row) = row else {
                    return Prepared::Answered(self.popular(k, Vec::new()).ok_or_else(|| Refusal::Unknown(no_popular(unknown_user(user)))));
                };
                let seen = if *exclude_seen { self.seen.get().map(|seen| seen.of_user(row)) } else { None };
                let excluded = Cow::Borrowed(seen.unwrap_or_default());
                Prepared::Scan(Scan { factors: self.model.users().row(row).into(), k, excluded, unknown_items: Vec::new() })
            }
            Whom::NewUser { ratings } => self.prepare_new_user(ratings, k).unwrap_or_else(|refusal| Prepared::Answered(Err(refusal))),
        }
    }

    fn prepare_new_user(&self, ratings: &[(Id, f32)], k: usize) -> Result<Prepared<'_>, Refusal> {
        let (mut known, mut unknown_items) = by_number(&self.names, ratings).map_err(Refusal::Invalid)?;
        known.retain(|&(item, _)| {
            let is_known = self.model.items().ids().row(item).is_some();
            if !is_known {
                unknown_items.push(self.names.item_of(item));
            }
            is_known
        });
        if known.is_empty() {
            let nothing = || {
                Refusal::Unknown(no_popular(StageError::input(
                    "the model knows none of the rated items, so nothing is known about this user",
                )))
            };
            return Ok(Prepared::Answered(self.popular(k, unknown_items).ok_or_else(nothing)));
        }
        let Some(fold_in) = &self.fold_in else {
            let message = format!("{} has no {FILE}, so the objective that it was trained with is unknown", self.version.name);
            return Err(Refusal::Unable(StageError::input(message).with_hint("fold in to a model that recflow trained")));
        };
        let new = fold_in_with(fold_in, &self.model, &known).map_err(|error| match error.kind {
            ErrorKind::Numeric => Refusal::Unable(error),
            _ => Refusal::Invalid(error),
        })?;
        let mut excluded: Vec<u32> = known.iter().filter_map(|&(item, _)| self.model.items().ids().row(item)).collect();
        excluded.sort_unstable();
        Ok(Prepared::Scan(Scan { factors: new.factors.into(), k, excluded: excluded.into(), unknown_items }))
    }

    /// The best items of each scan, best first.
    fn scan(&self, scans: &[&Scan<'_>]) -> Vec<Vec<Scored>> {
        let blocks: Vec<Aligned> =
            scans.chunks(SCORE_USERS).map(|scans| self.panels.block(scans.iter().map(|scan| &*scan.factors))).collect();
        let mut tops: Vec<Top> = scans.iter().map(|scan| Top::new(scan.k)).collect();
        self.panels.scan(&blocks, |block, first, scores| {
            let places = block * SCORE_USERS..scans.len().min((block + 1) * SCORE_USERS);
            for ((scores, scan), top) in scores.into_iter().zip(&scans[places.clone()]).zip(&mut tops[places]) {
                offer(scores, first, top, &scan.excluded);
            }
        });
        tops.into_iter().map(Top::finish).collect()
    }

    fn list(&self, best: Vec<Scored>, unknown_items: Vec<Id>) -> Result<List, Refusal> {
        if best.iter().any(|scored| !scored.score.is_finite()) {
            let error = StageError::numeric("the scores of this user are not finite numbers").with_hint("are the ratings huge?");
            return Err(Refusal::Unable(error));
        }
        let ids = self.model.items().ids().as_slice();
        let listed = |scored: Scored| ListedItem { item: self.names.item_of(ids[scored.item as usize]), score: f64::from(scored.score) };
        Ok(List { items: best.into_iter().map(listed).collect(), fallback: None, unknown_items })
    }

    /// The most popular items; `None` if the version does not know which they are.
    fn popular(&self, k: usize, unknown_items: Vec<Id>) -> Option<List> {
        let popular = self.popular.as_ref()?;
        let listed = |popular: &RatedItem| ListedItem { item: self.names.item_of(popular.item), score: popular.ratings as f64 };
        Some(List { items: popular.iter().take(k).map(listed).collect(), fallback: Some(Fallback::Popular), unknown_items })
    }
}

/// Offers the items from `first` on.
fn offer(scores: &[f32], first: u32, top: &mut Top, excluded: &[u32]) {
    // Once the list is full, most panels hold nothing above its bar, which one branchless pass finds out.
    let bar = top.bar();
    if !scores.iter().fold(false, |any, &score| any | (score > bar)) {
        return;
    }
    for (item, &score) in (first..).zip(scores) {
        if score > top.bar() && excluded.binary_search(&item).is_err() {
            top.offer(item, score);
        }
    }
}

/// The same failure with what would have helped.
fn no_popular(error: StageError) -> StageError {
    error.with_hint("this version does not know which items are popular: train again, and users whom the model does not know get those")
}
