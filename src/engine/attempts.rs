//! The driver's half that deals with attempts: how one starts, what it reports, how it ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use recflow_stages::{ErrorKind, Report, StageError};
use recflow_state::{AttemptRow, AttemptState, UnixMs};
use serde_json::Value;

use super::core::{Event, Outcome, Phase, StopReason, TaskIx};
use super::drain::Draining;
use super::driver::{Driver, Todo};
use super::journal::Write;
use super::live::{Active, LiveRun};
use super::notice::Notice;
use super::prepare::computes;
use crate::executor::log::Mask;
use crate::executor::{Attempt, AttemptKey, Ended, Failure, Work};
use crate::workspace::Workspace;

/// An attempt's progress is recorded at most this often; watchers are told more often.
const PROGRESS_RECORDED_EVERY_MS: i64 = 1_000;

// What the executor lets through, the store takes.
const _: () = assert!(crate::executor::OUTPUT_BYTES_MAX == recflow_state::OUTPUT_BYTES_MAX);

impl Driver {
    /// An attempt that is over as soon as it starts: nothing has to execute.
    pub(super) fn at_once(&mut self, key: &Arc<str>, task: TaskIx, result: Result<Value, Failure>, taken: Option<Vec<TaskIx>>) {
        let now = self.now();
        let Some(run) = self.runs.get(key) else { return };
        let attempt = run.state.tasks[task].attempts + 1;
        let active = Active { attempt, started_at: now, computes: false, threads: 0, progress_recorded_at: 0 };
        self.advance(key, Event::AttemptStarted { task, attempt });
        self.finish_attempt(key, task, &active, Ended::without_process(result), taken, now);
    }

    pub(super) fn start_attempt(
        &mut self,
        key: &Arc<str>,
        task: TaskIx,
        work: Work,
        inputs: &Value,
        env: BTreeMap<String, String>,
    ) -> Option<AttemptKey> {
        let now = self.now();
        let computing_soon = self.computing_soon();
        let run = self.runs.get_mut(key)?;
        let attempt = run.state.tasks[task].attempts + 1;
        let computes = computes(&work);
        let threads = self.budget.take(computes, computing_soon);
        let active = Active { attempt, started_at: now, computes, threads, progress_recorded_at: 0 };
        let log = Workspace::log(run.id.as_str(), run.task_id(task), attempt);
        self.journal.add(Write::Attempt(Box::new(AttemptRow {
            inputs: Some(self.mask.value(inputs)),
            log: Some(log.to_string_lossy().into_owned()),
            ..attempt_row(run, task, &active, AttemptState::Running)
        })));
        run.facts[task].active = Some(active);
        run.facts[task].error = None;
        let request = Attempt {
            key: AttemptKey { run: key.clone(), task, attempt },
            task_id: run.task_id(task).to_owned(),
            pipeline: run.pipeline.name.clone(),
            work,
            publish_key: run.publish_key(task),
            logical_date: run.logical_date,
            clock_at: run.clock_at,
            workspace: self.workspace.root().to_owned(),
            home: self.workspace.home().to_owned(),
            threads,
            env,
            log: self.workspace.home().join(log),
            secrets: self.secrets.clone(),
            grace: self.options.grace,
        };
        self.advance(key, Event::AttemptStarted { task, attempt });
        let key = request.key.clone();
        self.todo.push(Todo::Execute(Box::new(request)));
        Some(key)
    }

    pub(super) fn reported(&mut self, key: &AttemptKey, report: Report) {
        let now = self.now().0;
        let stuck = self.stuck.is_some();
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let (id, task) = (run.id.clone(), run.task_id(key.task).to_owned());
        let Some(active) = run.facts[key.task].active.as_mut().filter(|active| active.attempt == key.attempt) else { return };
        match &report {
            // Progress is not worth keeping in memory while the store cannot be written.
            Report::Progress(progress) if !stuck && now - active.progress_recorded_at >= PROGRESS_RECORDED_EVERY_MS => {
                active.progress_recorded_at = now;
                let progress = serde_json::to_value(progress).unwrap_or(Value::Null);
                self.journal.add(Write::Progress { run: id.clone(), task, attempt: key.attempt, progress });
            }
            Report::Metric { name, step, value } => {
                self.journal.add(Write::Metric {
                    run: id.clone(),
                    task,
                    attempt: key.attempt,
                    name: name.clone(),
                    step: *step,
                    value: *value,
                });
            }
            Report::Progress(_) | Report::Log { .. } => {}
        }
        let report = match report {
            Report::Log { level, message } => Report::Log { level, message: self.mask.text(&message) },
            other => other,
        };
        self.tell(Notice::Report { run: id, position: key.task, report });
    }

    pub(super) fn ended(&mut self, key: &AttemptKey, ended: Ended) {
        let now = self.now();
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let Some(active) = run.facts[key.task].active.take_if(|active| active.attempt == key.attempt) else { return };
        self.budget.give_back(active.computes, active.threads);
        // A person has decided meanwhile how the task ended: only the attempt's own row is left to close.
        if !matches!(run.state.tasks[key.task].phase, Phase::Running { attempt, .. } if attempt == key.attempt) {
            let (exit, peak_rss_bytes, cpu_ms) = (ended.exit, ended.peak_rss_bytes, ended.cpu_ms);
            let row = attempt_row(run, key.task, &active, AttemptState::Cancelled);
            self.journal.add(Write::Attempt(Box::new(AttemptRow { ended_at: Some(now), exit, peak_rss_bytes, cpu_ms, ..row })));
            return;
        }
        self.finish_attempt(&key.run, key.task, &active, ended, None, now);
    }

