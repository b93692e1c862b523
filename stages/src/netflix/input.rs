//! One input file, text or compressed, from the disk into the parser.

use std::io;
use std::path::Path;

use memmap2::{Advice, Mmap, UncheckedAdvice};

use super::parse::{BLOCK_BYTES, Parser};
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::intake::{Opened, Packing, RatingRange, Reject, open};
use crate::ratings::Ratings;

/// What to do about a file that is not there.
const HINT: &str =
    "give the path of a text file in Netflix layout, relative to the workspace; `recflow stage generate output=data/combined` makes one";

/// A file that was found and opened.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) path: &'a Path,
    pub(super) opened: Opened,
}

impl<'a> Input<'a> {
    /// # Errors
    /// Nothing or no regular file at `path`; a compressed file that ends in its first bytes.
    pub(super) fn open(path: &'a Path, context: &Context) -> Result<Self> {
        Ok(Self { path, opened: open(path, HINT, context)? })
    }

    /// Parses the whole file. `rows` receives the good rows in waves, in the order of the file; `advanced` hears how many bytes are done.
    /// Returns how many lines there are.
    ///
    /// Text that is not packed is mapped: a line may be as long as it likes, and no byte is copied.
    pub(super) fn parse(
        &self,
        range: RatingRange,
        mut advanced: impl FnMut(u64) -> Result<()>,
        rejected: impl FnMut(Reject<'_>) -> Result<()>,
        rows: impl FnMut(Vec<Ratings>) -> Result<()>,
        context: &Context,
    ) -> Result<u64> {
        if self.opened.packing != Packing::None {
            return self.parse_in_pieces(range, advanced, rejected, rows, context);
        }
        let text = self.map().map_err(|error| StageError::io("read", self.path, &error))?;
        let mut released = 0;
        let advanced = |done: u64| {
            let done_bytes = usize::try_from(done).map_or(text.len(), |done| done.min(text.len()));
            // SAFETY: the map is of a file and only read: pages that are dropped come back with the same bytes if they are asked for.
            let _ = unsafe { text.unchecked_advise_range(UncheckedAdvice::DontNeed, released, done_bytes - released) };
            released = done_bytes;
            advanced(done)
        };
        let mut parser = Parser::new(range);
        parser.add(&text, BLOCK_BYTES, advanced, rejected, rows)?;
        Ok(parser.lines)
    }

    /// The same, but text that is not packed is read in pieces too rather than mapped.
    pub(super) fn parse_in_pieces(
        &self,
        range: RatingRange,
        mut advanced: impl FnMut(u64) -> Result<()>,
        mut rejected: impl FnMut(Reject<'_>) -> Result<()>,
        mut rows: impl FnMut(Vec<Ratings>) -> Result<()>,
        context: &Context,
    ) -> Result<u64> {
        let mut parser = Parser::new(range);
        let add = |text: &[u8], taken| {
            parser.add(text, BLOCK_BYTES, |_| Ok(()), &mut rejected, &mut rows)?;
            advanced(taken)
        };
        self.opened.pieces(self.path, add, context)?;
        Ok(parser.lines)
    }

    fn map(&self) -> io::Result<Mmap> {
        // SAFETY: the map is only read. Another process that shortens the file meanwhile would end this one with SIGBUS;
        // the stages that read text run in a child process, where that costs one attempt.
        let map = unsafe { Mmap::map(&self.opened.file)? };
        // Advice is only advice: reading works without.
        let _ = map.advise(Advice::Sequential);
        Ok(map)
    }
}
