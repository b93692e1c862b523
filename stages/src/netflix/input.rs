//! One input file, text or compressed, from the disk into the parser.

use std::io;
use std::path::Path;

use memmap2::{Advice, Mmap};

use super::parse::{BLOCK_BYTES, Parsed, Parser, parse};
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

    /// Parses the whole file. `advanced` hears how many bytes of the file are done.
    pub(super) fn parse(
        &self,
        range: RatingRange,
        advanced: impl FnMut(u64) -> Result<()>,
        rejected: impl FnMut(Reject<'_>) -> Result<()>,
        context: &Context,
    ) -> Result<Parsed> {
        if self.opened.packing == Packing::None {
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
