//! One step from nothing, or from the file that was there, to the whole file.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::context::Context;
use crate::error::{Result, StageError};
use crate::failpoint;
use crate::storage::{parent, write_atomically};

/// Writes the file at `path` with what `write` gives, first under a hidden name beside it. What dead writers of the same file
/// left is removed.
///
/// # Errors
/// A folder at `path`; I/O trouble and what `write` returns: then what was there before is there still.
pub fn publish(path: &Path, context: &Context, write: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), Failed>) -> Result<()> {
    if path.is_dir() {
        return Err(StageError::input(format!("`output` is a folder: `{}`", context.display(path)))
            .with_hint("give the path of a file, such as data/export/ratings.csv"));
    }
    remove_abandoned(path, context);
    // An error that is not about writing passes through `write_atomically` on the side.
    let mut cause = None;
    let written = write_atomically(context.storage.as_ref(), path, |file| {
        write(file).map_err(|failed| match failed {
            Failed::Write(error) => error,
            Failed::Stage(error) => {
                cause = Some(error);
                io::ErrorKind::Interrupted.into()
            }
        })?;
        failpoint::hit("export.before_publish");
        Ok(())
    });
    written.map_err(|error| cause.unwrap_or(error))?;
    failpoint::hit("export.after_publish");
    Ok(())
}

/// Why a file could not be written.
#[derive(Debug)]
pub enum Failed {
    /// Writing itself.
    Write(io::Error),
    /// What was to be written.
    Stage(StageError),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Failed::Write(error)
    }
}

impl From<StageError> for Failed {
    fn from(error: StageError) -> Self {
        Failed::Stage(error)
    }
}

/// Removes the hidden files of writers of `path` whose process is gone, as far as that can be told here.
fn remove_abandoned(path: &Path, context: &Context) {
    let (Some(name), Ok(entries)) = (path.file_name().and_then(|name| name.to_str()), fs::read_dir(parent(path))) else { return };
    for entry in entries.flatten() {
        let file = entry.file_name();
        let process = file.to_str().and_then(|file| writer(file, name));
        if process.is_some_and(|process| Path::new("/proc/self").exists() && !Path::new("/proc").join(process.to_string()).exists()) {
            // It is only rubbish: what cannot be removed stays.
            let _ = context.storage.remove_file(&entry.path());
        }
    }
}

/// The process that writes `name` under the hidden name `file`, as [`temporary_beside`](crate::storage::temporary_beside) forms it.
fn writer(file: &str, name: &str) -> Option<u32> {
    let (process, _) = file.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".tmp")?.split_once('-')?;
    process.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_name_tells_its_writer() {
        let hidden = crate::storage::temporary_beside(Path::new("out/x.csv"));
        assert_eq!(writer(hidden.file_name().unwrap().to_str().unwrap(), "x.csv"), Some(std::process::id()));
        assert_eq!(writer(".y.csv.12-0.tmp", "x.csv"), None);
        assert_eq!(writer("x.csv", "x.csv"), None);
    }
}
