//! Places where a test can make the process die or panic.
//!
//! `RECFLOW_FAILPOINT=NAME` kills the process with `SIGKILL` when it reaches [`hit`]`("NAME")`; `NAME@3` the third time;
//! `NAME=panic` panics there instead. Compiled in only where debug assertions are on, so a release binary has no such
//! switch.

/// Dies here if a test asked for it; otherwise does nothing.
#[inline]
pub fn hit(name: &str) {
    #[cfg(debug_assertions)]
    armed::hit(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// Ends the process as `kill -9` would. Only what a test arms comes here.
pub(crate) fn die() -> ! {
    // SAFETY: kill and getpid take no pointers; SIGKILL to ourselves ends the process here.
    unsafe {
        libc::kill(libc::getpid(), libc::SIGKILL);
    }
    unreachable!("nobody survives SIGKILL")
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Armed {
        name: String,
        nth: u32,
        panics: bool,
    }

    static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| {
        let text = std::env::var("RECFLOW_FAILPOINT").ok()?;
        let (place, panics) = match text.split_once('=') {
            Some((place, "panic")) => (place, true),
            _ => (text.as_str(), false),
        };
        let (name, nth) = place.split_once('@').unwrap_or((place, "1"));
        Some(Armed { name: name.to_owned(), nth: nth.parse().ok()?, panics })
    });
    static HITS: AtomicU32 = AtomicU32::new(0);

    pub(super) fn hit(name: &str) {
        let Some(armed) = ARMED.as_ref().filter(|armed| armed.name == name) else { return };
        if HITS.fetch_add(1, Ordering::SeqCst) + 1 != armed.nth {
            return;
        }
        assert!(!armed.panics, "failpoint `{name}`");
        super::die()
    }
}
