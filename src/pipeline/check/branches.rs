//! Branches: where the sides lead, and which of them can be taken.

use std::collections::HashSet;

use super::Checked;
use super::references::Viewpoint;
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::document::RawSide;
use crate::pipeline::model::Side;
use crate::pipeline::source::{Span, Spanned};

impl Checked<'_> {
    /// Checks and builds the sides of the branch `number`.
    pub(super) fn sides(&self, number: usize, raw: &[RawSide<'_>], findings: &mut Findings) -> Vec<Side> {
        self.report_open_sides(raw, findings);
        let mut sides = Vec::with_capacity(raw.len());
        for side in raw {
            let when = side.when.and_then(|node| self.condition(node, Viewpoint::Task(number), findings));
            let to = side.to.iter().filter_map(|target| self.target(number, target, findings)).collect();
            sides.push(Side { when, to });
        }
        self.warn_unnamed(number, &sides, findings);
        sides
    }

    /// At most one side is without `when`, the last: what stands after it could never be taken.
    fn report_open_sides(&self, raw: &[RawSide<'_>], findings: &mut Findings) {
        let Some(last) = raw.len().checked_sub(1) else { return };
        for side in raw[..last].iter().filter(|side| side.when.is_none()) {
            let error =
                Diagnostic::error("branch-side", side.span, "only the last side may be without `when`: those after it are never taken");
            findings.push(error.hint("give it a `when`, or move it to the end"));
        }
    }

    fn target(&self, number: usize, target: &Spanned<String>, findings: &mut Findings) -> Option<usize> {
        let branch = &self.document.tasks[number].id.value;
        let Some(&task) = self.numbers.get(target.value.as_str()) else {
            let below = self.graph.below(number).iter().map(|task| self.document.tasks[*task].id.value.as_str());
            let hint = findings.did_you_mean(&target.value, below);
            findings.push(Diagnostic::error("unknown-task", target.span, format!("no task is called `{}`", target.value)).hint_if(hint));
            return None;
        };
        if !self.graph.needs(task).contains(&number) {
            let message = format!("`{}` is not directly below `{branch}`, so this side cannot choose it", target.value);
            let error = Diagnostic::error("branch-side", target.span, message);
            let error = error.related(self.document.tasks[task].id.span, format!("this task does not need {branch}"));
            findings.push(error.hint(format!("add `{branch}` to the `needs` of `{}`", target.value)));
            return None;
        }
        Some(task)
    }

    /// A task directly below that no side names is skipped in every run.
    fn warn_unnamed(&self, number: usize, sides: &[Side], findings: &mut Findings) {
        let named: HashSet<usize> = sides.iter().flat_map(|side| &side.to).copied().collect();
        let branch = &self.document.tasks[number];
        if branch.branch.as_ref().is_none_or(|(_, sides)| sides.iter().any(|side| side.to.is_empty())) {
            return; // A side with a mistake may be the one that names it.
        }
        for &task in self.graph.below(number).iter().filter(|task| !named.contains(task)) {
            let below = &self.document.tasks[task];
            let message = format!("`{}` is always skipped: no side of `{}` leads to it", below.id.value, branch.id.value);
            let need = below.needs.iter().find(|need| need.value == branch.id.value);
            let span: Span = need.map_or(below.id.span, |need| need.span);
            findings.push(Diagnostic::warning("always-skipped", span, message).hint("name it in a side, or remove the need"));
        }
    }
}
