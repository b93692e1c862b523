//! Tasks that a person declares ended, and runs that begin in the middle.
//!
//! *Mark* ends a task of a run in a word; of a run that is over, what lies below the task runs again. *Replay* is a new run of the
//! pinned definition in which every task that is not the named one or below it is marked as it ended before, with its output. Its
//! publish keys are its own: what it publishes is new.

use anyhow::{Context as _, bail};
use recflow_state::{RunId, check_output};

use super::claim::valid;
use super::core::{Event, Mark, Phase, Plan, Stamped, TaskIx};
use super::driver::Driver;
use super::enqueue::{Enqueue, enqueue};
use super::journal::Write;
use super::live::LiveRun;
use super::resume::{Standing, standing_of};
use super::wish::MarkTask;

impl Driver {
    /// Marks a task of a run, live here or executed by nobody; the latter is taken over and goes on, as with [`Driver::resume`].
    ///
    /// Fails if another process executes the run (note a [`Wish`](super::Wish) for it), if there is no such task, or if a task below it is
    /// running.
    pub fn mark(&mut self, id: &RunId, mark: &MarkTask) -> anyhow::Result<()> {
        if self.runs.contains_key(id.as_str()) {
            return self.mark_live(id, mark);
        }
        self.take_over_with(id, |run, events, now| {
            let mut ahead = run.state.clone();
            for event in &*events {
                ahead.apply(&run.plan, &Stamped { at_ms: now.0, event: event.clone() })?;
            }
            let event = event_of(run, mark)?;
            ahead.apply(&run.plan, &Stamped { at_ms: now.0, event: event.clone() })?;
            events.push(event);
            give_output(run, mark)
        })?;
        self.record_output(id, mark);
        Ok(())
    }

    /// The same of a run that is under way here.
    pub(super) fn mark_live(&mut self, id: &RunId, mark: &MarkTask) -> anyhow::Result<()> {
        let key = id.as_str().into();
        let now = self.now();
        if self.waiting.iter().any(|waiting| waiting.is(id)) {
            bail!("run {id} has not begun: it waits until fewer runs of its pipeline are under way");
        }
        let Some(run) = self.runs.get_mut(&key) else { bail!("run {id} is over") };
        let event = event_of(run, mark)?;
        // Tried on a copy: what cannot be done is the person's mistake, and must not harm the run.
        run.state.clone().apply(&run.plan, &Stamped { at_ms: now.0, event: event.clone() })?;
        give_output(run, mark)?;
        self.record_output(id, mark);
        self.advance(&key, event);
        Ok(())
    }

    /// Has the output of a marked task written with the event that says so. Attempt 0: none of the run's.
    fn record_output(&mut self, id: &RunId, mark: &MarkTask) {
        if let Some(value) = &mark.output {
            self.journal.add(Write::Output { run: id.clone(), task: mark.task.clone(), attempt: 0, value: value.clone() });
        }
    }

    /// Creates a run that repeats `of` from task `from` on, and takes it over.
    pub fn replay(&mut self, of: &RunId, from: &str) -> anyhow::Result<RunId> {
        let now = self.now();
        let (row, text) = self.store.read(|view| {
            let row = view.run(of)?;
            let text = view.pipeline_text(row.version)?;
            Ok((row, text))
        })?;
        if let Standing::Live { .. } = standing_of(&*self.owners, &row) {
            bail!("run {of} is under way; cancel it first, or wait for its end");
        }
        let (old, _) = self.rebuild(&row)?;
        let first = number(&old, from)?;
        let id = RunId::from_random(self.entropy.next());
        let mut run = self.seed(&recflow_state::Run { id: id.clone(), ..row.clone() }, valid(&row, &text.text, text.file.as_deref())?)?;
        let events = copied(&old, &mut run, first, of);
        self.store.write(|tx| {
            let params = row.params.as_object().cloned().unwrap_or_default();
            let new = Enqueue {
                id: id.clone(),
                pipeline: &run.pipeline,
                version: row.version,
                params: &params,
                trigger: row.trigger,
                logical_date: row.logical_date,
                owner: Some(self.owner.clone()),
                cause: None,
                backfill: None,
                replay_of: Some(of.clone()),
            };
            enqueue(tx, &self.workspace, new, now).context("cannot record the new run")?;
            for (task, facts) in run.facts.iter().enumerate() {
                if let Some(output) = &facts.output {
                    // Attempt 0: none of this run's.
                    tx.put_output(&id, run.task_id(task), 0, output)?;
                }
            }
            Ok::<_, anyhow::Error>(())
        })?;
        self.wait_for_room(run, events, false);
        Ok(id)
    }
}

