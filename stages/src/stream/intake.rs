//! Claims: files are taken, adopted from the dead, finished, or given back. See the module above for the rules.
//!
//! Named places of death: `stream.after_record`, `stream.after_claim`, `stream.before_archive`, `stream.after_archive`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::arrivals::Arrival;
use super::moves::{is_same_file, move_where_only_we_write, move_without_replacing};
use super::read::{check_unchanged, is_unchanged};
use super::record::{Claim, ClaimedFile, Registry, Stamp, file_name};
use crate::context::{Context, PublishKey};
use crate::error::{Result, StageError};
use crate::failpoint;
use crate::storage::parent;

/// The folder, beside the files, in which claimed ones lie.
const CLAIMED: &str = ".claimed";

/// The folder, beside the files, in which those lie that were read.
const ARCHIVE: &str = "archive";

/// What happens to a file whose ratings are in the datasets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum After {
    /// It is moved to the folder `archive` beside it, with the time before its name.
    #[default]
    Archive,
    /// It is deleted.
    Delete,
}

/// The files of one output, from their arrival to their end. One process at a time has it.
#[derive(Debug)]
pub(crate) struct Intake<'a> {
    registry: Registry<'a>,
    context: &'a Context,
}

impl<'a> Intake<'a> {
    /// Waits until nobody else takes in files for the folder `output`.
    pub(crate) fn open(output: &Path, context: &'a Context) -> Result<Self> {
        Ok(Self { registry: Registry::open(output, context)?, context })
    }

    /// Finishes every claim whose work was published, and returns the others: attempts that died before they published left them.
    pub(crate) fn settle(&self, is_published: impl Fn(&PublishKey) -> Result<bool>) -> Result<Vec<Claim>> {
        let mut left = Vec::new();
        for claim in self.registry.claims()? {
            if is_published(&claim.publish_key)? {
                self.context.info(format!("`{}` had published its stream files and died: putting them away", claim.publish_key));
                left.extend(self.finish(claim)?);
            } else {
                left.push(claim);
            }
        }
        Ok(left)
    }

    /// Claims the files that arrived, and those of `left`, for the work at hand.
    pub(crate) fn take(&self, left: &[Claim], arrivals: &[Arrival], after: After) -> Result<Claim> {
        let mut claim = Claim::new(self.context.publish_key.clone());
        for file in left.iter().flat_map(|old| &old.files) {
            claim.files.extend(self.adopt(file)?);
        }
        for file in &claim.files {
            self.context.info(format!("taking over `{}`, which an attempt that died had claimed", file.claimed));
        }
        let adopted = claim.files.len();
        for arrival in arrivals {
            claim.files.extend(self.plan(arrival, after, &claim));
        }
        if !claim.files.is_empty() {
            self.registry.write(&claim)?;
            failpoint::hit("stream.after_record");
        }
        for old in left {
            // A folder that was made for a file which then never moved.
            self.remove_emptied(old)?;
            if old.publish_key != claim.publish_key || claim.files.is_empty() {
                self.registry.forget(&old.publish_key)?;
            }
        }
        let new = claim.files.split_off(adopted);
        for file in new {
            if self.move_aside(&file)? {
                claim.files.push(file);
            }
        }
        failpoint::hit("stream.after_claim");
        Ok(claim)
    }

    /// A file that a dead attempt claimed, as it is now; none if it never moved, was given back or archived.
    fn adopt(&self, file: &ClaimedFile) -> Result<Option<ClaimedFile>> {
        let claimed = self.path(&file.claimed);
        if is_same_file(&self.path(&file.original), &claimed) {
            // It was being given back: it has arrived again.
            self.context.storage.remove_file(&claimed).map_err(|error| StageError::io("remove", &claimed, &error))?;
            return Ok(None);
        }
        let stamp = Stamp::of(&claimed).map_err(|error| StageError::io("open", &claimed, &error))?;
        Ok(stamp.map(|stamp| ClaimedFile { stamp, adopted: true, ..file.clone() }))
    }

    /// Where a file that arrived is to go; none if its name cannot be written down.
    fn plan(&self, arrival: &Arrival, after: After, claim: &Claim) -> Option<ClaimedFile> {
        let context = self.context;
        let (folder, name) = (parent(&arrival.path), arrival.path.file_name()?.to_str()?);
        let claimed = fresh(|n| folder.join(CLAIMED).join(format!("{}.{n}", file_name(&context.publish_key))).join(name));
        let archive = (after == After::Archive).then(|| {
            let time = context.clock.now().strftime("%Y-%m-%dT%H%M%SZ").to_string();
            let planned: BTreeSet<&str> = claim.files.iter().filter_map(|file| file.archive.as_deref()).collect();
            let path = (1..).map(|n| folder.join(ARCHIVE).join(numbered(&time, n, name)));
            let free = |path: &PathBuf| fs::symlink_metadata(path).is_err() && !planned.contains(context.display(path).as_str());
            path.into_iter().find(free).map(|path| context.display(&path))
        });
        Some(ClaimedFile {
            original: context.display(&arrival.path),
            claimed: context.display(&claimed),
            archive: archive.flatten(),
            stamp: arrival.stamp.clone(),
            adopted: false,
        })
    }

