//! What the pages of a file promise, checked before a decoder believes it.
//!
//! A column chunk is a sequence of pages, each behind a header in Thrift's compact protocol. Only the fields that say how much
//! memory a page will take are read: its sizes and, for a dictionary, its number of values. Everything else is skipped.

use std::fs::File;
use std::os::unix::fs::FileExt;

use parquet::arrow::ProjectionMask;
use parquet::file::metadata::ParquetMetaData;

use super::compact::{Compact, kind};

/// What a page may grow to when it is unpacked, whatever its size in the file.
const PAGE_BYTES_FREE: u64 = 4 << 20;

/// How far beyond that each stored byte may unpack. Snappy reaches 22, gzip 1032; Zstandard could do more only for a page of
/// one repeated byte, which the encodings below it have squeezed already.
const BYTES_PER_BYTE: u64 = 1100;

/// The longest header that is looked for: statistics of long strings are part of it.
const HEADER_MAX: usize = 1 << 20;

/// Most of the headers are far smaller.
const HEADER_FIRST: usize = 1 << 10;

/// Checks every page of the columns in `mask`. The error says what is wrong.
pub(super) fn check(file: &File, metadata: &ParquetMetaData, mask: &ProjectionMask) -> Result<(), String> {
    let bytes = file.metadata().map_err(|error| error.to_string())?.len();
    for group in metadata.row_groups() {
        for (_, column) in group.columns().iter().enumerate().filter(|(index, _)| mask.leaf_included(*index)) {
            let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
            let range = u64::try_from(start).ok().zip(u64::try_from(column.compressed_size()).ok());
            let end = range.and_then(|(start, length)| Some((start, start.checked_add(length)?)));
            match end {
                Some((start, end)) if end <= bytes => check_chunk(file, start, end)?,
                _ => return Err(format!("column `{}` lies outside the file", column.column_path().string())),
            }
        }
    }
    Ok(())
}

fn check_chunk(file: &File, mut at: u64, end: u64) -> Result<(), String> {
    while at < end {
        let (page, length) = header_at(file, at, end)?;
        let stored = u64::try_from(page.compressed_bytes).map_err(|_| format!("a page of {} bytes", page.compressed_bytes))?;
        let unpacked = u64::try_from(page.unpacked_bytes).map_err(|_| format!("a page of {} bytes", page.unpacked_bytes))?;
        let next = at.saturating_add(length).saturating_add(stored);
        if next > end {
            return Err(format!("the page at byte {at} is cut short"));
        }
        if unpacked > PAGE_BYTES_FREE.max(stored.saturating_mul(BYTES_PER_BYTE)) {
            return Err(format!("the page at byte {at} claims to unpack from {stored} to {unpacked} bytes"));
        }
        // A value of a dictionary takes at least a byte.
        if page.dictionary_values.is_some_and(|values| u64::try_from(values).map_or(true, |values| values > unpacked)) {
            return Err(format!("the dictionary at byte {at} claims more values than it has bytes"));
        }
        at = next;
    }
    Ok(())
}

/// Reads the header at `at`, and tells how long it is.
fn header_at(file: &File, at: u64, end: u64) -> Result<(PageHeader, u64), String> {
    let mut buffer = Vec::new();
    for most in [HEADER_FIRST, HEADER_MAX] {
        buffer.resize(usize::try_from(end - at).unwrap_or(most).min(most), 0);
        file.read_exact_at(&mut buffer, at).map_err(|error| error.to_string())?;
        let mut reader = Compact::new(&buffer);
        if let Some(header) = reader.page_header() {
            return Ok((header, reader.position() as u64));
        }
    }
    Err(format!("there is no page at byte {at}"))
}

/// What a page header says of memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct PageHeader {
    unpacked_bytes: i64,
    compressed_bytes: i64,
    dictionary_values: Option<i64>,
}

impl Compact<'_> {
    fn page_header(&mut self) -> Option<PageHeader> {
        let (mut header, mut id) = (PageHeader::default(), 0);
        while let Some(kind) = self.field(&mut id)? {
            match (id, kind) {
                (2, kind::I16..=kind::I64) => header.unpacked_bytes = self.integer()?,
                (3, kind::I16..=kind::I64) => header.compressed_bytes = self.integer()?,
                (7, kind::STRUCT) => header.dictionary_values = Some(self.first_integer()?),
                _ => self.skip(kind, 0)?,
            }
        }
        Some(header)
    }

    /// Field 1 of a structure; the rest is skipped.
    fn first_integer(&mut self) -> Option<i64> {
        let (mut found, mut id) = (0, 0);
        while let Some(kind) = self.field(&mut id)? {
            match (id, kind) {
                (1, kind::I16..=kind::I64) => found = self.integer()?,
                _ => self.skip(kind, 1)?,
            }
        }
        Some(found)
    }
}
