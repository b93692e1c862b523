//! Joins below a branch that every outcome of the branch skips.
//!
//! With the default rule, a task that needs both sides of a branch never runs: one side is always skipped, and
//! `all_success` passes the skip on. Airflow's users meet this as "my join is skipped"; here it is a warning.

use super::Checked;
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::model::TriggerRule;

/// Edges below branches × sides that are looked at. Beyond it the warning is left out, so that no document takes
/// long; real ones stay far below.
const MAX_WORK: usize = 2_000_000;

/// Warns of each task that is skipped whichever side a branch takes, though no task that it needs is always skipped.
pub(super) fn warn(checked: &Checked<'_>, findings: &mut Findings) {
    let Some(order) = checked.graph.order() else { return };
    let mut work = 0;
    for branch in 0..checked.document.tasks.len() {
        let Some(sides) = sides(checked, branch) else { continue };
        let mut is_below = vec![false; checked.graph.len()];
        for task in checked.graph.descendants(branch) {
            is_below[task] = true;
        }
        let below: Vec<usize> = order.iter().copied().filter(|task| is_below[*task]).collect();
        let edges: usize = below.iter().map(|task| checked.graph.needs(*task).len()).sum();
        work += (edges + checked.graph.len()) * sides.len();
        if work > MAX_WORK {
            return;
        }
        let always = skipped_by_all(checked, branch, &sides, &below);
        for &task in below.iter().filter(|task| always[**task]) {
            let comes_from_above = checked.graph.needs(task).iter().any(|need| always[*need]);
            // What no side names is reported as that.
            if !comes_from_above && checked.graph.below(branch).binary_search(&task).is_err() {
                findings.push(diagnostic(checked, branch, task));
            }
        }
    }
}

/// The tasks of each side, if `branch` is one without mistakes.
fn sides(checked: &Checked<'_>, branch: usize) -> Option<Vec<Vec<usize>>> {
    let (_, sides) = checked.document.tasks[branch].branch.as_ref()?;
    let number = |id: &str| checked.numbers.get(id).copied();
    let sides: Option<Vec<Vec<usize>>> = sides.iter().map(|side| side.to.iter().map(|target| number(&target.value)).collect()).collect();
    sides.filter(|sides| sides.len() > 1 && sides.iter().all(|side| !side.is_empty()))
}

/// Which tasks are skipped by every side, if all that runs succeeds.
fn skipped_by_all(checked: &Checked<'_>, branch: usize, sides: &[Vec<usize>], below: &[usize]) -> Vec<bool> {
    let mut always = vec![false; checked.graph.len()];
    for task in below {
        always[*task] = true;
    }
    for side in sides {
        let mut refused = vec![false; checked.graph.len()];
        for task in checked.graph.below(branch) {
            refused[*task] = true;
        }
        for task in side {
            refused[*task] = false;
        }
        let mut skipped = vec![false; checked.graph.len()];
        for &task in below {
            let needs = checked.graph.needs(task);
            let skips = needs.iter().filter(|need| skipped[**need]).count();
            skipped[task] = refused[task] || passes_skip_on(rule(checked, task), skips, needs.len());
            always[task] &= skipped[task];
        }
    }
    always
}

/// Whether a task is skipped because `skips` of its `needs` upstream tasks are, the others having succeeded.
fn passes_skip_on(rule: TriggerRule, skips: usize, needs: usize) -> bool {
    match rule {
        TriggerRule::AllSuccess | TriggerRule::AllFailed | TriggerRule::NoneSkipped => skips > 0,
        TriggerRule::OneSuccess | TriggerRule::OneFailed | TriggerRule::OneDone | TriggerRule::NoneFailedMinOneSuccess => skips == needs,
        // `all_skipped` is skipped by a success, never by a skip.
        TriggerRule::AllSkipped
        | TriggerRule::AllDone
        | TriggerRule::AllDoneMinOneSuccess
        | TriggerRule::NoneFailed
        | TriggerRule::Always => false,
    }
}

fn rule(checked: &Checked<'_>, task: usize) -> TriggerRule {
    checked.document.tasks[task].trigger_rule.as_ref().map(|rule| rule.value).unwrap_or_default()
}

fn diagnostic(checked: &Checked<'_>, branch: usize, task: usize) -> Diagnostic {
    let (branch, task_) = (&checked.document.tasks[branch], &checked.document.tasks[task]);
    let span = task_.trigger_rule.as_ref().map_or(task_.id.span, |rule| rule.span);
    let message = format!("`{}` is skipped whichever side `{}` takes", task_.id.value, branch.id.value);
    let label = format!("its rule `{}` passes a skip on", rule(checked, task));
    Diagnostic::warning("always-skipped", span, message)
        .label(label)
        .related(branch.id.span, "one side of this branch is always skipped")
        .hint("for a join below a branch, write `trigger_rule: none_failed_min_one_success`")
}
