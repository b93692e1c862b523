//! A ZIP archive of stored (not compressed) files, written front to back: what `numpy.savez` writes
//! (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, sections 4.3.7, 4.3.12 and 4.3.16).
//!
//! Each file is produced twice: for its checksum, which stands in front of it, and to be written. So nothing has to be held or gone back
//! to. Without the 64-bit extension, an archive is smaller than 4 GiB.

use std::io::{self, Write};

use flate2::Crc;

/// No archive is as long as this.
pub(super) const BYTES_MAX: u64 = u32::MAX as u64;

/// Bytes that each file takes beside its content, its name counted twice: local header and entry of the directory.
const PER_FILE: u64 = 30 + 46;

/// 1980-01-01, the first day that the format knows: the same content gives the same bytes.
const DATE: u16 = 0x21;

/// A file of an archive.
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    /// Length of what `write` gives.
    pub(super) bytes: u64,
    pub(super) write: &'a dyn Fn(&mut dyn Write) -> io::Result<()>,
}

/// Length of an archive of these files.
pub(super) fn archive_bytes(members: &[Member<'_>]) -> u64 {
    22 + members.iter().map(|member| PER_FILE + 2 * member.name.len() as u64 + member.bytes).sum::<u64>()
}

/// A checksum of what is written.
struct Sum(Crc);

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes an archive, which must be shorter than [`BYTES_MAX`].
pub(super) fn write(members: &[Member<'_>], to: &mut dyn Write) -> io::Result<()> {
    let mut directory = Vec::new();
    let mut offset = 0_u64;
    for member in members {
        let mut sum = Sum(Crc::new());
        (member.write)(&mut sum)?;
        let fields = fields(member, sum.0.sum())?;
        let name = member.name.as_bytes();
        to.write_all(b"PK\x03\x04")?;
        to.write_all(&fields)?;
        to.write_all(name)?;
        (member.write)(to)?;
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(short(offset)?);
        directory.extend(name);
        offset += 30 + name.len() as u64 + member.bytes;
    }
    to.write_all(&directory)?;
    let count = u16::try_from(members.len()).map_err(io::Error::other)?.to_le_bytes();
    to.write_all(b"PK\x05\x06\0\0\0\0")?;
    to.write_all(&[count, count].concat())?;
    to.write_all(&short(directory.len() as u64)?)?;
    to.write_all(&short(offset)?)?;
    to.write_all(&[0, 0])
}

/// What a local header and an entry of the directory share: version, flags, method, time, date, checksum, sizes, lengths of name and extra.
fn fields(member: &Member<'_>, sum: u32) -> io::Result<Vec<u8>> {
    let size = short(member.bytes)?;
    let name = u16::try_from(member.name.len()).map_err(io::Error::other)?;
    let mut fields = vec![20, 0, 0, 0, 0, 0, 0, 0];
    fields.extend(DATE.to_le_bytes());
    fields.extend(sum.to_le_bytes());
    fields.extend([size, size].concat());
    fields.extend(name.to_le_bytes());
    fields.extend([0, 0]);
    Ok(fields)
}

fn short(value: u64) -> io::Result<[u8; 4]> {
    u32::try_from(value).map(u32::to_le_bytes).map_err(io::Error::other)
}
