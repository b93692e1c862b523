//! Slows down whoever guesses passwords: after a few failures each further attempt must wait, twice as long every time.
//!
//! Counted are failures of a user from one address, of an address whoever it names, and of a user from wherever. In memory: a restart of the
//! daemon forgets them, which an attacker cannot cause. A user who is attacked from elsewhere can still sign in, except while very many
//! addresses try at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use recflow_state::UnixMs;

/// So many keys are remembered; beyond it the one that failed longest ago is forgotten.
const KEYS_MAX: usize = 10_000;
/// A key that has not failed for so long is as good as new.
const FORGET_AFTER_MS: i64 = 60 * 60_000;

/// Who fails.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Both(String, IpAddr),
    Address(IpAddr),
    User(String),
}

impl Key {
    /// Failures that cost nothing, and the longest wait in seconds.
    fn bounds(&self) -> (u32, i64) {
        match self {
            Self::Both(..) => (5, 900),
            Self::Address(_) => (20, 900),
            Self::User(_) => (100, 60),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: UnixMs,
}

/// The failures of everybody.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<Key, Failures>>);

impl Throttle {
    /// Counts an attempt as a failure before it is looked at, so that many at once are no way around; [`Throttle::succeeded`] takes it back.
    ///
    /// # Errors
    /// The seconds to wait, if it must not be looked at yet. Such an attempt is not counted.
    pub(crate) fn attempt(&self, user: &str, address: IpAddr, now: UnixMs) -> Result<(), u64> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = keys(user, address);
        let wait = keys.iter().map(|key| failures.get(key).map_or(0, |failed| wait_ms(key, *failed, now))).max().unwrap_or(0);
        if wait > 0 {
            return Err(u64::try_from(wait).unwrap_or(0).div_ceil(1_000));
        }
        for key in keys {
            make_room(&mut failures, &key, now);
            let failed = failures.entry(key).or_insert(Failures { count: 0, last: now });
            if now.0 - failed.last.0 > FORGET_AFTER_MS {
                failed.count = 0;
            }
            *failed = Failures { count: failed.count.saturating_add(1), last: now };
        }
        Ok(())
    }

    /// The attempt was right: this user from this address starts anew, and the others are relieved of the one that was counted.
    pub(crate) fn succeeded(&self, user: &str, address: IpAddr) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(user, address) {
            match (&key, failures.get_mut(&key)) {
                (Key::Both(..), Some(_)) => drop(failures.remove(&key)),
                (_, Some(failed)) => failed.count = failed.count.saturating_sub(1),
                (_, None) => {}
            }
        }
    }
}

fn keys(user: &str, address: IpAddr) -> [Key; 3] {
    // Names that nobody has are kept, too: a long one is cut, so that they take little.
    let user: String = user.chars().take(64).collect();
    [Key::Both(user.clone(), address), Key::Address(address), Key::User(user)]
}

fn wait_ms(key: &Key, failed: Failures, now: UnixMs) -> i64 {
    let (free, most) = key.bounds();
    let Some(beyond) = failed.count.checked_sub(free) else { return 0 };
    let seconds = (1_i64 << beyond.min(20)).min(most);
    // A clock that was set back must not lock anybody out for longer.
    (failed.last.0 + seconds * 1_000 - now.0).clamp(0, seconds * 1_000)
}

fn make_room(failures: &mut HashMap<Key, Failures>, key: &Key, now: UnixMs) {
    if failures.len() < KEYS_MAX || failures.contains_key(key) {
        return;
    }
    failures.retain(|_, failed| now.0 - failed.last.0 <= FORGET_AFTER_MS);
    if failures.len() >= KEYS_MAX
        && let Some(oldest) = failures.iter().min_by_key(|(_, failed)| failed.last).map(|(key, _)| key.clone())
    {
        failures.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn after_five_failures_each_attempt_waits_twice_as_long() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert_eq!(throttle.attempt("ann", HERE, UnixMs(0)), Ok(()));
        }
        assert_eq!(throttle.attempt("ann", HERE, UnixMs(0)), Err(1));
        assert_eq!(throttle.attempt("ann", HERE, UnixMs(999)), Err(1), "an attempt that is refused costs nothing more");
        assert_eq!(throttle.attempt("ann", HERE, UnixMs(1_000)), Ok(()));
        assert_eq!(throttle.attempt("ann", HERE, UnixMs(1_000)), Err(2));
        assert_eq!(throttle.attempt("ann", THERE, UnixMs(1_000)), Ok(()), "she can sign in from elsewhere");
        assert_eq!(throttle.attempt("bob", HERE, UnixMs(1_000)), Ok(()), "and somebody else from here");
    }

    #[test]
    fn the_wait_is_bounded_and_a_quiet_hour_ends_it() {
        let throttle = Throttle::default();
        let mut now = UnixMs(0);
        for _ in 0..40 {
            if let Err(seconds) = throttle.attempt("ann", HERE, now) {
                assert!(seconds <= 900);
                now.0 += seconds as i64 * 1_000;
            }
        }
        now.0 += FORGET_AFTER_MS + 900_000;
        for _ in 0..5 {
            assert_eq!(throttle.attempt("ann", HERE, now), Ok(()));
        }
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out_for_longer() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.attempt("ann", HERE, UnixMs(1_000_000_000)).unwrap();
        }
        assert_eq!(throttle.attempt("ann", HERE, UnixMs(0)), Err(1));
    }

    #[test]
    fn who_signs_in_starts_anew() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.attempt("ann", HERE, UnixMs(0)).unwrap();
        }
        throttle.succeeded("ann", HERE);
        for _ in 0..5 {
            assert_eq!(throttle.attempt("ann", HERE, UnixMs(0)), Ok(()));
        }
    }

    #[test]
    fn one_address_that_tries_many_names_is_slowed_down_and_memory_is_bounded() {
        let throttle = Throttle::default();
        let refused = (0..100).filter(|n| throttle.attempt(&format!("user{n}"), HERE, UnixMs(0)).is_err()).count();
        assert_eq!(refused, 80);
        for n in 0..u32::try_from(2 * KEYS_MAX).unwrap() {
            let _ = throttle.attempt("x", IpAddr::from(n.to_be_bytes()), UnixMs(i64::from(n) * 60_000));
        }
        assert!(throttle.0.lock().unwrap().len() <= KEYS_MAX);
    }
}
