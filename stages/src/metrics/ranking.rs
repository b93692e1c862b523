//! One user's list judged with binary relevance.
//!
//! For a user with relevant items `R` (not empty) and a list `l` of up to K recommended items, `hit_i = 1` if `l_i ∈ R`:
//!
//! ```text
//! P@K    = Σ hit_i / K                    short lists are not excused
//! R@K    = Σ hit_i / |R|
//! NDCG@K = Σ hit_i / log2(i + 1)  /  Σ_{i = 1..min(K, |R|)} 1 / log2(i + 1)
//! AP@K   = Σ hit_i · P@i  /  min(K, |R|)  MAP@K is its mean
//! RR@K   = 1 / min { i : hit_i = 1 }      0 without a hit; MRR@K is its mean
//! HR@K   = 1 if there is a hit            the hit rate is its mean
//! ```
//!
//! as in Spark's `RankingMetrics` (`precisionAt`, `recallAt`, `ndcgAt`, `meanAveragePrecisionAt`); Järvelin, Kekäläinen: *Cumulated
//! gain-based evaluation of IR techniques*, TOIS 2002 (NDCG); Voorhees: *The TREC-8 question answering track report*, 1999 (MRR);
//! Deshpande, Karypis: *Item-based top-N recommendation algorithms*, TOIS 2004 (hit rate). Means are over users. `lists` adds
//! what all lists together tell: coverage and novelty.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Means over users, each 0 to 1 but for novelty; absent if there was no user to rank for.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Ranking {
    /// Share of the K places that hold a relevant item.
    pub precision_at_k: Option<f64>,
    /// Share of a user's relevant items that the K places hold.
    pub recall_at_k: Option<f64>,
    /// Normalised discounted cumulative gain.
    pub ndcg_at_k: Option<f64>,
    /// Mean average precision, as Spark's `meanAveragePrecisionAt`.
    #[serde(default)]
    pub map_at_k: Option<f64>,
    /// Mean reciprocal rank of the first relevant item; 0 for a list without one.
    #[serde(default)]
    pub mrr_at_k: Option<f64>,
    /// Share of users with a relevant item in their list.
    #[serde(default)]
    pub hit_rate_at_k: Option<f64>,
    /// Share of the items that stand in anybody's list.
    #[serde(default)]
    pub coverage_at_k: Option<f64>,
    /// Mean self-information of the items in a list, in bits: 0 for what every user rated in training. Absent without a training set.
    #[serde(default)]
    pub novelty_at_k: Option<f64>,
    /// Users ranked for: those that the model knows and that have a relevant test item.
    pub ranked_users: u64,
}

/// The figures of one user.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OneRanking {
    precision: f64,
    recall: f64,
    ndcg: f64,
    average_precision: f64,
    reciprocal_rank: f64,
    hit: f64,
    novelty: Option<f64>,
}

impl OneRanking {
    /// Judges a list, best item first, of which the first `k` count. `relevant` ascends, has no duplicates and is not empty.
    pub fn of(list: impl IntoIterator<Item = i32>, relevant: &[i32], k: usize) -> Self {
        debug_assert!(!relevant.is_empty() && relevant.is_sorted_by(|a, b| a < b));
        let discount = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let (mut hits, mut gain, mut precisions, mut reciprocal_rank) = (0_usize, 0.0, 0.0, 0.0);
        for (place, item) in list.into_iter().take(k).enumerate() {
            if relevant.binary_search(&item).is_ok() {
                hits += 1;
                gain += discount(place);
                precisions += hits as f64 / (place + 1) as f64;
                if hits == 1 {
                    reciprocal_rank = 1.0 / (place + 1) as f64;
                }
            }
        }
        let possible = k.min(relevant.len());
        let ideal: f64 = (0..possible).map(discount).sum();
        Self {
            precision: hits as f64 / k as f64,
            recall: hits as f64 / relevant.len() as f64,
            ndcg: gain / ideal,
            average_precision: precisions / possible as f64,
            reciprocal_rank,
            hit: if hits > 0 { 1.0 } else { 0.0 },
            novelty: None,
        }
    }

    /// The same with the novelty of the list, where one is known.
    #[must_use]
    pub fn with_novelty(self, novelty: Option<f64>) -> Self {
        Self { novelty, ..self }
    }
}

