//! Going back to an older snapshot: a publication like any other, whose files are those of the older one.
//!
//! The link could simply be pointed at the old snapshot. It is not, because numbers that only rise are what the rest stands on:
//!
//! - *readers* would cope with either: they hold their snapshot's manifest locked, and the next one to open finds a whole snapshot;
//! - *publish keys*: snapshots above the current one count as publications on their way. A task that published the bad
//!   snapshot and is resumed later would not find its key, do its work again and so undo the rollback in silence. As a new
//!   snapshot on top, the rollback leaves the key where it is found;
//! - *history*: who went back, when and to what is a fact about the dataset. It stands in the manifest (`restores`, and a
//!   publish key of its own), and going forward again is the same verb;
//! - *faults*: a new snapshot goes through the one commit path that is proven against a crash at every step.
//!
//! It costs a hard link for each file (a copy where the file system has no links); no row is read.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::keep::keep_all;
use super::manifest::Manifest;
use super::open::{Dataset, history};
use super::slot::Outcome;
use super::transaction::{Begin, Transaction};
use crate::context::Context;
use crate::error::{Result, StageError};

/// What a rollback did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DatasetRolledBack")]
pub struct RolledBack {
    /// The number of the snapshot that is current now.
    pub snapshot: u64,
    /// The snapshot whose content it has.
    pub restores: u64,
    /// The snapshot that was current before.
    pub replaces: u64,
    /// Rows now.
    pub rows: u64,
    /// Content fingerprint, that of the restored snapshot.
    pub fingerprint: String,
}

/// Makes the content of an older snapshot of the dataset at `path` current again, as a new snapshot. The context's publish key must be
/// of this one rollback.
///
/// Without `to`: the newest kept one that is older than the content that is current, so that doing it again goes further back.
///
/// # Errors
/// Nothing at `path`; a plain folder, which has no history; a snapshot that is not kept or is current; cancellation.
pub fn rollback(path: &Path, to: Option<u64>, context: &Context) -> Result<RolledBack> {
    let name = context.display(path);
    // Before a transaction, which would make a folder for a dataset that is to begin.
    let dataset = Dataset::open(path, context)?;
    if dataset.manifest().snapshot == 0 {
        return Err(StageError::input(format!("`{name}` has no snapshots: it is a plain folder that another program wrote"))
            .with_hint("the first stage that writes to it keeps what is there as a snapshot"));
    }
    drop(dataset);
    let Begin::Open(mut transaction) = Transaction::begin(&[path], context)? else {
        return Err(StageError::bug(format!("the publish key `{}` of a rollback was used before", context.publish_key)));
    };
    let kept = history(path)?;
    let target = choose(&kept, to, &name)?;
    let replaces = kept.first().map_or(0, |current| current.snapshot);
    let target = Dataset::open_snapshot(path, target, context)?;
    let snapshot = transaction.restore(0, &target)?;
    let restores = origin(target.manifest());
    let done = RolledBack { snapshot, restores, replaces, rows: target.rows(), fingerprint: target.fingerprint().to_owned() };
    transaction.commit(&done)?;
    Ok(done)
}

/// The snapshot that the content of `manifest` was first published as.
fn origin(manifest: &Manifest) -> u64 {
    manifest.restores.unwrap_or(manifest.snapshot)
}

/// The number of the snapshot to go back to, of those that are kept, newest (the current one) first.
fn choose(kept: &[Manifest], to: Option<u64>, name: &str) -> Result<u64> {
    let numbers = kept.iter().skip(1).map(|manifest| manifest.snapshot.to_string()).collect::<Vec<_>>().join(", ");
    let others =
        if numbers.is_empty() { "no other snapshot is kept".to_owned() } else { format!("kept beside the current one: {numbers}") };
    let Some(current) = kept.first() else { return Err(StageError::bug(format!("`{name}` has no current snapshot"))) };
    match to {
        Some(to) if to == current.snapshot => {
            Err(StageError::input(format!("snapshot {to} of `{name}` is the current one")).with_hint(others))
        }
        Some(to) if kept.iter().all(|manifest| manifest.snapshot != to) => {
            Err(StageError::input(format!("`{name}` has no snapshot {to}")).with_hint(others))
        }
        Some(to) => Ok(to),
        None => kept
            .iter()
            .map(|manifest| manifest.snapshot)
            .find(|&snapshot| snapshot < origin(current))
            .ok_or_else(|| StageError::input(format!("`{name}` has no snapshot older than the current content")).with_hint(others)),
    }
}

impl Transaction<'_> {
    /// Makes the next snapshot of dataset `index` one with the files of `source`, an older snapshot of it. Returns its number.
    fn restore(&mut self, index: usize, source: &Dataset) -> Result<u64> {
        let (context, slot) = (self.context, &mut self.slots[index]);
        keep_all(source, &slot.location.root.join(".next"), context)?;
        let restores = Some(origin(source.manifest()));
        let manifest = Manifest { snapshot: slot.next, mode: None, restores, ..source.manifest().clone() };
        slot.outcome = Some(Outcome::Next(Box::new(manifest)));
        Ok(slot.next)
    }
}
