//! A copy of the store that was consistent at one instant, made while runs go on.
//!
//! SQLite writes the copy under a hidden name beside its target; it is checked, flushed, and only then gets its name, in one step. So the
//! target is a whole copy or not there, whatever dies.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use recflow_state::{Health, Reader};

/// Writes a copy of the store to `target`. An existing file is replaced only if `replace` says so.
///
/// # Errors
/// If `target` exists, is the store itself, or belongs to another database; if the copy cannot be written or is not sound. The target is
/// then as it was.
pub fn backup(store: &Reader, target: &Path, replace: bool) -> anyhow::Result<Health> {
    let target = std::path::absolute(target)?;
    check(store, &target, replace)?;
    let Some((folder, name)) = target.parent().zip(target.file_name()) else { bail!("`{}` names no file", target.display()) };
    let hidden = folder.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    // One that a dead process of the same number left.
    let _ = fs::remove_file(&hidden);
    let health = store.copy_to(&hidden)?;
    let published = publish(&hidden, &target, replace);
    if published.is_err() {
        // The error below says what matters; the next backup removes what this could not.
        let _ = fs::remove_file(&hidden);
    }
    published.with_context(|| format!("cannot write `{}`", target.display()))?;
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("cannot flush `{}`", folder.display()))?;
    Ok(health)
}

fn check(store: &Reader, target: &Path, replace: bool) -> anyhow::Result<()> {
    if let (Ok(ours), Ok(theirs)) = (fs::canonicalize(store.path()), fs::canonicalize(target))
        && ours == theirs
    {
        bail!("`{}` is the store itself", target.display());
    }
    if target.is_dir() {
        bail!("`{}` is a folder: name a file in it", target.display());
    }
    // A log beside the target would be applied to the copy by whoever opens it.
    let log = beside(target, "-wal");
    if log.exists() {
        bail!("`{}` lies there: `{}` is a database in use", log.display(), target.display());
    }
    if target.exists() && !replace {
        bail!("`{}` exists", target.display());
    }
    Ok(())
}

/// Gives the copy its name. Without `replace`, a file that appeared meanwhile is not touched.
fn publish(hidden: &Path, target: &Path, replace: bool) -> io::Result<()> {
    if replace {
        return fs::rename(hidden, target);
    }
    match fs::hard_link(hidden, target) {
        Ok(()) => fs::remove_file(hidden),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // A file system without hard links.
        Err(_) if !target.exists() => fs::rename(hidden, target),
        Err(error) => Err(error),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
