//! Places where a test can make the process die.
//!
//! `RECFLOW_FAILPOINT=NAME` (or `NAME@3`: the third time) kills the process with `SIGKILL` when it
//! reaches [`hit`]`("NAME")`. Compiled in only where debug assertions are on, so a release binary has no
//! such switch.

/// Dies here if a test asked for it; otherwise does nothing.
#[inline]
pub fn hit(name: &str) {
    #[cfg(debug_assertions)]
    armed::hit(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static ARMED: LazyLock<Option<(String, u32)>> = LazyLock::new(|| {
        let text = std::env::var("RECFLOW_FAILPOINT").ok()?;
        match text.split_once('@') {
            Some((name, nth)) => Some((name.to_owned(), nth.parse().ok()?)),
            None => Some((text, 1)),
        }
    });
    static HITS: AtomicU32 = AtomicU32::new(0);

    pub(super) fn hit(name: &str) {
        let Some((armed, nth)) = ARMED.as_ref() else { return };
        if armed == name && HITS.fetch_add(1, Ordering::SeqCst) + 1 == *nth {
            // SAFETY: kill and getpid take no pointers; SIGKILL to ourselves ends the process here.
            unsafe {
                libc::kill(libc::getpid(), libc::SIGKILL);
            }
        }
    }
}
