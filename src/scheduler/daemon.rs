//! The loop that starts what is due: it looks at the files, the clock, the triggers and the queue, then sleeps until the next slot.
//!
//! All decisions are in the store before anything acts on them, so the loop holds nothing that a restart would miss. A look that fails (a full
//! disk, a locked store) is logged once and repeated; one pipeline's trouble does not keep the others.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use recflow_stages::clock::Clock;
use recflow_state::{Store, UnixMs};

use super::catalog::{Catalog, Change};
use super::tick::{Agenda, Ticker};
use super::world::{Disk, World};
use crate::engine::entropy::Entropy;
use crate::engine::owner::{Liveness, Owners};
use crate::engine::{Handle, Wish, ask};
use crate::upkeep::presence::ClockWatch;
use crate::workspace::Workspace;

/// Longest time between two looks: an edited pipeline is seen within it.
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
    pub(super) store: Arc<Store>,
    pub(super) handle: Handle,
    workspace: Workspace,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    owners: Arc<dyn Owners>,
    world: Box<dyn World + Send>,
    catalog: Catalog,
    agenda: Agenda,
    pulse: Pulse,
    inbox: Receiver<Nudge>,
    /// The failure that was logged last, so that one is not repeated twice a second.
    trouble: Option<String>,
}

impl std::fmt::Debug for Daemon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Daemon").field("workspace", &self.workspace).finish_non_exhaustive()
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
        let world = Box::new(Disk { root: workspace.root().to_owned() });
        Self {
            store,
            handle,
            workspace,
            clock,
            entropy,
            owners,
            world,
            catalog: Catalog::default(),
            agenda: Agenda::default(),
            pulse: Pulse::default(),
            inbox,
            trouble: None,
        }
    }

    /// Tells when the loop looked last.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Looks and sleeps until it is told to stop.
    pub fn run(&mut self) {
        let (begun, mut watch) = (Instant::now(), ClockWatch::default());
        loop {
            if let Some(jump) = watch.look(UnixMs(self.clock.now().as_millisecond()), begun.elapsed()) {
                tracing::warn!(by_ms = jump.by_ms, "the clock jumped, or this machine slept");
                // For `recflow doctor`; a store that cannot be written has louder ways to say so.
                let _ = self.store.write(|tx| jump.record(tx));
            }
            let pause = match self.look() {
                Ok(next) => {
                    if self.trouble.take().is_some() {
                        tracing::info!("the scheduler works again");
                    }
                    let now = self.clock.now().as_millisecond();
                    self.pulse.0.store(now, Ordering::Relaxed);
                    next.map_or(LOOK_EVERY, |next| LOOK_EVERY.min(Duration::from_millis(u64::try_from(next.0 - now).unwrap_or(0))))
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
                Ok(Nudge::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Nudge::Look) | Err(RecvTimeoutError::Timeout) => {}
            }
            // Several nudges are answered by one look.
            if self.inbox.try_iter().any(|nudge| nudge == Nudge::Stop) {
                return;
            }
        }
    }

    /// Looks once at everything. Returns when to look again at the latest.
    pub fn look(&mut self) -> anyhow::Result<Option<UnixMs>> {
        let now = self.clock.now();
        let at = UnixMs(now.as_millisecond());
        for change in self.catalog.refresh(&self.pipelines(), &self.store, at)? {
            tell(&change);
        }
        let owners = self.owners.clone();
        let is_alive = move |owner: &str| matches!(owners.liveness(owner), Liveness::Alive { .. });
        let ticker = Ticker { store: &self.store, workspace: &self.workspace, entropy: &*self.entropy, is_alive: &is_alive };
        for (pipeline, turn) in self.agenda.look(&self.catalog, &ticker, now) {
            // The others had their turn; what failed is repeated.
            let turn = turn.map_err(|error| anyhow::Error::new(error).context(format!("the slots of `{pipeline}`")))?;
            for slot in &turn.skipped {
                tracing::info!(pipeline, slot = %crate::engine::timestamp(slot.at), count = slot.count, reason = slot.reason, "slot skipped");
            }
            for run in turn.cancel {
                let wish = Wish::Cancel { force: false, reason: "a newer slot of its schedule is due".to_owned() };
                self.store.write(|tx| ask(tx, &run, &wish, at))?;
                self.handle.wake();
            }
        }
        let mut next = self.agenda.next().map(|next| UnixMs(next.as_millisecond()));
        for entry in self.catalog.iter().filter(|entry| !entry.pipeline.triggers.is_empty()) {
            let (created, quiet_at) = ticker.look_at_triggers(entry, &*self.world, at)?;
            next = [next, quiet_at].into_iter().flatten().min();
            for run in created {
                tracing::info!(pipeline = entry.pipeline.name, run = %run, "triggered");
            }
        }
        self.claim_what_may_begin()?;
        Ok(next)
    }

    fn pipelines(&self) -> PathBuf {
        self.workspace.root().join("pipelines")
    }
}

fn tell(change: &Change) {
    match change {
        Change::Valid(pipeline) => tracing::info!(pipeline, "pipeline read"),
        Change::Invalid(pipeline, why) => tracing::warn!(pipeline, why, "pipeline not valid; its last valid version stays in force"),
        Change::Gone(pipeline) => tracing::info!(pipeline, "pipeline gone"),
    }
}
