//! Starting a process while the system has no room for one.
//!
//! Too many open files or processes is no fault of a task, and passes as others end: an attempt that finds it waits, at first for milliseconds. Only
//! if it lasts is the limit itself too low, and the attempt fails with that.

use std::io;
use std::time::{Duration, Instant};

use super::supervision::Supervision;

/// How long room is waited for.
const WITHIN: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What to say of an attempt that has waited in vain.
pub(super) const HINT: &str = "raise the limits on open files and processes (`ulimit -n`, `ulimit -u`; LimitNOFILE= of a systemd unit), or run \
                               fewer tasks at once (`--jobs`)";

/// Whether what failed may work once others have ended: no descriptor is left, or no process may be added.
pub(super) fn is_crowded(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::EAGAIN))
}

/// Tries to start something until there is room for it. `None` if the attempt was told to stop meanwhile.
pub(super) async fn start<T>(supervision: &Supervision, mut start: impl FnMut() -> io::Result<T>) -> io::Result<Option<T>> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut stop = supervision.stop.clone();
    loop {
        match start() {
            Err(error) if is_crowded(&error) && begun.elapsed() < WITHIN => {
                if pause == FIRST_PAUSE {
                    tracing::warn!(%error, "no room to start a process; its attempt waits");
                }
            }
            started => return started.map(Some),
        }
        let asked = stop.wait_for(Option::is_some);
        if tokio::time::timeout(pause, asked).await.is_ok_and(|asked| asked.is_ok()) {
            return Ok(None);
        }
        pause = PAUSE_MAX.min(pause * 2);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use tokio::sync::watch;

    use super::super::request::HowToStop;
    use super::*;

    fn supervision() -> (watch::Sender<Option<HowToStop>>, Supervision) {
        let (wish, stop) = watch::channel(None);
        (wish, Supervision { sink: Arc::new(|_, _| {}), stop, reaper: Arc::default() })
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_start_waits_for_room_and_for_nothing_else() {
        let (_wish, supervision) = supervision();
        let tries = Cell::new(0);
        let failing_twice_with = |error: i32| {
            let tries = &tries;
            tries.set(0);
            move || {
                tries.set(tries.get() + 1);
                if tries.get() < 3 { Err(io::Error::from_raw_os_error(error)) } else { Ok("started") }
            }
        };
        assert_eq!(start(&supervision, failing_twice_with(libc::EMFILE)).await.unwrap(), Some("started"));
        assert_eq!(tries.get(), 3);
        assert_eq!(start(&supervision, failing_twice_with(libc::ENOENT)).await.unwrap_err().raw_os_error(), Some(libc::ENOENT));
        assert_eq!(tries.get(), 1);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_attempt_that_waits_for_room_can_be_stopped() {
        let (wish, supervision) = supervision();
        wish.send_replace(Some(HowToStop::Gracefully));
        let crowded = || Err::<(), _>(io::Error::from_raw_os_error(libc::EAGAIN));
        assert_eq!(start(&supervision, crowded).await.unwrap(), None);
    }
}
