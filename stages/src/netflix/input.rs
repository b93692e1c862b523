//! One input file, text or compressed, from the disk into the parser.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::{Advice, Mmap};

use super::packed::{Ended, Packing, packing, unpack};
use super::parse::{BLOCK_BYTES, Parsed, Parser, Reject, parse};
use super::tolerance::RatingRange;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::ratings::Ratings;

/// A file that was found and opened.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    /// Where it lies, as messages name it.
    pub(super) path: &'a Path,
    /// Its size on disk, packed or not.
    pub(crate) bytes: u64,
    file: File,
    packing: Packing,
}

impl<'a> Input<'a> {
    /// # Errors
    /// Nothing or no regular file at `path`; a compressed file that ends in its first bytes.
    pub(crate) fn open(path: &'a Path, context: &Context) -> Result<Self> {
        let open = || {
            let mut file = File::open(path)?;
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory));
            }
            let packing = packing(&mut file, path)?;
            Ok(Self { path, bytes: metadata.len(), file, packing })
        };
        open().map_err(|error: io::Error| {
            let failed = match error.kind() {
                io::ErrorKind::NotFound => StageError::input(format!("there is no file `{}`", context.display(path))),
                io::ErrorKind::IsADirectory => StageError::input(format!("`{}` is not a regular file", context.display(path))),
                _ => return broken(path, &error, context),
            };
            failed.with_hint("give the path of a text file in Netflix layout, relative to the workspace; `recflow stage generate output=data/combined` makes one")
        })
    }

    /// The same file under the name that messages are to use.
    pub(crate) fn named(self, path: &'a Path) -> Self {
        Self { path, ..self }
    }

    /// Parses the whole file. `advanced` hears how many bytes of the file are done.
    pub(super) fn parse(
        &self,
        range: RatingRange,
        advanced: impl FnMut(u64) -> Result<()>,
        rejected: impl FnMut(Reject<'_>) -> Result<()>,
        context: &Context,
    ) -> Result<Parsed> {
        if self.packing == Packing::None {
            let text = self.map().map_err(|error| StageError::io("read", self.path, &error))?;
            return parse(&text, range, advanced, rejected);
        }
        let mut blocks = Vec::new();
        let lines = self.parse_in_pieces(
            range,
            advanced,
            rejected,
            |block| {
                blocks.push(block);
                Ok(())
            },
            context,
        )?;
        Ok(Parsed { blocks, lines })
    }

    /// The same, but the rows go to `rows` in blocks, in the order of the file; returns how many lines there are. Text that is not
    /// packed is read in pieces too rather than mapped, so memory does not grow with the file.
    pub(super) fn parse_in_pieces(
        &self,
        range: RatingRange,
        mut advanced: impl FnMut(u64) -> Result<()>,
        mut rejected: impl FnMut(Reject<'_>) -> Result<()>,
        mut rows: impl FnMut(Ratings) -> Result<()>,
        context: &Context,
    ) -> Result<u64> {
        let mut parser = Parser::new(range);
        let add = |text: &[u8], taken| {
            parser.add(text, BLOCK_BYTES, |_| Ok(()), &mut rejected, &mut rows)?;
            advanced(taken)
        };
        self.pieces(add, context)?;
        Ok(parser.lines)
    }

    /// Gives the text to `take` in pieces of whole lines, whatever the packing, each with how many bytes of the file were read so far.
    ///
    /// # Errors
    /// A file that cannot be read or is damaged; what `take` returns.
    pub(crate) fn pieces(&self, take: impl FnMut(&[u8], u64) -> Result<()>, context: &Context) -> Result<()> {
        unpack(&self.file, self.packing, take).map_err(|ended| match ended {
            Ended::Asked(error) => error,
            Ended::Broken(error) => broken(self.path, &error, context),
        })
    }

    fn map(&self) -> io::Result<Mmap> {
        // SAFETY: the map is only read. Another process that shortens the file meanwhile would end this one with SIGBUS;
        // the stages that read text run in a child process, where that costs one attempt.
        let map = unsafe { Mmap::map(&self.file)? };
        // Advice is only advice: reading works without.
        let _ = map.advise(Advice::Sequential);
        Ok(map)
    }
}

/// What the system refused is its error; everything else comes from a decoder, and is the file's.
fn broken(path: &Path, error: &io::Error, context: &Context) -> StageError {
    if error.raw_os_error().is_some() {
        return StageError::io("read", path, error);
    }
    StageError::input(format!("`{}` is truncated or damaged", context.display(path)))
        .with_cause(error)
        .with_hint("copy or download the file again; `gzip -t` and `zstd -t` tell whether one is whole")
}
