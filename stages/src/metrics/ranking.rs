//! Precision, Recall and NDCG at K with binary relevance.
//!
//! For a user with relevant items `R` (not empty) and a list `l` of up to K recommended items, `hit_i = 1` if `l_i ∈ R`:
//!
//! ```text
//! P@K    = Σ hit_i / K                    short lists are not excused
//! R@K    = Σ hit_i / |R|
//! NDCG@K = Σ hit_i / log2(i + 1)  /  Σ_{i = 1..min(K, |R|)} 1 / log2(i + 1)
//! ```
//!
//! as in Spark's `RankingMetrics` (`precisionAt`, `recallAt`, `ndcgAt`) and Järvelin, Kekäläinen: *Cumulated
//! gain-based evaluation of IR techniques*, TOIS 2002. Means are over users.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Means over users, each 0 to 1; absent if there was no user to rank for.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Ranking {
    /// Share of the K places that hold a relevant item.
    pub precision_at_k: Option<f64>,
    /// Share of a user's relevant items that the K places hold.
    pub recall_at_k: Option<f64>,
    /// Normalised discounted cumulative gain.
    pub ndcg_at_k: Option<f64>,
    /// Users ranked for: those that the model knows and that have a relevant test item.
    pub ranked_users: u64,
}

/// The three figures of one user.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OneRanking {
    precision: f64,
    recall: f64,
    ndcg: f64,
}

impl OneRanking {
    /// Judges a list, best item first, of which the first `k` count. `relevant` ascends, has no duplicates and is not empty.
    pub fn of(list: impl IntoIterator<Item = i32>, relevant: &[i32], k: usize) -> Self {
        debug_assert!(!relevant.is_empty() && relevant.is_sorted_by(|a, b| a < b));
        let discount = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let (mut hits, mut gain) = (0_usize, 0.0);
        for (place, item) in list.into_iter().take(k).enumerate() {
            if relevant.binary_search(&item).is_ok() {
                hits += 1;
                gain += discount(place);
            }
        }
        let ideal: f64 = (0..k.min(relevant.len())).map(discount).sum();
        Self { precision: hits as f64 / k as f64, recall: hits as f64 / relevant.len() as f64, ndcg: gain / ideal }
    }
}

impl Ranking {
    /// The means, summed in the order given.
    pub fn mean(users: impl IntoIterator<Item = OneRanking>) -> Self {
        let mut sum = OneRanking::default();
        let mut count = 0_u64;
        for user in users {
            sum.precision += user.precision;
            sum.recall += user.recall;
            sum.ndcg += user.ndcg;
            count += 1;
        }
        let mean = |sum: f64| (count > 0).then(|| sum / count as f64);
        Self { precision_at_k: mean(sum.precision), recall_at_k: mean(sum.recall), ndcg_at_k: mean(sum.ndcg), ranked_users: count }
    }
}

#[cfg(test)]
mod tests {
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
    }

    #[test]
    fn a_perfect_list_has_ndcg_one_and_no_users_have_no_figures() {
        assert_eq!(OneRanking::of([3, 1], &[1, 3], 10), OneRanking { precision: 0.2, recall: 1.0, ndcg: 1.0 });
        assert_eq!(Ranking::mean([]), Ranking::default());
    }
}