    /// Takes back an attempt that was recorded as started in a transaction that failed, and has not been executed.
    pub(super) fn give_back(&mut self, key: &AttemptKey) {
        let now = self.now();
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let Some(active) = run.facts[key.task].active.take_if(|active| active.attempt == key.attempt) else { return };
        self.budget.give_back(active.computes, active.threads);
        let row = attempt_row(run, key.task, &active, AttemptState::Lost);
        self.journal.add(Write::Attempt(Box::new(AttemptRow { ended_at: Some(now), ..row })));
        let reason = "its slot was taken while the store could not be written".to_owned();
        let (task, attempt) = (key.task, key.attempt);
        self.advance(&key.run, Event::AttemptEnded { task, attempt, outcome: Outcome::Interrupted { reason } });
    }

    /// Records how an attempt ended and tells the state machine.
    fn finish_attempt(&mut self, key: &Arc<str>, task: TaskIx, active: &Active, ended: Ended, taken: Option<Vec<TaskIx>>, now: UnixMs) {
        let drained = self.draining.as_ref().is_some_and(Draining::has_told);
        let Some(run) = self.runs.get_mut(key) else { return };
        let id = run.pipeline.tasks[task].id.clone();
        let stopping = match run.state.tasks[task].phase {
            Phase::Running { stopping, .. } => stopping,
            _ => None,
        };
        let result = ended.result.and_then(|output| checked_output(id.as_str(), self.mask.value(&output)));
        let verdict = judge(result, taken, stopping, drained, &self.mask);
        let error = verdict.error.as_ref().and_then(|error| serde_json::to_value(error).ok());
        run.facts[task].error = verdict.error;
        run.facts[task].output = verdict.output.clone();
        self.journal.add(Write::Attempt(Box::new(AttemptRow {
            ended_at: Some(now),
            exit: ended.exit,
            peak_rss_bytes: ended.peak_rss_bytes,
            cpu_ms: ended.cpu_ms,
            error,
            output: verdict.output.clone(),
            ..attempt_row(run, task, active, verdict.state)
        })));
        if let Some(output) = verdict.output {
            run.scope.set_output(&id, output.clone());
            let (run, task) = (run.id.clone(), id.as_str().to_owned());
            self.journal.add(Write::Output { run, task, attempt: active.attempt, value: output });
        }
        self.advance(key, Event::AttemptEnded { task, attempt: active.attempt, outcome: verdict.outcome });
    }
}

/// What the end of an attempt means: to the state machine, and in its row.
struct Judged {
    outcome: Outcome,
    state: AttemptState,
    error: Option<StageError>,
    output: Option<Value>,
}

fn judge(result: Result<Value, Failure>, taken: Option<Vec<TaskIx>>, stopping: Option<StopReason>, drained: bool, mask: &Mask) -> Judged {
    let (outcome, state, error, output) = match result {
        Ok(output) => (Outcome::Succeeded { taken }, AttemptState::Succeeded, None, Some(output)),
        Err(Failure::Failed(nothing)) if nothing.kind == ErrorKind::Skipped => {
            (Outcome::Skipped { reason: mask.text(&nothing.message) }, AttemptState::Skipped, None, None)
        }
        Err(Failure::Stopped) if drained && stopping.is_none() => {
            (Outcome::Interrupted { reason: "the recflow process that ran it was ending".to_owned() }, AttemptState::Lost, None, None)
        }
        Err(failure) => {
            let state = match stopping {
                Some(StopReason::TimedOut) => AttemptState::TimedOut,
                Some(StopReason::Cancelled | StopReason::Killed) => AttemptState::Cancelled,
                None => AttemptState::Failed,
            };
            match failure {
                Failure::Failed(error) => {
                    let error = masked(mask, error);
                    let outcome = Outcome::Failed { retryable: error.kind.is_retryable(), reason: error.message.clone() };
                    (outcome, state, Some(error), None)
                }
                Failure::Stopped => (Outcome::Stopped, state, None, None),
            }
        }
    };
    Judged { outcome, state, error, output }
}

fn attempt_row(run: &LiveRun, task: TaskIx, active: &Active, state: AttemptState) -> AttemptRow {
    AttemptRow {
        run_id: run.id.clone(),
        task_id: run.task_id(task).to_owned(),
        number: active.attempt,
        generation: run.state.tasks[task].generation,
        state,
        pid: None,
        pid_start: None,
        started_at: active.started_at,
        ended_at: None,
        exit: None,
        peak_rss_bytes: None,
        cpu_ms: None,
        inputs: None,
        error: None,
        output: None,
        log: None,
        progress: None,
    }
}

/// An output that the store will take.
fn checked_output(task: &str, output: Value) -> Result<Value, Failure> {
    match recflow_state::check_output(task, &output) {
        Ok(()) => Ok(output),
        Err(error) => {
            Err(Failure::Failed(StageError::input(error.to_string()).with_hint("write large results to a file and return its path")))
        }
    }
}

fn masked(mask: &Mask, error: StageError) -> StageError {
    StageError {
        kind: error.kind,
        message: mask.text(&error.message),
        causes: error.causes.iter().map(|cause| mask.text(cause)).collect(),
        hint: error.hint.map(|hint| mask.text(&hint)),
    }
}
