//! What a task says of how much may run at once.

use super::RawLimits;
use super::fields::Fields;
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::model::TaskId;

pub(super) fn read(task: &Fields<'_>, findings: &mut Findings) -> RawLimits {
    let pool = task.text("pool", findings);
    if let Some(pool) = &pool
        && TaskId::new(&pool.value).is_none()
    {
        let error = Diagnostic::error("invalid-name", pool.span, format!("`{}` cannot be the name of a pool", pool.value));
        findings.push(error.hint("a name is a letter, then letters, digits, `_` or `-`"));
    }
    if let (None, Some(entry)) = (task.get("pool"), task.get("pool_slots")) {
        let error = Diagnostic::error("missing-key", entry.key.span, "`pool_slots` says nothing without `pool`");
        findings.push(error.hint("name the pool whose slots the task takes"));
    }
    if let (Some(branch), Some(entry)) = (task.get("branch"), task.get("pool")) {
        let error = Diagnostic::error("stage-or-branch", entry.key.span, "a branch takes no slots of a pool: it only decides");
        findings.push(error.related(branch.key.span, "the branch"));
    }
    RawLimits {
        pool,
        pool_slots: task.whole("pool_slots", 1..=10_000, findings),
        priority: task.signed("priority", -1_000..=1_000, findings),
        max_active: task.whole("max_active", 1..=10_000, findings),
    }
}