    /// The claim itself: one rename. False if somebody else took the file in the meantime.
    fn move_aside(&self, file: &ClaimedFile) -> Result<bool> {
        let storage = self.context.storage.as_ref();
        let (from, to) = (self.path(&file.original), self.path(&file.claimed));
        let folder = parent(&to);
        storage.create_dir_all(folder).map_err(|error| StageError::io("create", folder, &error))?;
        match storage.rename(&from, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.context.info(format!("`{}` is gone: somebody else took it", file.original));
                return Ok(false);
            }
            moved => moved.map_err(|error| StageError::io("claim", &from, &error))?,
        }
        // The folder `.claimed` itself too: a name is as durable as the names above it.
        for folder in [folder, parent(folder), parent(&from)] {
            storage.sync_dir(folder).map_err(|error| StageError::io("claim", &from, &error))?;
        }
        Ok(true)
    }

    /// That every file is as it was when it was claimed. The last look before the ratings are published.
    pub(crate) fn check_unchanged(&self, claim: &Claim) -> Result<()> {
        claim.files.iter().try_for_each(|file| check_unchanged(file, self.context))
    }

    /// Archives or deletes the files of a claim whose ratings are published, and forgets the claim. What must be read again and could not be
    /// put back stays claimed, and is returned.
    pub(crate) fn finish(&self, mut claim: Claim) -> Result<Option<Claim>> {
        failpoint::hit("stream.before_archive");
        let mut again = Vec::new();
        for file in &claim.files {
            if !self.put_away(file)? {
                again.push(file.clone());
            }
        }
        failpoint::hit("stream.after_archive");
        self.remove_emptied(&claim)?;
        if again.is_empty() {
            return self.registry.forget(&claim.publish_key).map(|()| None);
        }
        claim.files = again;
        Ok(Some(claim))
    }

    /// Whether the file is where it belongs. One that changed after it was read is put back: its ratings that are there already fold into
    /// themselves when it is read again, and those that were added count then.
    fn put_away(&self, file: &ClaimedFile) -> Result<bool> {
        let (storage, claimed) = (self.context.storage.as_ref(), self.path(&file.claimed));
        if fs::symlink_metadata(&claimed).is_err() {
            return Ok(true);
        }
        if !is_unchanged(file, &claimed)? {
            self.context.warn(format!("`{}` changed after it was read: it will be read again", file.original));
            return self.put_back(file);
        }
        let failed = |error| StageError::io("archive", &claimed, &error);
        let Some(archive) = &file.archive else {
            return storage.remove_file(&claimed).and_then(|()| storage.sync_dir(parent(&claimed))).map(|()| true).map_err(failed);
        };
        let mut archive = self.path(archive);
        storage.create_dir_all(parent(&archive)).map_err(failed)?;
        let name = archive.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut n = 1;
        while !move_where_only_we_write(storage, &claimed, &archive).map_err(failed)? {
            // Somebody put a file of that name there.
            n += 1;
            archive = archive.with_file_name(format!("{n}-{name}"));
        }
        for folder in [parent(&archive), parent(parent(&archive)), parent(&claimed)] {
            storage.sync_dir(folder).map_err(failed)?;
        }
        Ok(true)
    }

    /// Gives the files of a claim that was not published back, for people to mend or for the next run. One whose place is taken stays
    /// claimed, and is adopted by the next run.
    pub(crate) fn give_back(&self, claim: &Claim) -> Result<()> {
        let mut all = true;
        // What arrived last first: if two want one place, the one that people saw there gets it.
        for file in claim.files.iter().rev() {
            all &= self.put_back(file)?;
        }
        self.remove_emptied(claim)?;
        if all { self.registry.forget(&claim.publish_key) } else { Ok(()) }
    }

    /// Whether there is nothing left at the place of the claim.
    fn put_back(&self, file: &ClaimedFile) -> Result<bool> {
        let (claimed, original) = (self.path(&file.claimed), self.path(&file.original));
        if fs::symlink_metadata(&claimed).is_err() {
            return Ok(true);
        }
        let storage = self.context.storage.as_ref();
        let moved = move_without_replacing(storage, &claimed, &original).is_ok_and(|moved| moved);
        if moved {
            storage.sync_dir(parent(&original)).map_err(|error| StageError::io("move", &claimed, &error))?;
        } else {
            self.context
                .warn(format!("`{}` could not be put back to `{}`: it stays, and the next run reads it", file.claimed, file.original));
        }
        Ok(moved)
    }

    /// Removes the folders that a claim leaves empty. The one folder for all claims stays.
    fn remove_emptied(&self, claim: &Claim) -> Result<()> {
        let folders: BTreeSet<PathBuf> = claim.files.iter().map(|file| parent(&self.path(&file.claimed)).to_owned()).collect();
        for folder in folders {
            if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_none()) {
                self.context.storage.remove_dir_all(&folder).map_err(|error| StageError::io("remove", &folder, &error))?;
            }
        }
        Ok(())
    }

    fn path(&self, recorded: &str) -> PathBuf {
        self.context.workspace.join(recorded)
    }
}

/// The first of the paths `path(1)`, `path(2)`, … where nothing is.
fn fresh(path: impl Fn(u32) -> PathBuf) -> PathBuf {
    let mut n = 1;
    while fs::symlink_metadata(path(n)).is_ok() {
        n += 1;
    }
    path(n)
}

/// `TIME-NAME`, then `TIME-2-NAME`, …
fn numbered(time: &str, n: u32, name: &str) -> String {
    if n == 1 { format!("{time}-{name}") } else { format!("{time}-{n}-{name}") }
}

#[cfg(test)]
mod tests;
