//! What the footer of a file promises, checked before a decoder believes it.
//!
//! The decoder steps over a list of truth values without reading a byte, so a footer of a few hundred bytes can keep it busy for minutes
//! (2³¹ elements a list). Here every element costs a byte, and a footer that has fewer than it claims is refused.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::compact::{Compact, kind};

/// The length of the footer and the four letters behind it.
const TAIL: u64 = 8;

/// Checks that the footer is one structure of as many elements as it says. What is no Parquet at all is left to the decoder, which says
/// what it misses.
pub(super) fn check(file: &File, bytes: u64) -> Result<(), String> {
    let mut tail = [0; TAIL as usize];
    let Some(at) = bytes.checked_sub(TAIL) else { return Ok(()) };
    file.read_exact_at(&mut tail, at).map_err(|error| error.to_string())?;
    let [length @ .., b'P', b'A', b'R', b'1'] = tail else { return Ok(()) };
    let length = u32::from_le_bytes(length);
    let Some(start) = at.checked_sub(u64::from(length)) else { return Ok(()) };
    let mut footer = vec![0; length as usize];
    file.read_exact_at(&mut footer, start).map_err(|error| error.to_string())?;
    Compact::new(&footer).skip(kind::STRUCT, 0).ok_or_else(|| "its footer claims more than it holds".to_owned())
}
