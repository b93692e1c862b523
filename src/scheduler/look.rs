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
use super::tick::{Agenda, Ticker, Turn};
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
        // One pipeline's trouble keeps none of the others: it is told at the end, and what failed is decided at the next look.
        let mut trouble: Option<anyhow::Error> = None;
        for (pipeline, turn) in self.agenda.look(catalog, &ticker, now) {
            let told = turn.map_err(anyhow::Error::new).and_then(|turn| self.tell(&pipeline, turn, at, claims));
            if let Err(error) = told {
                trouble.get_or_insert(error.context(format!("the slots of `{pipeline}`")));
            }
        }
        let mut next = self.agenda.next().map(|next| UnixMs(next.as_millisecond()));
        for entry in catalog.iter().filter(|entry| !entry.pipeline.triggers.is_empty()) {
            match ticker.look_at_triggers(entry, &*self.world, at) {
                Ok((created, quiet_at)) => {
                    next = [next, quiet_at].into_iter().flatten().min();
                    for run in created {
                        tracing::info!(pipeline = entry.pipeline.name, run = %run, "triggered");
                    }
                }
                Err(error) => {
                    let context = format!("the triggers of `{}`", entry.pipeline.name);
                    trouble.get_or_insert(anyhow::Error::new(error).context(context));
                }
            }
        }
        claim_what_may_begin(&self.store, claims)?;
        match trouble {
            None => Ok(next),
            Some(trouble) => Err(trouble),
        }
    }

    /// Logs what a pipeline's turn decided, and has those runs stopped that make room for a newer slot.
    fn tell(&self, pipeline: &str, turn: Turn, at: UnixMs, claims: &mut dyn Claims) -> anyhow::Result<()> {
        for slot in &turn.skipped {
            tracing::info!(pipeline, slot = %timestamp(slot.at), count = slot.count, reason = slot.reason, "slot skipped");
        }
        for run in turn.cancel {
            let wish = Wish::Cancel { force: false, reason: "a newer slot of its schedule is due".to_owned() };
            self.store.write(|tx| ask(tx, &run, &wish, at))?;
            claims.wake();
        }
        Ok(())
    }
}
