//! Ctrl-C: the first one cancels gracefully, the second one at once; one more ends the program, whatever holds it up.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;

/// After a second Ctrl-C this much time is given to end in good order, however impatient the fingers.
const LAST_RESORT_AFTER: Duration = Duration::from_secs(1);

/// How often the user has asked to stop.
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupts(Arc<AtomicU32>);

impl Interrupts {
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }
}

/// Listens for SIGINT, SIGTERM and SIGHUP on a thread of its own, until the program ends. `cancel` is told whether to stop at once, and
/// the reason for people.
pub(super) fn cancel_on_signal(cancel: impl Fn(bool, &str) + Send + 'static) -> io::Result<Interrupts> {
    let interrupts = Interrupts::default();
    let count = interrupts.0.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate, mut hangup) = {
        let _inside = runtime.enter();
        // Whoever started us with `nohup` wants the run to outlive the terminal.
        let hangup = if is_ignored(libc::SIGHUP) { None } else { Some(signal(SignalKind::hangup())?) };
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, hangup)
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let listens = hangup.is_some();
            let mut forced: Option<Instant> = None;
            loop {
                let name = tokio::select! {
                    Some(()) = interrupt.recv() => "Ctrl-C",
                    Some(()) = terminate.recv() => "SIGTERM",
                    Some(()) = async { hangup.as_mut()?.recv().await }, if listens => "SIGHUP",
                    else => return,
                };
                let again = count.fetch_add(1, Ordering::AcqRel) > 0;
                // The driver may hang in a write to a pipe that nobody reads or wait for a store that another program
                // has locked. Everything is recorded, and the processes die with this one.
                if forced.is_some_and(|at| at.elapsed() >= LAST_RESORT_AFTER) {
                    end_now();
                }
                if again {
                    forced.get_or_insert_with(Instant::now);
                }
                cancel(again, &format!("cancelled by {name}"));
            }
        });
    })?;
    Ok(interrupts)
}

/// Ends the process although `main` does not come to its end.
#[expect(
    clippy::disallowed_methods,
    reason = "main hangs; the kernel releases the locks, the death signal and the reaper end the children"
)]
fn end_now() -> ! {
    std::process::exit(Exit::Interrupted.code().into())
}

/// Whether the signal was ignored when this program started.
fn is_ignored(signal: i32) -> bool {
    // SAFETY: sigaction is plain data that the call fills; a null pointer means that nothing is to be changed.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}
