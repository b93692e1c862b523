//! Thrift's compact protocol, in which Parquet's footers and page headers are written.
//!
//! Only what it takes to find a few fields and to step over the rest, in a time that the number of bytes bounds.

/// How deep structures nest; in a footer the statistics of a column's values are nine deep.
const DEPTH_MAX: usize = 16;

/// A reader of the compact protocol. `None` at the first byte that does not fit.
pub(super) struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Field types of the compact protocol.
pub(super) mod kind {
    pub(in super::super) const TRUE: u8 = 1;
    pub(in super::super) const FALSE: u8 = 2;
    pub(in super::super) const BYTE: u8 = 3;
    pub(in super::super) const I16: u8 = 4;
    pub(in super::super) const I64: u8 = 6;
    pub(in super::super) const DOUBLE: u8 = 7;
    pub(in super::super) const BINARY: u8 = 8;
    pub(in super::super) const LIST: u8 = 9;
    pub(in super::super) const SET: u8 = 10;
    pub(in super::super) const STRUCT: u8 = 12;
}

impl<'a> Compact<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The type of the next field, whose id follows from `id`; `Some(None)` at the end of a structure.
    pub(super) fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *id = if byte >> 4 == 0 { self.integer()? } else { id.checked_add(i64::from(byte >> 4))? };
        Some(Some(byte & 0x0f))
    }

    /// Skips a value of this type: never more steps than there are bytes.
    pub(super) fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
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
                // An element takes a byte at least. Truth values would, too, but decoders disagree on that, and Parquet has no such list here.
                if head & 0x0f <= kind::FALSE || items > (self.bytes.len() - self.at) as u64 {
                    return None;
                }
                (0..items).try_for_each(|_| self.skip(head & 0x0f, depth + 1))
            }
            kind::STRUCT => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
                Some(())
            }
            // Parquet has no maps.
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
    pub(super) fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}
