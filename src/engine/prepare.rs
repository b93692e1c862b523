//! What becomes of a task whose turn has come: its `when`, its branch, its rendered inputs. Pure: templates see only
//! the run's scope.

use std::collections::BTreeMap;

use recflow_stages::{Catalog, Runs, StageError};
use serde_json::{Value, json};

use super::core::TaskIx;
use super::live::LiveRun;
use crate::executor::Work;
use crate::pipeline::{RenderError, Side, TaskKind};

/// What to do with a task whose turn has come.
#[derive(Debug)]
pub(super) enum Prepared {
    /// Its `when` is false.
    Skip { reason: String },
    /// It is a branch, and this is its decision.
    Decided { taken: Vec<TaskIx>, output: Value },
    /// It cannot start: a template has no value.
    Refused(StageError),
    /// Its inputs are complete.
    Ready { work: Work, inputs: Value, env: BTreeMap<String, String> },
}

pub(super) fn prepare(run: &LiveRun, task: TaskIx) -> Prepared {
    try_prepare(run, task).unwrap_or_else(|error| Prepared::Refused(StageError::input(error.to_string())))
}

fn try_prepare(run: &LiveRun, task: TaskIx) -> Result<Prepared, RenderError> {
    let definition = &run.pipeline.tasks[task];
    if let Some(when) = &definition.when
        && !when.evaluate(&run.scope)?
    {
        return Ok(Prepared::Skip { reason: format!("`when` is false: {}", when.source()) });
    }
    let (stage, with) = match &definition.kind {
        TaskKind::Branch { sides } => return decide(run, sides),
        TaskKind::Stage { stage, with } => (stage.clone(), with),
    };
    let inputs = with.render(&run.scope)?;
    let mut env = run.env.clone();
    for (name, value) in &definition.env {
        env.insert(name.clone(), value.render_text(&run.scope)?);
    }
    let Some(known) = Catalog::builtin().get(&stage) else {
        return Ok(Prepared::Refused(StageError::bug(format!("stage `{stage}` is not in this binary"))));
    };
    let shown = Value::Object(inputs.clone());
    if let Err(error) = known.check(&shown) {
        return Ok(Prepared::Refused(error));
    }
    let work = match known.spec.runs {
        Runs::Inline => Work::Inline { stage, inputs },
        Runs::Child => Work::Child { stage, inputs },
        Runs::Program => Work::Program { inputs },
    };
    Ok(Prepared::Ready { work, inputs: shown, env })
}

/// Takes the first side whose `when` is true or missing. The reason quotes what the tasks that the conditions read say of themselves.
fn decide(run: &LiveRun, sides: &[Side]) -> Result<Prepared, RenderError> {
    let mut refused = Vec::new();
    for side in sides {
        let reason = match &side.when {
            None if sides.len() == 1 => "the only side".to_owned(),
            None => quoting("no other side was true", refused),
            Some(when) if when.evaluate(&run.scope)? => quoting(&format!("{} is true", when.source()), when.reasons(&run.scope)),
            Some(when) => {
                refused.extend(when.reasons(&run.scope));
                continue;
            }
        };
        let names: Vec<&str> = side.to.iter().map(|task| run.task_id(*task)).collect();
        return Ok(Prepared::Decided { taken: side.to.clone(), output: json!({ "taken": names, "reason": reason }) });
    }
    let output = json!({ "taken": Vec::<&str>::new(), "reason": quoting("no side was true", refused) });
    Ok(Prepared::Decided { taken: Vec::new(), output })
}

/// `because: reason; reason`, each reason once.
fn quoting(because: &str, mut reasons: Vec<String>) -> String {
    reasons.dedup();
    if reasons.is_empty() { because.to_owned() } else { format!("{because}: {}", reasons.join("; ")) }
}

/// Whether the work takes part in sharing the threads.
pub(super) fn computes(work: &Work) -> bool {
    match work {
        Work::Child { stage, .. } => shares_threads(stage),
        Work::Inline { .. } | Work::Program { .. } => false,
    }
}

/// The same of a stage by name.
pub(super) fn shares_threads(stage: &str) -> bool {
    Catalog::builtin().get(stage).is_some_and(|stage| stage.spec.parallel)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On two cores, a sort beside a training must not cost it half of its threads for hours.
    #[test]
    fn a_light_stage_takes_no_threads_from_a_heavy_one() {
        assert!(shares_threads("train_als") && shares_threads("etl"));
        assert!(
            !shares_threads("create_futures") && !shares_threads("find_model") && !shares_threads("shell") && !shares_threads("branch")
        );
    }
}
