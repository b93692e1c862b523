//! The transition function.

use std::collections::VecDeque;
use std::time::Duration;

use super::backoff::retry_delay_ms;
use super::event::{Effect, Event, Mark, Outcome, Stamped, StopReason, Timer};
use super::plan::{Plan, TaskIx};
use super::rules::{Counts, Verdict, judge};
use super::state::{Phase, RunState, RunStatus};

/// What an event did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Tasks whose record changed, each once. Empty if the event came too late to matter: it need not be recorded.
    pub changed: Vec<TaskIx>,
    /// Whether the run's own status changed.
    pub run_changed: bool,
    /// What to do once the event is recorded, in order.
    pub effects: Vec<Effect>,
}

impl Step {
    /// Whether the event came too late to matter.
    pub fn is_stale(&self) -> bool {
        self.changed.is_empty() && !self.run_changed && self.effects.is_empty()
    }
}

/// An event that cannot happen in the state: a bug in whoever sent it, or a damaged history.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("event {event} cannot happen while {state}")]
pub struct IllegalEvent {
    event: String,
    state: String,
}

impl RunState {
    /// Advances the run by one event. Deterministic, and without any I/O; on an error the state is unchanged.
    ///
    /// A late message (a timer or the end of an attempt that is no longer under way) changes nothing and is no error.
    /// Works in place because a run may have thousands of tasks; the cost is that of the tasks it changes.
    pub fn apply(&mut self, plan: &Plan, stamped: &Stamped) -> Result<Step, IllegalEvent> {
        self.check_legal(plan, &stamped.event)?;
        let mut turn = Turn { plan, state: self, now_ms: stamped.at_ms, step: Step::default(), settled: VecDeque::new() };
        match &stamped.event {
            Event::Created => turn.create(),
            Event::Skipped { task, reason } => turn.end(*task, Phase::Skipped, Some(reason.clone())),
            Event::AttemptStarted { task, attempt } => turn.start(*task, *attempt),
            Event::AttemptEnded { task, attempt, outcome } => turn.attempt_ended(*task, *attempt, outcome),
            Event::TimerFired { task, timer } => turn.timer_fired(*task, *timer),
            Event::CancelRequested { force, reason } => turn.cancel(*force, reason),
            Event::Cleared { tasks } => turn.clear(tasks),
            Event::Marked { task, r#as, taken, reason } => turn.mark(*task, *r#as, taken.clone(), reason),
        }
        turn.settle();
        let mut step = turn.step;
        step.changed.sort_unstable();
        step.changed.dedup();
        Ok(step)
    }

    fn check_legal(&self, plan: &Plan, event: &Event) -> Result<(), IllegalEvent> {
        let illegal = |state: String| Err(IllegalEvent { event: format!("{event:?}"), state });
        let named: &[TaskIx] = match event {
            Event::Skipped { task, .. }
            | Event::AttemptStarted { task, .. }
            | Event::AttemptEnded { task, .. }
            | Event::TimerFired { task, .. }
            | Event::Marked { task, .. } => std::slice::from_ref(task),
            Event::Cleared { tasks } => tasks,
            Event::Created | Event::CancelRequested { .. } => &[],
        };
        if let Some(task) = named.iter().find(|task| **task >= self.tasks.len()) {
            return illegal(format!("there is no task {task}"));
        }
        match event {
            Event::Created if self.status != RunStatus::Queued => illegal(format!("the run is {:?}", self.status)),
            Event::Created => Ok(()),
            _ if self.status == RunStatus::Queued => illegal("the run has not begun".to_owned()),
            Event::Skipped { task, .. } | Event::AttemptStarted { task, .. } if self.tasks[*task].phase != Phase::Queued => {
                illegal(format!("task `{}` is {}", plan.tasks[*task].id, self.tasks[*task].phase.token()))
            }
            Event::AttemptStarted { task, attempt } if *attempt != self.tasks[*task].attempts + 1 => {
                illegal(format!("task `{}` has had {} attempts", plan.tasks[*task].id, self.tasks[*task].attempts))
            }
            Event::AttemptEnded { task, outcome: Outcome::Succeeded { taken: Some(taken) }, .. }
            | Event::Marked { task, taken: Some(taken), .. }
                if taken.iter().any(|side| !plan.downstream[*task].contains(side)) =>
            {
                illegal(format!("a side of branch `{}` is not directly downstream of it", plan.tasks[*task].id))
            }
            Event::Marked { .. } if !self.status.is_terminal() && self.cancelling.is_some() => {
                illegal("the run is being cancelled".to_owned())
            }
            Event::Marked { task, .. } => match self.running_below(plan, *task) {
                Some(below) => illegal(format!("task `{}` below it is running", plan.tasks[below].id)),
                None => Ok(()),
            },
            Event::Cleared { .. } if !self.status.is_terminal() => illegal("the run is not over".to_owned()),
            _ => Ok(()),
        }
    }
}

impl RunState {
    /// A task below `task` whose attempt is under way.
    fn running_below(&self, plan: &Plan, task: TaskIx) -> Option<TaskIx> {
        let below = plan.with_descendants([task]);
        self.running().map(|(running, _)| running).find(|running| *running != task && below[*running])
    }
}

/// One event being applied.
struct Turn<'a> {
    plan: &'a Plan,
    state: &'a mut RunState,
    now_ms: i64,
    step: Step,
    /// Tasks that have just ended and whose downstream tasks have not been told yet.
    settled: VecDeque<TaskIx>,
}

