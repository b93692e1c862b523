//! What the pages of a file promise, checked before a decoder believes it.
//!
//! A column chunk is a sequence of pages, each behind a header in Thrift's compact protocol. Only the fields that say how much
//! memory a page will take are read: its sizes and, for a dictionary, its number of values. Everything else is skipped.

use std::fs::File;
use std::os::unix::fs::FileExt;

use parquet::arrow::ProjectionMask;
use parquet::file::metadata::ParquetMetaData;

/// What a page may grow to when it is unpacked, whatever its size in the file.
const PAGE_BYTES_FREE: u64 = 4 << 20;

/// How far beyond that each stored byte may unpack. Snappy reaches 22, gzip 1032; Zstandard could do more only for a page of
/// one repeated byte, which the encodings below it have squeezed already.
const BYTES_PER_BYTE: u64 = 1100;

/// The longest header that is looked for: statistics of long strings are part of it.
const HEADER_MAX: usize = 1 << 20;

/// Most of the headers are far smaller.
const HEADER_FIRST: usize = 1 << 10;

/// How deep structures nest in a header; real ones are three deep.
const DEPTH_MAX: usize = 8;

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
        let mut reader = Compact { bytes: &buffer, at: 0 };
        if let Some(header) = reader.page_header() {
            return Ok((header, reader.at as u64));
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

/// A reader of Thrift's compact protocol, as far as page headers need it. `None` at the first byte that does not fit.
struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Field types of the compact protocol.
mod kind {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const STRUCT: u8 = 12;
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

    /// The type of the next field, whose id follows from `id`; `Some(None)` at the end of a structure.
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *id = if byte >> 4 == 0 { self.integer()? } else { id.checked_add(i64::from(byte >> 4))? };
        Some(Some(byte & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match kind {
            kind::TRUE | kind::FALSE => Some(()),
            kind::BYTE => self.byte().map(drop),
            kind::I16..=kind::I64 => self.varint().map(drop),
            kind::DOUBLE => self.take(8),
            kind::BINARY => {
                let length = self.varint()?;
                self.take(usize::try_from(length).ok()?)
            }
            kind::LIST | kind::SET => {
                let head = self.byte()?;
                let items = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                for _ in 0..items {
                    // Truth values in a list take a byte each, unlike in a structure.
                    if head & 0x0f <= kind::FALSE { self.byte().map(drop)? } else { self.skip(head & 0x0f, depth + 1)? }
                }
                Some(())
            }
            kind::STRUCT => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
                Some(())
            }
            // Maps do not occur in page headers.
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count).filter(|&end| end <= self.bytes.len())?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A zigzag number: 0, -1, 1, -2, ...
    fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}
