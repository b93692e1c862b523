//! Removes old versions: never the current one, one that a rollback would go to, or one that somebody reads.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::promotion::History;
use super::publish::lock;
use super::versions::{self, Version};
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::storage::temporary_beside;

/// What became of the old versions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(rename = "ModelsPruned")]
pub struct Pruned {
    /// Whether nothing was removed because only the plan was asked for.
    pub dry_run: bool,
    /// Versions that were removed, or would be, newest first.
    pub removed: Vec<Removed>,
    /// Versions that are older than those to keep and stay all the same.
    pub kept: Vec<Kept>,
}

/// A version that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ModelRemoved")]
pub struct Removed {
    /// Its name.
    pub version: String,
    /// Bytes of its files.
    pub bytes: u64,
}

/// A version that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ModelKept")]
pub struct Kept {
    /// Its name.
    pub version: String,
    /// Why, in words.
    pub why: String,
}

/// Removes all versions in `models` but the newest `keep`, the current one, the one that a rollback would go to, those for whose name
/// `is_used` holds, and those that somebody reads. Broken versions are left alone. With `dry_run` nothing is removed.
///
/// # Errors
/// I/O trouble; what was removed by then is gone.
pub fn prune(models: &Path, keep: usize, is_used: impl Fn(&str) -> bool, dry_run: bool, context: &Context) -> Result<Pruned> {
    let mut pruned = Pruned { dry_run, ..Pruned::default() };
    if !models.is_dir() {
        return Ok(pruned);
    }
    let _decisions = lock(models)?;
    let history = History::read(models, context)?;
    let complete = versions::list(models, context)?;
    let before = history.before(|name| complete.iter().any(|version| version.name == name)).map(|(version, _)| version);
    for version in complete.into_iter().skip(keep) {
        context.check_cancelled()?;
        let why = if history.current_version() == Some(&version.name) {
            Some("it is the current one")
        } else if before.as_ref() == Some(&version.name) {
            Some("a rollback would go to it")
        } else if is_used(&version.name) {
            Some("a run that is not over names it")
        } else {
            remove(models, &version, &mut pruned, context)?
        };
        pruned.kept.extend(why.map(|why| Kept { version: version.name, why: why.to_owned() }));
    }
    Ok(pruned)
}

/// Removes a version unless somebody reads it; says why not. The name goes first, in one step, so that nobody finds half a version; a
/// hidden folder that a crash leaves is removed by the next training.
fn remove(models: &Path, version: &Version, pruned: &mut Pruned, context: &Context) -> Result<Option<&'static str>> {
    let path = &version.path;
    let folder = File::open(path).map_err(|error| StageError::io("open", path, &error))?;
    match folder.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Some("somebody reads it")),
        Err(TryLockError::Error(error)) => return Err(StageError::io("lock", path, &error)),
    }
    pruned.removed.push(Removed { version: version.name.clone(), bytes: bytes(path) });
    if !pruned.dry_run {
        let hidden = temporary_beside(&models.join("version"));
        let removed = context.storage.rename(path, &hidden).and_then(|()| context.storage.remove_dir_all(&hidden));
        removed.map_err(|error| StageError::io("remove", path, &error))?;
    }
    Ok(None)
}

/// Bytes of the files in a folder and below. What cannot be read counts nothing: the figure is for people.
fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            Some(if metadata.is_dir() { bytes(&entry.path()) } else { metadata.len() })
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::promotion::{by_hand, rollback};
    use crate::model::tests::World;

    fn pruned(world: &World, keep: usize, used: &[&String]) -> (Vec<String>, Vec<(String, String)>) {
        let is_used = |name: &str| used.iter().any(|used| *used == name);
        let pruned = prune(&world.models(), keep, is_used, false, &world.context).unwrap();
        let kept = pruned.kept.into_iter().map(|kept| (kept.version, kept.why)).collect();
        (pruned.removed.into_iter().map(|removed| removed.version).collect(), kept)
    }

    fn names(world: &World) -> Vec<String> {
        let found = versions::list(&world.models(), &world.context).unwrap();
        found.into_iter().map(|version| version.name).collect()
    }

    #[test]
    fn the_newest_stay_and_so_do_the_current_one_the_one_before_it_and_those_in_use() {
        let world = World::new();
        let all: Vec<String> = (0..7).map(|_| world.another()).collect();
        for name in [&all[1], &all[3], &all[2]] {
            by_hand(&world.models(), name, "so be it", &world.context).unwrap();
        }
        let why = |name: &String, why: &str| (name.clone(), why.to_owned());
        let (removed, kept) = pruned(&world, 2, &[&all[4]]);
        assert_eq!(removed, [all[1].clone(), all[0].clone()]);
        let expected = [
            why(&all[4], "a run that is not over names it"),
            why(&all[3], "a rollback would go to it"),
            why(&all[2], "it is the current one"),
        ];
        assert_eq!(kept, expected);
        assert_eq!(names(&world), all[2..].iter().rev().cloned().collect::<Vec<_>>());
        // What was promised can be done.
        assert_eq!(rollback(&world.models(), None, &world.context).unwrap().version, all[3]);
    }

    #[test]
    fn a_version_that_is_being_read_stays() {
        let world = World::new();
        let (first, _) = (world.another(), world.another());
        let reader = File::open(world.models().join(&first)).unwrap();
        reader.lock_shared().unwrap();
        assert_eq!(pruned(&world, 1, &[]), (vec![], vec![(first.clone(), "somebody reads it".to_owned())]));
        drop(reader);
        assert_eq!(pruned(&world, 1, &[]).0, [first]);
    }

    #[test]
    fn a_dry_run_tells_names_and_sizes_and_removes_nothing() {
        let world = World::new();
        let (first, second) = (world.another(), world.another());
        let plan = prune(&world.models(), 0, |_| false, true, &world.context).unwrap();
        assert_eq!(plan.removed.iter().map(|removed| &removed.version).collect::<Vec<_>>(), [&second, &first]);
        assert!(plan.dry_run && plan.removed.iter().all(|removed| removed.bytes > 1000), "{plan:?}");
        assert_eq!(names(&world), [second, first]);
        let nowhere = world.models().join("nowhere");
        assert_eq!(prune(&nowhere, 0, |_| false, false, &world.context).unwrap(), Pruned::default());
    }

    #[test]
    fn a_removal_that_dies_half_way_leaves_no_half_version_to_find() {
        use crate::storage::{Disk, FailAfter};
        use std::sync::Arc;
        for operations in 0..2 {
            let mut world = World::new();
            let (first, second) = (world.another(), world.another());
            world.context.storage = Arc::new(FailAfter::new(Disk, operations, std::io::ErrorKind::StorageFull));
            let result = prune(&world.models(), 1, |_| false, false, &world.context);
            let expected = if result.is_ok() { vec![second.clone()] } else { vec![second.clone(), first] };
            assert_eq!(names(&world), expected, "{operations}");
        }
    }
}
