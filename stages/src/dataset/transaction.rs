//! Publishing: one or more datasets change together or not at all.
//!
//! ```text
//! let transaction = match Transaction::begin(&[&train, &test], context)? {
//!     Begin::Published(output) => return Ok(output),       // an earlier try of the same work got this far
//!     Begin::Open(transaction) => transaction,
//! };
//! let train = transaction.write(0, change, &layout)?;      // a new snapshot beside the current one
//! let test = transaction.write(1, change, &layout)?;
//! transaction.commit(&output)                              // both are current, with the output recorded in their manifests
//! ```
//! The locks of all datasets are held from `begin` to the end, so the base cannot change underneath: two runs never lose an update.
//! A transaction that is dropped without a commit removes what it wrote.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::ids;
use super::journal::{self, Member};
use super::location::{Current, Location};
use super::lock::Locks;
use super::manifest::Manifest;
use super::new_rows::NewRows;
use super::open::Dataset;
use super::options::{Layout, Mode, RatingType, RatingTypeChoice};
use super::prune::{SNAPSHOTS_KEPT, prune};
use super::record;
use super::slot::{Outcome, Slot, check_ids};
use super::snapshot::{self, Recipe};
use super::unchanged;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::names::Names;
use crate::storage::parent;

/// How a publication begins.
#[derive(Debug)]
pub enum Begin<'a> {
    /// A kept snapshot of every dataset bears the context's publish key, or is recorded to have been left as it is by the work: it was done,
    /// this is what it returned.
    Published(Value),
    /// The work is still to do.
    Open(Transaction<'a>),
}

/// What happens to one dataset.
#[derive(Debug)]
pub struct Change<'a> {
    /// The new rows, in any order.
    pub rows: NewRows<'a>,
    /// What happens to the rows that are there.
    pub mode: Mode,
    /// The type of the `RATING` column.
    pub rating_type: RatingTypeChoice,
}

/// A dataset after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Number of the new snapshot; of the current one if nothing changed.
    pub snapshot: u64,
    /// Whether there is a new snapshot. An upsert of rows that are all there leaves the dataset as it is.
    pub changed: bool,
    /// Rows in the dataset.
    pub rows: u64,
    /// Rows that were folded into another with the same movie, user and date. Rows of an adopted folder that hold a null count nowhere.
    pub duplicates: u64,
    /// Files in the dataset.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Content fingerprint.
    pub fingerprint: String,
    /// The type of the `RATING` column.
    pub rating_type: RatingType,
}

/// Datasets being changed. See the module's description.
#[derive(Debug)]
pub struct Transaction<'a> {
    pub(super) context: &'a Context,
    pub(super) slots: Vec<Slot>,
    // After `slots` and used until the end of `drop`: what a failed attempt wrote is removed under the locks.
    _locks: Locks,
}

/// What the context's piece of work returned, if every dataset of `paths` keeps a snapshot that bears its publish key.
///
/// Worth asking before expensive work; [`Transaction::begin`] asks again under the locks.
pub fn published(paths: &[&Path], context: &Context) -> Result<Option<Value>> {
    let (mut output, mut locations) = (None, Vec::with_capacity(paths.len()));
    for path in paths {
        let location = Location::of(path)?;
        journal::finish(&location, context)?;
        match published_in(&location, context)? {
            None => return Ok(None),
            found => output = output.or(found),
        }
        locations.push(location);
    }
    // Nobody publishes now who would tidy up after a death at the very end. If that fails or others are at work, the next one will.
    let _ = tidy(&locations, context);
    Ok(output)
}

fn tidy(locations: &[Location], context: &Context) -> Result<()> {
    let Some(_locks) = Locks::try_take(locations)? else { return Ok(()) };
    locations.iter().try_for_each(|location| journal::forget(location, context.storage.as_ref()))
}

fn published_in(location: &Location, context: &Context) -> Result<Option<Value>> {
    let Current::Snapshot(current) = location.current()? else { return Ok(None) };
    for snapshot in location.snapshots()?.into_iter().rev().filter(|&snapshot| snapshot <= current) {
        if let Some(manifest) = Manifest::read(&location.manifest_file(snapshot))?
            && manifest.publish_key.as_ref() == Some(&context.publish_key)
        {
            return Ok(Some(manifest.output));
        }
        if let Some(output) = unchanged::output_of(location, snapshot, &context.publish_key)? {
            return Ok(Some(output));
        }
    }
    Ok(None)
}

