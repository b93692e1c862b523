//! Randomness comes in through a trait, so that the simulator owns it. Only ids need it: every decision of the engine
//! is derived from what is stored.

use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Where random numbers come from.
pub trait Entropy: Send + Sync + Debug {
    /// 64 random bits.
    fn next(&self) -> u64;
}

/// The operating system's randomness, as std's hash maps are keyed with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next(&self) -> u64 {
        // RandomState draws its keys from the system once a thread and counts them up after that; hashing spreads the
        // count over all bits. The process id tells two processes with the same keys apart, were that possible.
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        hasher.finish()
    }
}
