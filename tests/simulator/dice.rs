//! Randomness of one seed: splitmix64, the same everywhere.

use std::sync::Mutex;

use recflow::engine::entropy::Entropy;

/// Numbers that follow from a seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `n`, which is not 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).unsigned_abs()) as i64
    }

    /// True so many times of a hundred.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// Other dice, which follow from these.
    pub(crate) fn fork(&mut self) -> Dice {
        Dice(self.next())
    }
}

fn mix(seed: u64) -> u64 {
    let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number that follows from a seed and some text.
pub(crate) fn hashed(seed: u64, text: &str) -> u64 {
    mix(recflow::engine::core::fnv1a(seed, text.bytes()))
}

/// Ids of runs.
#[derive(Debug)]
pub(crate) struct Ids(pub(crate) Mutex<Dice>);

impl Entropy for Ids {
    fn next(&self) -> u64 {
        self.0.lock().expect("nothing panics while it is held").next()
    }
}
