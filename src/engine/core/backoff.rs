//! When a failed attempt is tried again.

use crate::pipeline::RetryPolicy;

/// `min(cap, ceil(delay × factor^(failure-1)) × (1 + jitter))` in milliseconds, counted from the failed attempt's end.
///
/// `failure` counts from 1. The jitter lies in `[0, policy.jitter)` and is derived from `seed`, `task` and `failure`
/// alone: a replay gives the same delay.
pub fn retry_delay_ms(policy: &RetryPolicy, seed: u64, task: &str, failure: u32) -> i64 {
    debug_assert!(failure >= 1);
    let grown = (policy.delay.as_millis() as f64 * policy.factor.powi(failure.saturating_sub(1).min(1_000) as i32)).ceil();
    let jittered = grown * (1.0 + policy.jitter * unit(seed, task, failure));
    let capped = policy.cap.map_or(jittered, |cap| jittered.min(cap.as_millis() as f64));
    // A float cast saturates, and a thousand years is later than any run.
    (capped.ceil() as i64).clamp(0, 1_000 * 366 * 86_400_000)
}

/// A number in `[0, 1)` from a hash (FNV-1a, then the finaliser of splitmix64).
fn unit(seed: u64, task: &str, failure: u32) -> f64 {
    let mut hash = fnv1a(seed, task.bytes().chain(failure.to_le_bytes()));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((hash ^ (hash >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// FNV-1a, started from `seed`: the same on every machine and in every version, unlike std's hashers.
pub fn fnv1a(seed: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
