//! `GET /api/v1/events`: runs, tasks, pipelines and models as they change.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use recflow_state::{ChangeRow, RunId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::feed::CHANGES_AT_ONCE;
use super::sender::{Over, Sender, stream};
use crate::server::Api;
use crate::server::api::extract::Query;
use crate::server::api::operation::{Content, Operation};
use crate::server::problem::Problem;

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/events", "followEvents")
            .about(
                "Events",
                "Follow what changes (Server-Sent Events): `run`, `task`, `pipeline`, `model`; `refresh` if changes were missed for good. Goes on behind `Last-Event-ID`",
            )
            .query::<EventsQuery>()
            .answers_with(StatusCode::OK, Content::Media("text/event-stream"))
            .by(follow),
    ]
}

/// What [`follow`] takes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct EventsQuery {
    /// Only what belongs to this pipeline.
    pipeline: Option<String>,
    /// Only what belongs to this run.
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9a-hjkmnp-tv-z]{12}$"))]
    run: Option<RunId>,
}

impl EventsQuery {
    fn wants(&self, change: &ChangeRow) -> bool {
        // Another model serves: that concerns everybody.
        let of_pipeline = self.pipeline.is_none() || self.pipeline == change.pipeline || change.kind == "model";
        let of_run = self.run.is_none() || self.run == change.run || change.kind == "model";
        of_pipeline && of_run
    }
}

async fn follow(State(api): State<Arc<Api>>, headers: HeaderMap, Query(query): Query<EventsQuery>) -> Result<Response, Problem> {
    // Subscribed before the store is asked where things stand: between the two nothing can be missed.
    let inbox = api.feed.watch(&api).await?;
    let kept = api.read(|view| view.changes_kept()).await?;
    let (sender, response) = stream();
    let place = Place::of(last_event_id(&headers), kept);
    tokio::spawn(async move {
        // Over is over: the viewer comes back where it was.
        let _ = tell(&api, &query, &sender, place, inbox).await;
    });
    Ok(response)
}

/// The number that a viewer saw last; nothing that is no number counts.
pub(super) fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()
}

/// Where a viewer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Behind this change.
    seq: u64,
    /// Whether changes between what it saw and that are gone.
    missed: bool,
}

impl Place {
    /// `kept`: the first and the last change that the store has.
    fn of(seen: Option<u64>, kept: Option<(u64, u64)>) -> Self {
        let (first, last) = kept.unwrap_or((1, 0));
        match seen {
            None => Self { seq: last, missed: false },
            // Of another store, or too long ago.
            Some(seen) if seen > last || seen + 1 < first => Self { seq: last, missed: true },
            Some(seen) => Self { seq: seen, missed: false },
        }
    }
}

async fn tell(
    api: &Arc<Api>,
    query: &EventsQuery,
    sender: &Sender,
    place: Place,
    mut inbox: Receiver<Arc<[ChangeRow]>>,
) -> Result<(), Over> {
    let mut seq = place.seq;
    // Also the first word of a stream: where it stands, so that who is cut off before anything changes misses nothing.
    sender.event(Some(if place.missed { "refresh" } else { "hello" }), seq, "{}").await?;
    seq = catch_up(api, query, sender, seq).await?;
    loop {
        match sender.wait(inbox.recv()).await? {
            Ok(reading) if reading.first().is_some_and(|change| change.seq > seq + 1) => seq = catch_up(api, query, sender, seq).await?,
            Ok(reading) => seq = pass_on(query, sender, seq, &reading).await?,
            Err(RecvError::Lagged(_)) => seq = catch_up(api, query, sender, seq).await?,
            Err(RecvError::Closed) => return Err(Over),
        }
    }
}

/// Tells what the store has behind `seq`, at the pace of the viewer.
async fn catch_up(api: &Arc<Api>, query: &EventsQuery, sender: &Sender, mut seq: u64) -> Result<u64, Over> {
    loop {
        let after = seq;
        let Ok(found) = api.read(move |view| view.changes_after(after, CHANGES_AT_ONCE)).await else { return Err(Over) };
        if found.first().is_some_and(|change| change.seq > seq + 1) {
            // Trimmed while the viewer was slow.
            sender.event(Some("refresh"), seq, "{}").await?;
        }
        seq = pass_on(query, sender, seq, &found).await?;
        if found.len() < CHANGES_AT_ONCE as usize {
            return Ok(seq);
        }
    }
}

/// Tells those of the changes behind `seq` that the viewer wants. Of several of one task in a row the last one tells all.
async fn pass_on(query: &EventsQuery, sender: &Sender, mut seq: u64, changes: &[ChangeRow]) -> Result<u64, Over> {
    for change in changes.iter().filter(|change| change.seq > seq) {
        if query.wants(change) {
            sender.event(Some(&change.kind), change.seq, &data(change)).await?;
        }
    }
    seq = changes.last().map_or(seq, |last| last.seq.max(seq));
    Ok(seq)
}

fn data(change: &ChangeRow) -> String {
    let ChangeRow { kind, pipeline, run, task, state, progress, .. } = change;
    let body = match kind.as_str() {
        "run" => json!({ "run": run, "pipeline": pipeline, "status": state }),
        "task" => json!({ "run": run, "pipeline": pipeline, "task": task, "state": state, "progress": progress }),
        _ => json!({ "pipeline": pipeline, "run": run }),
    };
    body.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_begins_behind_what_it_saw_or_learns_that_it_missed_something() {
        let place = |seen, kept| {
            let Place { seq, missed } = Place::of(seen, kept);
            (seq, missed)
        };
        assert_eq!(place(None, None), (0, false));
        assert_eq!(place(None, Some((5, 9))), (9, false));
        assert_eq!(place(Some(7), Some((5, 9))), (7, false));
        assert_eq!(place(Some(4), Some((5, 9))), (4, false), "the next one is there");
        assert_eq!(place(Some(3), Some((5, 9))), (9, true));
        assert_eq!(place(Some(99), Some((5, 9))), (9, true), "of another store");
        assert_eq!(place(Some(0), None), (0, false));
    }
}