impl Ranking {
    /// The means, summed in the order given. Novelty is over the users that have one; coverage is not known here.
    pub fn mean(users: impl IntoIterator<Item = OneRanking>) -> Self {
        let mut sum = OneRanking::default();
        let (mut count, mut with_novelty) = (0_u64, 0_u64);
        for user in users {
            sum.precision += user.precision;
            sum.recall += user.recall;
            sum.ndcg += user.ndcg;
            sum.average_precision += user.average_precision;
            sum.reciprocal_rank += user.reciprocal_rank;
            sum.hit += user.hit;
            if let Some(novelty) = user.novelty {
                sum.novelty = Some(sum.novelty.unwrap_or(0.0) + novelty);
                with_novelty += 1;
            }
            count += 1;
        }
        let mean = |sum: f64| (count > 0).then(|| sum / count as f64);
        Self {
            precision_at_k: mean(sum.precision),
            recall_at_k: mean(sum.recall),
            ndcg_at_k: mean(sum.ndcg),
            map_at_k: mean(sum.average_precision),
            mrr_at_k: mean(sum.reciprocal_rank),
            hit_rate_at_k: mean(sum.hit),
            coverage_at_k: None,
            novelty_at_k: sum.novelty.map(|sum| sum / with_novelty as f64),
            ranked_users: count,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of Spark's own `RankingMetricsSuite`.
    #[test]
    fn sparks_example_gives_sparks_figures() {
        let lists: [(&[i32], &[i32]); 2] =
            [(&[1, 6, 2, 7, 8, 3, 9, 10, 4, 5], &[1, 2, 3, 4, 5]), (&[4, 1, 5, 6, 2, 7, 3, 8, 9, 10], &[1, 2, 3])];
        let at = |k| Ranking::mean(lists.iter().map(|(list, relevant)| OneRanking::of(list.iter().copied(), relevant, k)));
        let close = |found: Option<f64>, expected: f64| assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} for {expected}");
        close(at(1).precision_at_k, 0.5);
        close(at(4).precision_at_k, 1.5 / 4.0);
        close(at(15).precision_at_k, 8.0 / 15.0 / 2.0);
        close(at(1).recall_at_k, 0.1);
        close(at(5).recall_at_k, (2.0 / 5.0 + 2.0 / 3.0) / 2.0);
        close(at(15).recall_at_k, 1.0);
        let log = f64::log2;
        let first = (1.0 + 1.0 / log(4.0)) / (1.0 + 1.0 / log(3.0) + 1.0 / log(4.0));
        let second = (1.0 / log(3.0)) / (1.0 + 1.0 / log(3.0) + 1.0 / log(4.0));
        close(at(3).ndcg_at_k, (first + second) / 2.0);
        // Spark's suite has a third user without relevant items, who counts as 0: 0.333334, 0.25 and 0.355026 there.
        close(at(1).map_at_k, 0.5);
        close(at(2).map_at_k, 0.375);
        let (first, second) = ((1.0 + 2.0 / 3.0 + 0.5 + 4.0 / 9.0 + 0.5) / 5.0, (0.5 + 0.4 + 3.0 / 7.0) / 3.0);
        close(at(15).map_at_k, (first + second) / 2.0);
        assert!((at(15).map_at_k.unwrap() * 2.0 / 3.0 - 0.355_026).abs() < 1e-6);
        // The first hits stand in places 1 and 2.
        close(at(1).mrr_at_k, 0.5);
        close(at(2).mrr_at_k, 0.75);
        close(at(1).hit_rate_at_k, 0.5);
        close(at(2).hit_rate_at_k, 1.0);
    }

    #[test]
    fn a_perfect_list_has_the_best_figures_and_no_users_have_none() {
        let perfect =
            OneRanking { precision: 0.2, recall: 1.0, ndcg: 1.0, average_precision: 1.0, reciprocal_rank: 1.0, hit: 1.0, novelty: None };
        assert_eq!(OneRanking::of([3, 1], &[1, 3], 10), perfect);
        assert_eq!(Ranking::mean([]), Ranking::default());
    }

    proptest! {
        #[test]
        fn the_figures_bound_each_other_and_some_only_grow_with_k(
            list in prop::collection::hash_set(0_i32..30, 0..20),
            relevant in prop::collection::btree_set(0_i32..30, 1..10),
            k in 1_usize..25,
        ) {
            let (list, relevant): (Vec<i32>, Vec<i32>) = (list.into_iter().collect(), relevant.into_iter().collect());
            let found = OneRanking::of(list.iter().copied(), &relevant, k);
            let OneRanking { precision, recall, ndcg, average_precision, reciprocal_rank, hit, .. } = found;
            let slack = 1e-12;
            // hits / min(K, |R|) is the larger of the two.
            prop_assert!(average_precision <= precision.max(recall) + slack);
            prop_assert!(precision.max(recall) <= hit + slack && ndcg <= hit + slack && reciprocal_rank <= hit);
            prop_assert!(reciprocal_rank >= hit / k as f64 - slack);
            let longer = OneRanking::of(list.iter().copied(), &relevant, k + 1);
            prop_assert!(longer.recall >= recall && longer.hit >= hit && longer.reciprocal_rank >= reciprocal_rank);
        }
    }
}