impl Turn<'_> {
    fn create(&mut self) {
        self.state.status = RunStatus::Running;
        self.step.run_changed = true;
        for task in 0..self.plan.len() {
            self.reconsider(task);
        }
    }

    fn start(&mut self, task: TaskIx, attempt: u32) {
        self.state.tasks[task].attempts = attempt;
        self.enter(task, Phase::Running { attempt, stopping: None }, None);
        if let Some(timeout_ms) = self.plan.tasks[task].timeout_ms {
            self.step.effects.push(Effect::Wake { task, timer: Timer::Timeout { attempt }, at_ms: self.now_ms.saturating_add(timeout_ms) });
        }
        self.step.effects.push(Effect::Start { task, attempt });
    }

    fn attempt_ended(&mut self, task: TaskIx, attempt: u32, outcome: &Outcome) {
        let Phase::Running { attempt: current, stopping } = self.state.tasks[task].phase else { return };
        if current != attempt {
            return;
        }
        match outcome {
            // An attempt that finished its work before the signal reached it has finished its work.
            Outcome::Succeeded { taken } => {
                self.end(task, Phase::Succeeded { taken: taken.clone() }, None);
                self.skip_sides_not_taken(task);
            }
            Outcome::Skipped { reason } => self.end(task, Phase::Skipped, Some(reason.clone())),
            _ if self.state.cancelling.is_some() => self.end(task, Phase::Cancelled, self.state.cancelling.clone()),
            Outcome::Deferred { until_ms } => {
                self.enter(task, Phase::Deferred { after: attempt, until_ms: *until_ms }, None);
                self.step.effects.push(Effect::Wake { task, timer: Timer::Deferral { after: attempt }, at_ms: *until_ms });
            }
            Outcome::Lost { reason } => self.lost(task, reason),
            Outcome::Interrupted { reason } => self.enqueue(task, Some(format!("interrupted: {reason}"))),
            Outcome::Failed { .. } | Outcome::Stopped if stopping == Some(StopReason::TimedOut) => {
                let limit = Duration::from_millis(self.plan.tasks[task].timeout_ms.unwrap_or_default().unsigned_abs());
                self.failed(task, attempt, true, format!("timed out after {}", crate::pipeline::duration::format(limit)));
            }
            Outcome::Failed { retryable, reason } => self.failed(task, attempt, *retryable, reason.clone()),
            Outcome::Stopped => self.failed(task, attempt, true, "stopped from outside".to_owned()),
        }
    }

    fn failed(&mut self, task: TaskIx, attempt: u32, retryable: bool, reason: String) {
        let plan = &self.plan.tasks[task];
        let record = &mut self.state.tasks[task];
        record.failures += 1;
        if !retryable || record.failures > plan.retry.retries {
            self.end(task, Phase::Failed, Some(reason));
            return;
        }
        let delay_ms = retry_delay_ms(&plan.retry, self.plan.jitter_seed, &plan.id, record.failures);
        let due_ms = self.now_ms.saturating_add(delay_ms);
        self.enter(task, Phase::Retrying { after: attempt, due_ms }, Some(reason));
        self.step.effects.push(Effect::Wake { task, timer: Timer::Retry { after: attempt }, at_ms: due_ms });
    }

    fn lost(&mut self, task: TaskIx, reason: &str) {
        let record = &mut self.state.tasks[task];
        record.lost += 1;
        let lost = record.lost;
        if lost >= self.plan.tasks[task].max_lost {
            self.end(task, Phase::Failed, Some(format!("lost {lost} times, the last time because {reason}")));
        } else {
            self.enqueue(task, Some(format!("lost: {reason}")));
        }
    }

    fn timer_fired(&mut self, task: TaskIx, timer: Timer) {
        match (timer, &mut self.state.tasks[task].phase) {
            (Timer::Retry { after }, Phase::Retrying { after: current, .. })
            | (Timer::Deferral { after }, Phase::Deferred { after: current, .. })
                if after == *current =>
            {
                let reason = self.state.tasks[task].reason.clone();
                self.enqueue(task, reason);
            }
            (Timer::Timeout { attempt }, Phase::Running { attempt: current, stopping: stopping @ None }) if attempt == *current => {
                *stopping = Some(StopReason::TimedOut);
                self.step.changed.push(task);
                self.step.effects.push(Effect::Stop { task, attempt, reason: StopReason::TimedOut });
            }
            _ => {}
        }
    }

    fn cancel(&mut self, force: bool, reason: &str) {
        if self.state.status.is_terminal() {
            return;
        }
        if self.state.cancelling.is_none() {
            self.state.cancelling = Some(reason.to_owned());
            self.step.run_changed = true;
        }
        let strength = if force { StopReason::Killed } else { StopReason::Cancelled };
        for task in 0..self.plan.len() {
            match &mut self.state.tasks[task].phase {
                Phase::Running { attempt, stopping } if stopping.is_none_or(|weaker| weaker < strength) => {
                    *stopping = Some(strength);
                    self.step.changed.push(task);
                    self.step.effects.push(Effect::Stop { task, attempt: *attempt, reason: strength });
                }
                Phase::Running { .. } => {}
                phase if !phase.is_terminal() => self.end(task, Phase::Cancelled, Some(reason.to_owned())),
                _ => {}
            }
        }
    }

    /// Takes the named tasks and all below them back to `waiting`.
    fn clear(&mut self, tasks: &[TaskIx]) {
        let again = self.plan.with_descendants(tasks.iter().copied());
        self.open_again(&again);
    }

    /// Ends a task as somebody says. One that had ended before opens what lies below it; of a run that was cancelled, all that was.
    fn mark(&mut self, task: TaskIx, mark: Mark, taken: Option<Vec<TaskIx>>, reason: &str) {
        let phase = match mark {
            Mark::Succeeded => Phase::Succeeded { taken },
            Mark::Failed => Phase::Failed,
            Mark::Skipped => Phase::Skipped,
        };
        let before = &self.state.tasks[task].phase;
        if *before == phase {
            return;
        }
        if let Phase::Running { attempt, .. } = *before {
            self.step.effects.push(Effect::Stop { task, attempt, reason: StopReason::Killed });
        }
        if !before.is_terminal() {
            self.end(task, phase, Some(reason.to_owned()));
            return self.skip_sides_not_taken(task);
        }
        let cancelled = (0..self.plan.len()).filter(|other| self.state.tasks[*other].phase == Phase::Cancelled);
        let over = self.state.status.is_terminal();
        let mut again = self.plan.with_descendants(cancelled.filter(|_| over).chain([task]));
        again[task] = false;
        // Whoever takes back a success wants the work done again, should it run again: under another publish key.
        if matches!(before, Phase::Succeeded { .. }) && !matches!(phase, Phase::Succeeded { .. }) {
            self.state.tasks[task].generation += 1;
        }
        self.enter(task, phase, Some(reason.to_owned()));
        self.open_again(&again);
    }

    /// Takes tasks back to `waiting`, and the run with them. Work that had succeeded gets a new generation, so that its publish
    /// key is a new one and the work is really done again. Whatever lies below one of the tasks, but for a marked one, is among them.
    fn open_again(&mut self, again: &[bool]) {
        for task in (0..self.plan.len()).filter(|task| again[*task]) {
            let record = &mut self.state.tasks[task];
            debug_assert!(!matches!(record.phase, Phase::Running { .. }), "what is under way is not taken back");
            if matches!(record.phase, Phase::Succeeded { .. }) {
                record.generation += 1;
            }
            (record.failures, record.lost) = (0, 0);
            self.enter(task, Phase::Waiting, None);
        }
        self.state.open = self.state.tasks.iter().filter(|record| !record.phase.is_terminal()).count();
        self.state.cancelling = None;
        self.step.run_changed |= self.state.status != RunStatus::Running;
        self.state.status = RunStatus::Running;
        for task in 0..self.plan.len() {
            let mut counts = Counts::of(self.plan.tasks[task].needs.len());
            for &upstream in &self.plan.tasks[task].needs {
                count(&mut counts, &self.state.tasks[upstream].phase);
            }
            self.state.tasks[task].upstream = counts;
        }
        // Branches above the open part keep their decision.
        for task in (0..self.plan.len()).filter(|task| !again[*task]) {
            self.skip_sides_not_taken(task);
        }
        for task in (0..self.plan.len()).filter(|task| again[*task]) {
            self.reconsider(task);
        }
    }

    /// Skips the tasks directly below a branch that its chosen side does not name, unless they also lie below that
    /// side. What lies below them follows from trigger rules.
    fn skip_sides_not_taken(&mut self, branch: TaskIx) {
        let Phase::Succeeded { taken: Some(taken) } = &self.state.tasks[branch].phase else { return };
        let kept = self.plan.with_descendants(taken.iter().copied());
        let names: Vec<&str> = taken.iter().map(|task| self.plan.tasks[*task].id.as_str()).collect();
        let took = if names.is_empty() { "no side".to_owned() } else { names.join(", ") };
        let reason = format!("branch `{}` took {took}", self.plan.tasks[branch].id);
        for &task in &self.plan.downstream[branch] {
            if !kept[task] && self.state.tasks[task].phase == Phase::Waiting {
                self.end(task, Phase::Skipped, Some(reason.clone()));
            }
        }
    }

    /// Tells downstream tasks how their upstream tasks ended, until nothing changes any more; then ends the run if
    /// nothing is open.
    fn settle(&mut self) {
        while let Some(ended) = self.settled.pop_front() {
            for position in 0..self.plan.downstream[ended].len() {
                let task = self.plan.downstream[ended][position];
                let mut counts = self.state.tasks[task].upstream;
                count(&mut counts, &self.state.tasks[ended].phase);
                self.state.tasks[task].upstream = counts;
                self.reconsider(task);
            }
        }
        if self.state.open == 0 && self.state.status == RunStatus::Running {
            self.state.status = self.judge_run();
            self.step.run_changed = true;
            self.step.effects.push(Effect::RunEnded(self.state.status));
        }
    }

    fn judge_run(&self) -> RunStatus {
        if self.state.cancelling.is_some() {
            return RunStatus::Cancelled;
        }
        let broken = |(task, plan): (usize, &super::PlanTask)| self.state.tasks[task].phase == Phase::Failed && !plan.allow_failure;
        if self.plan.tasks.iter().enumerate().any(broken) { RunStatus::Failed } else { RunStatus::Succeeded }
    }

    fn reconsider(&mut self, task: TaskIx) {
        if self.state.tasks[task].phase != Phase::Waiting {
            return;
        }
        match judge(self.plan.tasks[task].rule, self.state.tasks[task].upstream) {
            Verdict::Wait => {}
            Verdict::Run => self.enqueue(task, None),
            Verdict::Skip => {
                let reason = self.because(task, |phase| matches!(phase, Phase::Skipped | Phase::Succeeded { .. }));
                self.end(task, Phase::Skipped, Some(reason));
            }
            Verdict::UpstreamFailed => {
                let reason = self.because(task, |phase| matches!(phase, Phase::Failed | Phase::UpstreamFailed | Phase::Cancelled));
                self.end(task, Phase::UpstreamFailed, Some(reason));
            }
        }
    }

    /// Names an upstream task that decided against `task`.
    fn because(&self, task: TaskIx, decides: impl Fn(&Phase) -> bool) -> String {
        let plan = &self.plan.tasks[task];
        let culprit = plan.needs.iter().find(|upstream| decides(&self.state.tasks[**upstream].phase)).or(plan.needs.first());
        match culprit {
            Some(&upstream) => {
                format!(
                    "`{}` is {} and the trigger rule is {}",
                    self.plan.tasks[upstream].id,
                    self.state.tasks[upstream].phase.token(),
                    plan.rule
                )
            }
            None => format!("the trigger rule is {}", plan.rule),
        }
    }

    fn enqueue(&mut self, task: TaskIx, reason: Option<String>) {
        self.enter(task, Phase::Queued, reason);
        self.step.effects.push(Effect::Enqueue(task));
    }

    fn end(&mut self, task: TaskIx, phase: Phase, reason: Option<String>) {
        debug_assert!(phase.is_terminal() && !self.state.tasks[task].phase.is_terminal());
        self.state.open -= 1;
        self.enter(task, phase, reason);
        self.settled.push_back(task);
    }

    fn enter(&mut self, task: TaskIx, phase: Phase, reason: Option<String>) {
        let record = &mut self.state.tasks[task];
        record.phase = phase;
        record.reason = reason;
        self.step.changed.push(task);
    }
}

fn count(counts: &mut Counts, phase: &Phase) {
    match phase {
        Phase::Succeeded { .. } => counts.succeeded += 1,
        Phase::Skipped => counts.skipped += 1,
        Phase::Failed | Phase::Cancelled => counts.failed += 1,
        Phase::UpstreamFailed => counts.upstream_failed += 1,
        Phase::Waiting | Phase::Queued | Phase::Running { .. } | Phase::Retrying { .. } | Phase::Deferred { .. } => {}
    }
    debug_assert!(counts.done() <= counts.all);
}
