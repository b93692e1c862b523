//! Ctrl-C: the first one cancels gracefully, the second one at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::engine::Handle;

/// How often the user has asked to stop.
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupts(Arc<AtomicU32>);

impl Interrupts {
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }
}

/// Listens for SIGINT, SIGTERM and SIGHUP on a thread of its own, until the program ends.
pub(super) fn cancel_on_signal(handle: Handle) -> io::Result<Interrupts> {
    let interrupts = Interrupts::default();
    let count = interrupts.0.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate, mut hangup) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?)
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            loop {
                let name = tokio::select! {
                    Some(()) = interrupt.recv() => "Ctrl-C",
                    Some(()) = terminate.recv() => "SIGTERM",
                    Some(()) = hangup.recv() => "SIGHUP",
                    else => return,
                };
                let again = count.fetch_add(1, Ordering::AcqRel) > 0;
                handle.cancel(again, &format!("cancelled by {name}"));
            }
        });
    })?;
    Ok(interrupts)
}
