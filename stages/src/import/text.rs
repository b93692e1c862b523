//! The rows of a text file.

use std::cell::Cell as Counter;
use std::io::{self, Read};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use super::cell::Cell;
use super::options::Delimiter;
use super::shape::{Shape, cells};
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::intake::{Defect, Opened, PIECE_BYTES, broken, decoder};

/// A row, and what to show of it if it is rejected.
pub(super) struct Row<'a> {
    /// Its line, or its number in a Parquet file, from 1.
    pub(super) line: u64,
    pub(super) cells: Result<[Cell<'a>; 4], Defect>,
    /// The record it was made of; none in a Parquet file.
    pub(super) record: Option<(&'a ByteRecord, Delimiter)>,
}

impl Row<'_> {
    /// The row as text.
    pub(super) fn text(&self) -> Vec<u8> {
        match (self.record, &self.cells) {
            (Some((record, Delimiter::DoubleColon)), _) => record.iter().collect::<Vec<_>>().join(&b':'),
            (Some((record, delimiter)), _) => record.iter().collect::<Vec<_>>().join(delimiter.text().as_bytes()),
            (None, Ok(cells)) => cells.map(Cell::show).join(",").into_bytes(),
            (None, Err(_)) => Vec::new(),
        }
    }
}

/// A reader of such text that takes every record as it is.
pub(super) fn builder(delimiter: Delimiter, quoting: bool) -> ReaderBuilder {
    let (byte, quoting) = match delimiter {
        Delimiter::Byte(byte) => (byte, quoting),
        // Two colons are an empty field between two single ones; quotes have no meaning in such files.
        Delimiter::DoubleColon => (b':', false),
        Delimiter::Blank => (b' ', quoting),
    };
    let mut builder = ReaderBuilder::new();
    builder.delimiter(byte).quoting(quoting).has_headers(false).flexible(true).buffer_capacity(1 << 16);
    builder
}

/// Refuses to hand over more than [`PIECE_BYTES`] between two records: a quote that is never closed would make the rest of the
/// file one field.
struct Bounded<'a> {
    inner: Box<dyn Read + 'a>,
    since_record: &'a Counter<usize>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_record.get() > PIECE_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the record is too long"));
        }
        let bytes = self.inner.read(buffer)?;
        self.since_record.set(self.since_record.get() + bytes);
        Ok(bytes)
    }
}

/// Hands every row to `take`, with how many bytes of the file were read. Returns how many records there were, the header included.
///
/// # Errors
/// A file that is damaged; a record that is too long; what `take` returns.
pub(super) fn rows(
    (path, opened): (&Path, &Opened),
    shape: &Shape,
    quoting: bool,
    mut take: impl FnMut(Row<'_>, u64) -> Result<()>,
    context: &Context,
) -> Result<u64> {
    let (taken, since_record) = (Counter::new(0), Counter::new(0));
    let inner = decoder(&opened.file, opened.packing, &taken).map_err(|error| broken(path, &error, context))?;
    let mut reader = builder(shape.delimiter, quoting).from_reader(Bounded { inner, since_record: &since_record });
    let (mut record, mut records) = (ByteRecord::new(), 0);
    loop {
        since_record.set(0);
        let start = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(records),
            Err(error) => return Err(failed(error, (path, start), &since_record, context)),
        }
        records += 1;
        let is_blank = record.len() == 1 && record[0].trim_ascii().is_empty();
        if is_blank || (records == 1 && shape.header) {
            continue;
        }
        let line = record.position().map_or(start, csv::Position::line);
        take(Row { line, cells: cells(&record, shape), record: Some((&record, shape.delimiter)) }, taken.get())?;
    }
}

fn failed(error: csv::Error, (path, line): (&Path, u64), since_record: &Counter<usize>, context: &Context) -> StageError {
    if since_record.get() > PIECE_BYTES {
        let message = format!("the record that begins in line {line} of `{}` is longer than {PIECE_BYTES} bytes", context.display(path));
        return StageError::input(message).with_hint("is a quote not closed? `quoting: false` takes quotes as they are");
    }
    match error.into_kind() {
        csv::ErrorKind::Io(error) => broken(path, &error, context),
        other => StageError::bug(format!("cannot read `{}`: {other:?}", context.display(path))),
    }
}
