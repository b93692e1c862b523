//! `…/log/stream`: the log of an attempt as it is written.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use recflow_state::RunId;

use super::changes::last_event_id;
use super::sender::{Over, Sender, stream};
use crate::facts::log::{self, LogPart};
use crate::server::Api;
use crate::server::api::extract::Path;
use crate::server::api::operation::{Content, Operation};
use crate::server::problem::Problem;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Bytes of one event at most.
const PART_BYTES_MAX: u64 = 64 << 10;

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/runs/{run}/tasks/{task}/attempts/{attempt}/log/stream", "followAttemptLog")
            .about(
                "Events",
                "Follow an attempt's log (Server-Sent Events): whole lines, each id a place in bytes; `end` once nothing follows. Goes on behind `Last-Event-ID`",
            )
            .answers_with(StatusCode::OK, Content::Media("text/event-stream"))
            .by(follow),
    ]
}

async fn follow(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Path((run, task, attempt)): Path<(RunId, String, u32)>,
) -> Result<Response, Problem> {
    let offset = last_event_id(&headers).unwrap_or(0);
    // What is not there is answered as such; then the stream begins.
    let first = part(&api, &run, &task, attempt, offset).await?;
    let (sender, response) = stream();
    tokio::spawn(async move {
        let _ = tell(&api, &run, &task, attempt, first, &sender).await;
    });
    Ok(response)
}

async fn part(api: &Arc<Api>, run: &RunId, task: &str, attempt: u32, offset: u64) -> Result<LogPart, Problem> {
    let (run, task) = (run.clone(), task.to_owned());
    api.work(move |api| {
        // Asked before reading: what was written before the end is there to be read after it.
        let (path, is_over) = api.log_of(&run, &task, attempt)?;
        log::part(&path, offset, PART_BYTES_MAX, is_over).map_err(|error| Problem::internal(format!("cannot read a log: {error}")))
    })
    .await
}

async fn tell(api: &Arc<Api>, run: &RunId, task: &str, attempt: u32, mut part: LogPart, sender: &Sender) -> Result<(), Over> {
    loop {
        if !part.text.is_empty() {
            sender.event(None, part.next_offset, part.text.trim_end_matches('\n')).await?;
        }
        if part.complete {
            return sender.event(Some("end"), part.next_offset, "{}").await;
        }
        let offset = part.next_offset;
        if part.text.is_empty() {
            sender.wait(tokio::time::sleep(LOOK_EVERY)).await?;
        }
        part = match self::part(api, run, task, attempt, offset).await {
            Ok(part) => part,
            // The run was deleted meanwhile, say: the viewer asks again, and is told.
            Err(_) => return Err(Over),
        };
    }
}
