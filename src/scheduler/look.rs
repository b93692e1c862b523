//! One look at everything that starts runs: the clock, the triggers, the queue.
//!
//! A look reads the store and the world, records what it decides, and asks for the runs that may begin. It has no thread and never sleeps: the
//! daemon's loop ([`super::daemon`]) calls it, and so does the simulator, with a clock, a world and owners of its own.

use std::fmt;
use std::sync::Arc;

use recflow_stages::clock::Clock;
use recflow_state::{Store, UnixMs};

use super::catalog::Catalog;
use super::queue::claim_what_may_begin;
use super::tick::{Agenda, Ticker};
use super::world::World;
use crate::engine::entropy::Entropy;
use crate::engine::owner::{Liveness, Owners};
use crate::engine::{Claims, Wish, ask, timestamp};
use crate::workspace::Workspace;

/// What a look stands on, and what it remembers of the look before.
pub struct Scheduler {
    /// Where everything is kept.
    pub store: Arc<Store>,
    /// The workspace of the runs.
    pub workspace: Workspace,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where run ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// Who knows whether the owners of runs live.
    pub owners: Arc<dyn Owners>,
    /// The files and datasets that triggers watch.
    pub world: Box<dyn World + Send>,
    /// When each pipeline is due; empty for one that has not looked yet.
    pub agenda: Agenda,
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").field("workspace", &self.workspace).finish_non_exhaustive()
    }
}

impl Scheduler {
    /// Looks once. Returns when to look again at the latest; `None` if nothing is due any more.
    ///
    /// # Errors
    /// If the store cannot be read or written. What was decided before that is recorded; the next look decides on the rest.
    pub fn look(&mut self, catalog: &Catalog, claims: &mut dyn Claims) -> anyhow::Result<Option<UnixMs>> {
        let now = self.clock.now();
        let at = UnixMs(now.as_millisecond());
        let owners = self.owners.clone();
        let is_alive = move |owner: &str| matches!(owners.liveness(owner), Liveness::Alive { .. });
        let ticker = Ticker { store: &self.store, workspace: &self.workspace, entropy: &*self.entropy, is_alive: &is_alive };
        for (pipeline, turn) in self.agenda.look(catalog, &ticker, now) {
            // The others had their turn; what failed is repeated.
            let turn = turn.map_err(|error| anyhow::Error::new(error).context(format!("the slots of `{pipeline}`")))?;
            for slot in &turn.skipped {
                tracing::info!(pipeline, slot = %timestamp(slot.at), count = slot.count, reason = slot.reason, "slot skipped");
            }
            for run in turn.cancel {
                let wish = Wish::Cancel { force: false, reason: "a newer slot of its schedule is due".to_owned() };
                self.store.write(|tx| ask(tx, &run, &wish, at))?;
                claims.wake();
            }
        }
        let mut next = self.agenda.next().map(|next| UnixMs(next.as_millisecond()));
        for entry in catalog.iter().filter(|entry| !entry.pipeline.triggers.is_empty()) {
            let (created, quiet_at) = ticker.look_at_triggers(entry, &*self.world, at)?;
            next = [next, quiet_at].into_iter().flatten().min();
            for run in created {
                tracing::info!(pipeline = entry.pipeline.name, run = %run, "triggered");
            }
        }
        claim_what_may_begin(&self.store, claims)?;
        Ok(next)
    }
}