impl<'a> Transaction<'a> {
    /// Takes the locks of the datasets at `paths`, waiting for other publishers, finishes or forgets what dead ones left, and opens
    /// the current snapshots. Where nothing is yet, an empty dataset begins.
    ///
    /// # Errors
    /// The same dataset twice; a path that is a file or a folder of something else; a file system without symbolic links; cancellation while
    /// waiting.
    pub fn begin(paths: &[&Path], context: &'a Context) -> Result<Begin<'a>> {
        let mut locations = Vec::with_capacity(paths.len());
        for path in paths {
            journal::make_dir(context.storage.as_ref(), parent(path))?;
            let location = Location::of(path)?;
            if locations.contains(&location) {
                return Err(StageError::input(format!("`{}` is named twice: each output needs a path of its own", context.display(path))));
            }
            location.current()?;
            if location.as_snapshot().is_some() {
                return Err(StageError::input(format!("`{}` is a snapshot, which never changes", context.display(path)))
                    .with_hint("give the path of the dataset itself"));
            }
            journal::make_dir(context.storage.as_ref(), &location.root)?;
            locations.push(location);
        }
        let locks = lock_settled(&locations, context)?;
        let found = locations.iter().map(|location| published_in(location, context)).collect::<Result<Vec<_>>>()?;
        if let Some(outputs) = found.into_iter().collect::<Option<Vec<Value>>>()
            && let Some(output) = outputs.into_iter().next()
        {
            return Ok(Begin::Published(output));
        }
        for location in &locations {
            journal::check_switchable(location, context)?;
        }
        let slots = locations.into_iter().map(|location| Slot::open(location, context)).collect::<Result<_>>()?;
        Ok(Begin::Open(Self { context, slots, _locks: locks }))
    }

    /// The current snapshot of dataset `index` (in the order of `begin`); none if nothing is there yet.
    pub fn base(&self, index: usize) -> Option<&Dataset> {
        self.slots[index].base.as_ref()
    }

    /// Says what the numbers of users and items mean that [`Self::write`] will be given for dataset `index`, and those that are there.
    /// Names must continue those of the base. A writer that does not call this is refused by a base that has names.
    pub fn name_ids(&mut self, index: usize, names: Names) {
        self.slots[index].names = Some(names);
    }

    /// Writes the next snapshot of dataset `index`, unless it would be equal to the current one. Nobody sees it before the commit.
    ///
    /// # Errors
    /// Half stars for a dataset of whole stars; added columns that cannot be kept; a dataset of named ids and no names for it; a full
    /// disk; cancellation.
    pub fn write(&mut self, index: usize, change: Change<'_>, layout: &Layout) -> Result<Written> {
        let (context, slot) = (self.context, &mut self.slots[index]);
        let name = context.display(&slot.location.path);
        let base = slot.base.as_ref().filter(|_| change.mode != Mode::Overwrite);
        let existing = base.filter(|base| base.rows() > 0).map(|base| base.manifest().rating_type);
        check_ids(base, slot.names.as_ref(), &name)?;
        let rating_type = change.rating_type.resolve(existing, change.rows.has_halves(), &name)?;
        let before = base.map_or(0, Dataset::rows) + change.rows.len();
        let names = slot.names.as_ref().filter(|names| !names.is_empty());
        let ids = names.map(|names| ids::store(names, &slot.location, context.storage.as_ref())).transpose()?;
        // A plain folder becomes a snapshot even if no row changes: from then on it has a history. Names that are new make one too.
        let may_skip = matches!(slot.current, Current::Snapshot(_)) && base.is_some_and(|base| base.manifest().ids == ids);
        let recipe = Recipe { base, rows: change.rows, mode: change.mode, rating_type, layout, may_skip };
        let next = snapshot::write(recipe, &slot.location.root.join(".next"), context)?;
        let describe = |manifest: &Manifest, changed| Written {
            snapshot: manifest.snapshot,
            changed,
            rows: manifest.rows,
            duplicates: before - manifest.rows,
            files: manifest.files,
            bytes: manifest.bytes,
            fingerprint: manifest.fingerprint.clone(),
            rating_type,
        };
        let (written, outcome) = match (next, base) {
            (Some(manifest), _) => {
                let mut manifest = match ids {
                    Some(ids) => manifest.with_ids(ids),
                    None => manifest,
                };
                (manifest.snapshot, manifest.mode) = (slot.next, Some(change.mode));
                (describe(&manifest, true), Outcome::Next(Box::new(manifest)))
            }
            (None, Some(base)) => (describe(base.manifest(), false), Outcome::Unchanged(base.manifest().snapshot)),
            (None, None) => return Err(StageError::bug(format!("no snapshot was written to `{name}`, which has none"))),
        };
        slot.outcome = Some(outcome);
        Ok(written)
    }

    /// Makes all that was written current, in one step, and records `output` as what the work returned.
    ///
    /// # Errors
    /// A full disk, before the commit (nothing has changed) or after it (whoever comes next finishes the switch, and a repeated attempt
    /// is told that the work was published).
    pub fn commit(mut self, output: &impl Serialize) -> Result<()> {
        let output = serde_json::to_value(output).map_err(|error| StageError::bug(format!("an output is not JSON: {error}")))?;
        let mut members = Vec::with_capacity(self.slots.len());
        for slot in &mut self.slots {
            slot.check_unchanged()?;
            match slot.outcome.take() {
                Some(Outcome::Next(manifest)) => members.push(stamp(slot, *manifest, &output, self.context)?),
                Some(Outcome::Unchanged(snapshot)) => unchanged::record(&slot.location, snapshot, &output, self.context)?,
                None => return Err(StageError::bug(format!("nothing was written to `{}`", slot.location.path.display()))),
            }
        }
        journal::publish(&members, self.context)?;
        for Member { location, .. } in &members {
            // The publication is done; history that could not be shortened is no reason to fail it.
            if let Err(error) = prune(location, SNAPSHOTS_KEPT, self.context.storage.as_ref()) {
                self.context.warn(format!("old snapshots of `{}` remain: {error}", self.context.display(&location.path)));
            }
        }
        Ok(())
    }
}

/// Writes the manifest of a dataset's next snapshot, and of the folder that it adopts if it does.
fn stamp(slot: &Slot, manifest: Manifest, output: &Value, context: &Context) -> Result<Member> {
    let storage = context.storage.as_ref();
    let created_at = context.clock.now().to_string();
    let adopts = match (&slot.base, slot.current) {
        (Some(base), Current::Plain) => {
            let (snapshot, created_by) = (slot.next - 1, "another program".to_owned());
            let adopted = Manifest { snapshot, created_by, created_at: created_at.clone(), ..base.manifest().clone() };
            adopted.write(&slot.location.manifest_file(snapshot), storage)?;
            Some(snapshot)
        }
        _ => None,
    };
    let manifest = Manifest { created_at, publish_key: Some(context.publish_key.clone()), output: output.clone(), ..manifest };
    manifest.write(&slot.location.manifest_file(slot.next), storage)?;
    Ok(Member { location: slot.location.clone(), snapshot: slot.next, adopts })
}

impl Drop for Transaction<'_> {
    /// Without a commit: removes what was written. After one there is nothing to remove. What cannot be removed, the next publisher will.
    fn drop(&mut self) {
        for slot in &self.slots {
            let _ = journal::forget(&slot.location, self.context.storage.as_ref());
        }
    }
}

/// The locks of all datasets, none of which waits for a publication of a dead process any more.
pub(super) fn lock_settled(locations: &[Location], context: &Context) -> Result<Locks> {
    loop {
        for location in locations {
            journal::finish(location, context)?;
        }
        let locks = Locks::take(locations, context)?;
        // Finishing may need the locks of further datasets: only without holding any could that not end in a deadlock.
        let mut settled = true;
        for location in locations {
            settled &= record::committed(location)?.is_none();
        }
        if settled {
            for location in locations {
                journal::forget(location, context.storage.as_ref())?;
            }
            return Ok(locks);
        }
    }
}
