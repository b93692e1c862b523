//! Runs that wait to be claimed: the scheduler has them claimed as there is room.

use recflow_state::{RunId, Store, Trigger};

use crate::engine::{Claim, Claims};

/// So many waiting runs of a pipeline are looked at in one go: those of a backfill that is full must not hide what is behind them.
const LOOK_AHEAD: u32 = 64;

/// Claims what may begin, pipeline by pipeline, in the order of priority and age. Returns how many that were.
///
/// What the clock or an event created waits while its pipeline is paused; what a person asked for does not.
pub(super) fn claim_what_may_begin(store: &Store, claims: &mut dyn Claims) -> anyhow::Result<usize> {
    let mut claimed = 0;
    for (pipeline, _) in store.read(|view| view.unclaimed())? {
        let (waiting, paused) = store.read(|view| {
            let paused = view.pipeline(&pipeline)?.is_some_and(|row| row.paused_at.is_some());
            Ok((view.unclaimed_of(&pipeline, LOOK_AHEAD)?, paused))
        })?;
        let waiting = waiting.into_iter().filter(|run| !paused || !matches!(run.trigger, Trigger::Schedule | Trigger::Event));
        claimed += claim_in_order(claims, waiting.map(|run| (run.id, run.backfill.is_some())));
    }
    Ok(claimed)
}

/// Claims runs of one pipeline until it is full. `true` beside a run: it is of a backfill, whose own limit may be what keeps it.
fn claim_in_order(claims: &mut dyn Claims, waiting: impl Iterator<Item = (RunId, bool)>) -> usize {
    let mut claimed = 0;
    for (run, of_backfill) in waiting {
        match claims.claim(&run) {
            Ok(Claim::Taken) => claimed += 1,
            Ok(Claim::Full(_)) if !of_backfill => break,
            Ok(Claim::Full(_) | Claim::Gone) => {}
            Err(error) => tracing::error!(run = %run, error = format!("{error:#}"), "the run cannot begin"),
        }
    }
    claimed
}
