//! Runs that wait to be claimed: the scheduler has them claimed as there is room.

use recflow_state::Store;

use crate::engine::{Claim, Claims};

/// So many runs of a pipeline are claimed in one look at most: the others have their turn.
const CLAIMS_PER_LOOK: usize = 1_000;

/// Claims what may begin, pipeline by pipeline, in the order of priority and age. Returns how many that were.
///
/// What the clock or an event created waits while its pipeline is paused; what a person asked for does not. A backfill that is full holds
/// back its own later runs, which so begin in their order, and nobody else's.
pub(super) fn claim_what_may_begin(store: &Store, claims: &mut dyn Claims) -> anyhow::Result<usize> {
    let mut claimed = 0;
    for (pipeline, _) in store.read(|view| view.unclaimed())? {
        claimed += claim_of(&pipeline, store, claims)?;
    }
    Ok(claimed)
}

fn claim_of(pipeline: &str, store: &Store, claims: &mut dyn Claims) -> anyhow::Result<usize> {
    let mut claimed = 0;
    let mut full_backfills: Vec<i64> = Vec::new();
    for _ in 0..CLAIMS_PER_LOOK {
        let next = store.read(|view| {
            let paused = view.pipeline(pipeline)?.is_some_and(|row| row.paused_at.is_some());
            view.next_unclaimed(pipeline, paused, &full_backfills)
        })?;
        let Some(run) = next else { break };
        match claims.claim(&run.id) {
            Ok(Claim::Taken) => claimed += 1,
            // Another process was faster: it is not asked for again.
            Ok(Claim::Gone) => {}
            Ok(Claim::Full(_)) => match run.backfill {
                Some(backfill) => full_backfills.push(backfill),
                None => break,
            },
            Err(error) => {
                tracing::error!(run = %run.id, error = format!("{error:#}"), "the run cannot begin");
                // If it ended for that, the next look goes on behind it.
                break;
            }
        }
    }
    Ok(claimed)
}
