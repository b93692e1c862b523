//! One input file: opened, looked at, and what to say of one that cannot be read.

use std::fs::File;
use std::io;
use std::path::Path;

use super::packed::{Ended, Packing, packing, unpack};
use crate::context::Context;
use crate::error::{Result, StageError};

/// A file that was found and opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: File,
    /// Its size on disk, packed or not.
    pub(crate) bytes: u64,
    pub(crate) packing: Packing,
}

impl Opened {
    /// Gives the text of the file at `path` to `take` in pieces of whole lines, whatever the packing, each with how many bytes of the file
    /// were read so far.
    ///
    /// # Errors
    /// A file that cannot be read or is damaged; what `take` returns.
    pub(crate) fn pieces(&self, path: &Path, take: impl FnMut(&[u8], u64) -> Result<()>, context: &Context) -> Result<()> {
        unpack(&self.file, self.packing, take).map_err(|ended| match ended {
            Ended::Asked(error) => error,
            Ended::Broken(error) => broken(path, &error, context),
        })
    }
}

/// Opens the file at `path`. `hint` says what kind of file is wanted.
///
/// # Errors
/// Nothing or no regular file at `path`; a compressed file that ends in its first bytes.
pub(crate) fn open(path: &Path, hint: &str, context: &Context) -> Result<Opened> {
    let open = || {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let packing = packing(&mut file, path)?;
        Ok(Opened { file, bytes: metadata.len(), packing })
    };
    open().map_err(|error: io::Error| {
        let failed = match error.kind() {
            io::ErrorKind::NotFound => StageError::input(format!("there is no file `{}`", context.display(path))),
            io::ErrorKind::IsADirectory => StageError::input(format!("`{}` is not a regular file", context.display(path))),
            _ => return broken(path, &error, context),
        };
        failed.with_hint(hint)
    })
}

/// What the system refused is its error; everything else comes from a decoder, and is the file's.
pub(crate) fn broken(path: &Path, error: &io::Error, context: &Context) -> StageError {
    if error.raw_os_error().is_some() {
        return StageError::io("read", path, error);
    }
    StageError::input(format!("`{}` is truncated or damaged", context.display(path)))
        .with_cause(error)
        .with_hint("copy or download the file again; `gzip -t` and `zstd -t` tell whether one is whole")
}
