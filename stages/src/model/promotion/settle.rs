//! Makes a decision true: writes its record and, if it promotes, replaces the link.

use std::path::Path;

use super::history::History;
use super::pointer::{self, Pointer};
use super::record::{Comparison, Decision, FORMAT, Promotion};
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::failpoint;
use crate::model::publish::lock;
use crate::model::record::to_created_at;
use crate::model::versions::{self, Which};

/// A decision that is about to be recorded.
#[derive(Debug, Clone)]
pub struct Draft {
    /// How it came about.
    pub decision: Decision,
    /// Whether the version shall become current.
    pub promoted: bool,
    /// The version in question.
    pub version: String,
    /// The record of the promotion that a rollback goes back to.
    pub restores: Option<u64>,
    /// Why, in words.
    pub reason: String,
    /// What was measured.
    pub comparison: Option<Comparison>,
}

/// Records `draft`, provided that `current` in `models` is still what it was when the decision was made, `seen`. Returns `None`, and
/// changes nothing, if somebody else promoted meanwhile: the decision has to be made again.
///
/// # Errors
/// The version is not there any more; I/O trouble. Then nothing changed, or all of it.
pub fn settle(models: &Path, draft: Draft, seen: Option<&Pointer>, context: &Context) -> Result<Option<Promotion>> {
    let _decisions = lock(models)?;
    let history = History::read(models, context)?;
    if history.pointer.as_ref() != seen {
        return Ok(None);
    }
    if draft.promoted {
        versions::find(models, &Which::Named(draft.version.clone()), context)?;
    }
    record(models, draft, &history, context).map(Some)
}

/// Writes the record and switches. The caller holds the lock.
fn record(models: &Path, draft: Draft, history: &History, context: &Context) -> Result<Promotion> {
    let Draft { decision, promoted, version, restores, reason, comparison } = draft;
    let promotion = Promotion {
        format: FORMAT,
        number: history.next,
        decided_at: to_created_at(context.clock.now()),
        publish_key: context.publish_key.clone(),
        decision,
        promoted,
        version,
        previous: history.current_version().map(str::to_owned),
        replaces: history.head().map(|head| head.number),
        restores,
        reason,
        comparison,
    };
    promotion.write(models, &*context.storage)?;
    if promotion.promoted {
        failpoint::hit("promote.before_switch");
        let pointer = Pointer { version: promotion.version.clone(), record: Some(promotion.number) };
        pointer::switch(models, &pointer, &*context.storage)?;
        failpoint::hit("promote.after_switch");
    }
    Ok(promotion)
}

/// Makes `version` current because a person says so. `None` if it is already, by a recorded decision.
///
/// # Errors
/// No such version, or a broken one; I/O trouble.
pub fn by_hand(models: &Path, version: &str, reason: &str, context: &Context) -> Result<Option<Promotion>> {
    let version = versions::find(models, &Which::from(version), context)?.name;
    let _decisions = lock(models)?;
    let history = History::read(models, context)?;
    if history.current().is_some_and(|current| current.version == version) {
        return Ok(None);
    }
    let reason = reason.to_owned();
    let draft = Draft { decision: Decision::Person, promoted: true, version, restores: None, reason, comparison: None };
    record(models, draft, &history, context).map(Some)
}

/// Makes the version current again that was so before the current one.
///
/// # Errors
/// Nothing was current before, or it is not there any more; I/O trouble.
pub fn rollback(models: &Path, reason: Option<&str>, context: &Context) -> Result<Promotion> {
    if !models.is_dir() {
        return Err(nothing_before(models, context));
    }
    let _decisions = lock(models)?;
    let history = History::read(models, context)?;
    let complete = versions::list(models, context)?;
    let is_there = |name: &str| complete.iter().any(|version| version.name == name);
    let Some((version, restores)) = history.before(is_there) else { return Err(nothing_before(models, context)) };
    let reason = reason.map_or_else(|| "rolled back".to_owned(), str::to_owned);
    let draft = Draft { decision: Decision::Rollback, promoted: true, version, restores, reason, comparison: None };
    record(models, draft, &history, context)
}

fn nothing_before(models: &Path, context: &Context) -> StageError {
    StageError::input(format!("no version in `{}` was current before and is still there", context.display(models)))
        .with_hint("`recflow models` lists the versions; `recflow models promote VERSION` makes one current")
}
