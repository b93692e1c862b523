//! The log of a run, each entry with what it says to people.

use recflow_state::EventRow;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::units::time;
use crate::engine::Mark;
use crate::engine::core::{Event, Outcome, Timer};

/// An entry of a run's log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EventFact {
    /// Its place in the log, from 1.
    pub seq: u64,
    /// When it happened, RFC 3339.
    pub at: String,
    /// What kind of event it is: `created`, `attempt_started`, `attempt_ended`, …
    pub kind: String,
    /// What happened, for people.
    pub text: String,
    /// As it is stored. Tasks are numbers: their places in the pipeline, from 0.
    pub body: Value,
}

impl EventFact {
    /// An entry; `tasks` are the ids of the run's tasks in the pipeline's order.
    pub fn of(row: EventRow, tasks: &[String]) -> Self {
        let kind = row.body["event"].as_str().unwrap_or("unknown").to_owned();
        let text = match serde_json::from_value(row.body.clone()) {
            Ok(event) => words(&event, tasks),
            Err(_) => "something that this version of recflow does not know".to_owned(),
        };
        Self { seq: row.seq, at: time(row.at), kind, text, body: row.body }
    }
}

fn words(event: &Event, tasks: &[String]) -> String {
    let name = |task: usize| tasks.get(task).map_or("?", String::as_str);
    let names = |list: &[usize]| list.iter().map(|task| format!("`{}`", name(*task))).collect::<Vec<_>>().join(", ");
    match event {
        Event::Created => "the run begins".to_owned(),
        Event::Skipped { task, reason } => format!("`{}` is skipped: {reason}", name(*task)),
        Event::AttemptStarted { task, attempt } => format!("`{}` starts, attempt {attempt}", name(*task)),
        Event::AttemptEnded { task, attempt, outcome } => format!("`{}`, attempt {attempt}: {}", name(*task), ending(outcome, names)),
        Event::TimerFired { task, timer } => match timer {
            Timer::Retry { after } => format!("`{}` may be tried again after attempt {after}", name(*task)),
            Timer::Timeout { attempt } => format!("`{}`, attempt {attempt}: its time is used up", name(*task)),
            Timer::Deferral { .. } => format!("`{}` looks again", name(*task)),
        },
        Event::CancelRequested { force, reason } => {
            format!("the run is being {}: {reason}", if *force { "killed" } else { "cancelled" })
        }
        Event::Cleared { tasks } => format!("{} and all below run again", names(tasks)),
        Event::Marked { task, r#as, taken, reason } => {
            let how = match r#as {
                Mark::Succeeded => "succeeded",
                Mark::Failed => "failed",
                Mark::Skipped => "skipped",
            };
            let sides = taken.as_ref().map(|taken| format!(", taking {}", names(taken))).unwrap_or_default();
            format!("`{}` is marked as {how}{sides}: {reason}", name(*task))
        }
    }
}

fn ending(outcome: &Outcome, names: impl Fn(&[usize]) -> String) -> String {
    match outcome {
        Outcome::Succeeded { taken: Some(taken) } if taken.is_empty() => "took no side".to_owned(),
        Outcome::Succeeded { taken: Some(taken) } => format!("took {}", names(taken)),
        Outcome::Succeeded { taken: None } => "succeeded".to_owned(),
        Outcome::Skipped { reason } => format!("found nothing to do: {reason}"),
        Outcome::Failed { reason, .. } => format!("failed: {reason}"),
        Outcome::Stopped => "was stopped".to_owned(),
        Outcome::Lost { reason } => format!("was lost: {reason}"),
        Outcome::Interrupted { reason } => format!("was interrupted: {reason}"),
        Outcome::Deferred { .. } => "waits".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use recflow_state::UnixMs;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_names_its_tasks_and_one_of_a_later_version_is_shown_as_such() {
        let tasks = ["fetch".to_owned(), "train".to_owned()];
        let fact = |body: Value| EventFact::of(EventRow { seq: 3, at: UnixMs(0), body }, &tasks);
        let started = fact(json!({ "event": "attempt_started", "task": 1, "attempt": 2 }));
        assert_eq!((started.kind.as_str(), started.text.as_str()), ("attempt_started", "`train` starts, attempt 2"));
        let branch = json!({ "event": "attempt_ended", "task": 0, "attempt": 1, "outcome": { "outcome": "succeeded", "taken": [1] } });
        assert_eq!(fact(branch).text, "`fetch`, attempt 1: took `train`");
        let later = fact(json!({ "event": "teleported" }));
        assert_eq!((later.kind.as_str(), later.text.as_str()), ("teleported", "something that this version of recflow does not know"));
        assert_eq!(fact(json!({ "event": "skipped", "task": 9, "reason": "so" })).text, "`?` is skipped: so");
    }
}
