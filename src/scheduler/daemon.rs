//! The loop that starts what is due: it looks at the files, the clock, the triggers and the queue, then sleeps until the next slot.
//!
//! All decisions are in the store before anything acts on them, so the loop holds nothing that a restart would miss. A look that fails (a full
//! disk, a locked store) is logged once and repeated; one pipeline's trouble does not keep the others.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::bail;
use recflow_stages::clock::Clock;
use recflow_state::{Store, UnixMs};

use super::catalog::{Catalog, Change};
use super::look::Scheduler;
use super::tick::Agenda;
use super::world::Disk;
use crate::engine::Handle;
use crate::engine::entropy::Entropy;
use crate::engine::owner::Owners;
use crate::upkeep::presence::ClockWatch;
use crate::workspace::Workspace;

/// Longest time between two looks, and the time between two looks at the files: an edited pipeline is seen within it.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the loop is told by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nudge {
    /// Something may have changed: look now.
    Look,
    /// End.
    Stop,
}

/// Wakes the loop from other threads.
#[derive(Debug, Clone)]
pub struct Nudger(Sender<Nudge>);

impl Nudger {
    /// A nudger, and where its nudges arrive: for [`Daemon::new`].
    pub fn new() -> (Self, Receiver<Nudge>) {
        let (outbox, inbox) = channel();
        (Self(outbox), inbox)
    }

    /// Sends a nudge; a loop that has ended needs none.
    pub fn nudge(&self, nudge: Nudge) {
        let _ = self.0.send(nudge);
    }
}

/// When the loop looked last, for whoever asks whether it lives: unix milliseconds, 0 before the first look that succeeded.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<AtomicI64>);

impl Pulse {
    /// The last look that succeeded.
    pub fn last(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::Relaxed))
    }
}

/// The loop.
pub struct Daemon {
    scheduler: Scheduler,
    handle: Handle,
    catalog: Catalog,
    /// When the files were looked at. Not at every look: each run that begins or ends causes one, and a thousand files cost 3 ms.
    refreshed_at: Option<Instant>,
    pulse: Pulse,
    inbox: Receiver<Nudge>,
    /// The store and the lock as they were found: which files these are.
    ground: Ground,
    /// The failure that was logged last, so that one is not repeated twice a second.
    trouble: Option<String>,
}

impl std::fmt::Debug for Daemon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Daemon").field("scheduler", &self.scheduler).finish_non_exhaustive()
    }
}

impl Daemon {
    /// A loop for a workspace, whose runs the driver behind `handle` executes.
    pub fn new(
        workspace: Workspace,
        store: Arc<Store>,
        handle: Handle,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        owners: Arc<dyn Owners>,
        inbox: Receiver<Nudge>,
    ) -> Self {
        let ground = Ground::of(&workspace);
        let world = Box::new(Disk { root: workspace.root().to_owned() });
        Self {
            scheduler: Scheduler { store, workspace, clock, entropy, owners, world, agenda: Agenda::default() },
            handle,
            catalog: Catalog::default(),
            refreshed_at: None,
            pulse: Pulse::default(),
            inbox,
            ground,
            trouble: None,
        }
    }

    /// Tells when the loop looked last.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Looks and sleeps until it is told to stop.
    ///
    /// # Errors
    /// If the store or the daemon's lock was removed or replaced: what it decides would be lost, and another daemon may be at work.
    pub fn run(&mut self) -> anyhow::Result<()> {
        let (begun, mut watch) = (Instant::now(), ClockWatch::default());
        loop {
            if let Some(jump) = watch.look(UnixMs(self.scheduler.clock.now().as_millisecond()), begun.elapsed()) {
                tracing::warn!(by_ms = jump.by_ms, "the clock jumped, or this machine slept");
                // For `recflow doctor`; a store that cannot be written has louder ways to say so.
                let _ = self.scheduler.store.write(|tx| jump.record(tx));
            }
            if Ground::of(&self.scheduler.workspace) != self.ground {
                bail!("`{}` was removed or replaced under the daemon", self.scheduler.workspace.home().display());
            }
            let pause = match self.look() {
                Ok(next) => {
                    if self.trouble.take().is_some() {
                        tracing::info!("the scheduler works again");
                    }
                    let now = self.scheduler.clock.now().as_millisecond();
                    self.pulse.0.store(now, Ordering::Relaxed);
                    let files = self.refreshed_at.map_or(Duration::ZERO, |at| LOOK_EVERY.saturating_sub(at.elapsed()));
                    next.map_or(files, |next| files.min(Duration::from_millis(u64::try_from(next.0 - now).unwrap_or(0))))
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    if self.trouble.as_ref() != Some(&error) {
                        tracing::error!(error, "the scheduler cannot work; it tries again");
                        self.trouble = Some(error);
                    }
                    LOOK_EVERY
                }
            };
            match self.inbox.recv_timeout(pause) {
                Ok(Nudge::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(Nudge::Look) | Err(RecvTimeoutError::Timeout) => {}
            }
            // Several nudges are answered by one look.
            if self.inbox.try_iter().any(|nudge| nudge == Nudge::Stop) {
                return Ok(());
            }
        }
    }

    /// Looks once at everything; at the files, if it is time. Returns when to look again at the latest.
    fn look(&mut self) -> anyhow::Result<Option<UnixMs>> {
        if self.refreshed_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            let at = UnixMs(self.scheduler.clock.now().as_millisecond());
            for change in self.catalog.refresh(&self.pipelines(), &self.scheduler.store, at)? {
                tell(&change);
            }
            self.refreshed_at = Some(Instant::now());
        }
        self.scheduler.look(&self.catalog, &mut self.handle)
    }

    fn pipelines(&self) -> PathBuf {
        self.scheduler.workspace.root().join("pipelines")
    }
}

/// Which files the daemon stands on.
#[derive(Debug, PartialEq, Eq)]
struct Ground([Option<(u64, u64)>; 2]);

impl Ground {
    fn of(workspace: &Workspace) -> Self {
        let identity = |path: PathBuf| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
        Self([identity(workspace.store()), identity(workspace.daemon_lock())])
    }
}

fn tell(change: &Change) {
    match change {
        Change::Valid(pipeline) => tracing::info!(pipeline, "pipeline read"),
        Change::Invalid(pipeline, why) => tracing::warn!(pipeline, why, "pipeline not valid; its last valid version stays in force"),
        Change::Ignored(pipeline, why) => tracing::warn!(pipeline, why, "file ignored"),
        Change::Gone(pipeline) => tracing::info!(pipeline, "pipeline gone"),
    }
}
