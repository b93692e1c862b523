//! What happened to users and items: who is new, and whether other items are popular now.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::divergence::jensen_shannon_of;
use super::resample::multinomial;

/// Ratings of each user, or of each item.
pub type IdCounts = FxHashMap<i32, u64>;

/// Draws that the shift by chance is averaged over.
const DRAWS: u64 = 20;

/// Users, or items, of the current ratings that the original ones do not have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Unseen {
    /// How many.
    pub count: u64,
    /// Their share of those that the current ratings have, from 0 to 1.
    pub share: f64,
    /// Their share of the current ratings, from 0 to 1.
    pub share_of_ratings: f64,
}

impl Unseen {
    /// Counts those of `current` that are not in `original`.
    pub fn of(original: &IdCounts, current: &IdCounts) -> Self {
        let unseen = current.iter().filter(|(id, _)| !original.contains_key(id));
        let (count, ratings) = unseen.fold((0, 0), |(count, ratings), (_, &of_id)| (count + 1, ratings + of_id));
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        Self { count, share: share(count, current.len() as u64), share_of_ratings: share(ratings, current.values().sum()) }
    }
}

/// How much the popularity of items has shifted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PopularityShift {
    /// Jensen-Shannon distance of the items' shares of ratings, from 0 to √ln 2 ≈ 0.83.
    pub jensen_shannon: f64,
    /// What the distance would be on average if as many ratings were drawn at random by the original shares: a few ratings of
    /// many items lie far from any shares.
    pub by_chance: f64,
}

impl PopularityShift {
    /// Compares the items' shares of ratings. `seed` is that of the draws.
    pub fn of(original: &IdCounts, current: &IdCounts, seed: u64) -> Self {
        // In the order of the ids: that of a map depends on how it was filled, and the digits of a sum on its order.
        let mut ids: Vec<i32> = original.keys().chain(current.keys()).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        let counts = |side: &IdCounts| -> Vec<u64> { ids.iter().map(|id| side.get(id).copied().unwrap_or(0)).collect() };
        let (before, after) = (counts(original), counts(current));
        let (n, m) = (before.iter().sum::<u64>(), after.iter().sum::<u64>());
        let distance = |after: &[u64]| jensen_shannon_of(before.iter().copied().zip(after.iter().copied()), n as f64, m as f64);
        let by_chance = (0..DRAWS).map(|draw| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(draw);
            distance(&multinomial(&before, m, &mut rng))
        });
        Self { jensen_shannon: distance(&after), by_chance: by_chance.sum::<f64>() / DRAWS as f64 }
    }
}
