//! Compressed text: `.gz` and `.zst`, recognised by their first bytes, unpacked piece by piece.
//!
//! A file is never unpacked as a whole: memory is one piece of text and the decoder's window (32 KiB for gzip, at most
//! 128 MiB for zstd), however large the text is.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use memchr::memrchr;

use crate::error::Result;

/// Text handed over at a time, and the longest line that compressed text may have.
pub(crate) const PIECE_BYTES: usize = 16 << 20;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// It is text as it stands.
    None,
    /// gzip, one member or several.
    Gzip,
    /// Zstandard, one frame or several.
    Zstd,
}

/// Recognises the packing by the file's first bytes, whatever its name. Leaves the file at its start.
///
/// # Errors
/// A file whose name says that it is packed and that is too short to be: the rest was lost.
pub(super) fn packing(file: &mut File, path: &Path) -> io::Result<Packing> {
    let mut start = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut start)?;
    file.rewind()?;
    match start.as_slice() {
        [0x1F, 0x8B, ..] => Ok(Packing::Gzip),
        // A frame, or a frame to skip, with which some programs begin.
        [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => Ok(Packing::Zstd),
        short if short.len() < 4 && path.extension().is_some_and(|extension| extension == "gz" || extension == "zst") => {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends in its first bytes"))
        }
        _ => Ok(Packing::None),
    }
}

/// Counts the bytes that are taken from a file, for progress.
struct Counted<'a> {
    file: &'a File,
    taken: &'a Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.taken.set(self.taken.get() + bytes as u64);
        Ok(bytes)
    }
}

/// Why unpacking ended early.
#[derive(Debug)]
pub(crate) enum Ended<E> {
    /// The file cannot be read, or is damaged.
    Broken(io::Error),
    /// Whoever takes the pieces said so.
    Asked(E),
}

/// Unpacks a file and gives its text to `take` in pieces of whole lines, each with how many packed bytes were read so far.
pub(crate) fn unpack<E>(file: &File, packing: Packing, take: impl FnMut(&[u8], u64) -> Result<(), E>) -> Result<(), Ended<E>> {
    let taken = Cell::new(0);
    let mut text = decoder(file, packing, &taken).map_err(Ended::Broken)?;
    in_pieces(&mut text, PIECE_BYTES, &taken, take)
}

/// The text of a file, unpacked while it is read. `taken` counts the packed bytes.
pub(crate) fn decoder<'a>(file: &'a File, packing: Packing, taken: &'a Cell<u64>) -> io::Result<Box<dyn Read + 'a>> {
    let packed = BufReader::with_capacity(1 << 17, Counted { file, taken });
    Ok(match packing {
        Packing::None => Box::new(packed),
        Packing::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
    })
}

/// Cuts what is read at newlines; the last piece may lack its own.
fn in_pieces<E>(
    text: &mut dyn Read,
    piece_bytes: usize,
    taken: &Cell<u64>,
    mut take: impl FnMut(&[u8], u64) -> Result<(), E>,
) -> Result<(), Ended<E>> {
    let mut buffer = vec![0; piece_bytes];
    let mut filled = 0;
    loop {
        match text.read(&mut buffer[filled..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Ended::Broken(error)),
            Ok(0) if filled == 0 => return Ok(()),
            Ok(0) => return take(&buffer[..filled], taken.get()).map_err(Ended::Asked),
            Ok(bytes) => filled += bytes,
        }
        if filled == buffer.len() {
            let Some(newline) = memrchr(b'\n', &buffer) else {
                let why = format!("a line is longer than {piece_bytes} bytes");
                return Err(Ended::Broken(io::Error::new(io::ErrorKind::InvalidData, why)));
            };
            take(&buffer[..=newline], taken.get()).map_err(Ended::Asked)?;
            buffer.copy_within(newline + 1.., 0);
            filled -= newline + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(text: &str, piece_bytes: usize) -> Result<Vec<String>, Ended<()>> {
        let mut found = Vec::new();
        in_pieces(&mut text.as_bytes(), piece_bytes, &Cell::new(0), |piece, _| {
            found.push(String::from_utf8_lossy(piece).into_owned());
            Ok(())
        })?;
        Ok(found)
    }

    proptest! {
        #[test]
        fn pieces_make_up_the_text_and_end_at_newlines(lines in prop::collection::vec("[ab]{0,6}", 0..30), piece_bytes in 8..40_usize) {
            let text = lines.join("\n");
            let found = pieces(&text, piece_bytes).unwrap();
            prop_assert_eq!(found.concat(), text);
            prop_assert!(found.iter().rev().skip(1).all(|piece| piece.ends_with('\n') && piece.len() <= piece_bytes));
        }
    }

    #[test]
    fn a_line_longer_than_a_piece_is_refused_rather_than_held() {
        assert!(matches!(pieces("aaaaaaaaaaaaaaaa", 8), Err(Ended::Broken(error)) if error.to_string() == "a line is longer than 8 bytes"));
    }
}