/// The events that give a new run the ends of an old one, and the outputs with them. Tasks that had not ended run.
fn copied(old: &LiveRun, run: &mut LiveRun, first: TaskIx, of: &RunId) -> Vec<Event> {
    let again = old.plan.with_descendants([first]);
    let mut events = vec![Event::Created];
    for task in from_the_bottom(&old.plan).into_iter().filter(|task| !again[*task]) {
        let (mark, taken) = match &old.state.tasks[task].phase {
            Phase::Succeeded { taken } => (Mark::Succeeded, taken.clone()),
            Phase::Failed => (Mark::Failed, None),
            Phase::Skipped => (Mark::Skipped, None),
            _ => continue,
        };
        let facts = &old.facts[task];
        run.facts[task].output = facts.output.clone();
        run.facts[task].error = facts.error.clone();
        if let Some(output) = &facts.output {
            run.scope.set_output(&run.pipeline.tasks[task].id, output.clone());
        }
        events.push(Event::Marked { task, r#as: mark, taken, reason: format!("as in run {of}") });
    }
    events
}

/// All tasks, each after those that need it: a mark then never decides about a task that is yet to be marked.
fn from_the_bottom(plan: &Plan) -> Vec<TaskIx> {
    let mut open: Vec<usize> = plan.downstream.iter().map(Vec::len).collect();
    let mut order: Vec<TaskIx> = (0..plan.len()).filter(|task| open[*task] == 0).collect();
    let mut next = 0;
    while let Some(&task) = order.get(next) {
        next += 1;
        for &upstream in &plan.tasks[task].needs {
            open[upstream] -= 1;
            if open[upstream] == 0 {
                order.push(upstream);
            }
        }
    }
    order
}

fn number(run: &LiveRun, task: &str) -> anyhow::Result<TaskIx> {
    let found = run.plan.tasks.iter().position(|plan| plan.id == task);
    found.with_context(|| format!("run {} has no task `{task}`; it has {}", run.id, names(run)))
}

fn names(run: &LiveRun) -> String {
    run.plan.tasks.iter().take(20).map(|task| task.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// What a marked task returned, for the tasks below it.
fn give_output(run: &mut LiveRun, mark: &MarkTask) -> anyhow::Result<()> {
    let Some(output) = &mark.output else { return Ok(()) };
    if mark.r#as != Mark::Succeeded {
        bail!("a task that did not succeed has no output");
    }
    check_output(&mark.task, output)?;
    let task = number(run, &mark.task)?;
    run.scope.set_output(&run.pipeline.tasks[task].id, output.clone());
    run.facts[task].output = Some(output.clone());
    Ok(())
}

fn event_of(run: &LiveRun, mark: &MarkTask) -> anyhow::Result<Event> {
    let task = number(run, &mark.task)?;
    let sides = |taken: &Vec<String>| taken.iter().map(|side| number(run, side)).collect::<anyhow::Result<Vec<_>>>();
    let taken = mark.taken.as_ref().map(sides).transpose()?;
    Ok(Event::Marked { task, r#as: mark.r#as, taken, reason: mark.reason.clone() })
}
