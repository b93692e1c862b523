//! Files that lie about themselves.

use std::fs;
use std::sync::Arc;

use arrow_array::{Int32Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::*;

/// A file of one dictionary-encoded column of numbers and one of text.
fn written(rows: i32) -> Vec<u8> {
    let numbers = Int32Array::from_iter_values((0..rows).map(|row| row % 7));
    let text = StringArray::from_iter_values((0..rows).map(|row| format!("row {row}")));
    let batch = RecordBatch::try_from_iter([("n", Arc::new(numbers) as _), ("t", Arc::new(text) as _)]).unwrap();
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// What reading the bytes as a file gives: the number of rows.
fn read(bytes: &[u8]) -> Result<usize> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.parquet");
    fs::write(&path, bytes).unwrap();
    let mut rows = 0;
    for batch in open(&path)?.read([0, 1], 100)? {
        rows += batch?.num_rows();
    }
    Ok(rows)
}

/// Keeps this thread's panics quiet: hundreds are caught on purpose, and each would print where it came from.
fn silence_this_thread() {
    let (quiet, usual) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() != quiet {
            usual(info);
        }
    }));
}

#[test]
fn a_sound_file_is_read_in_batches() {
    assert_eq!(read(&written(1234)), Ok(1234));
    assert_eq!(read(&written(0)), Ok(0));
}

#[test]
fn whatever_byte_is_damaged_the_file_is_read_or_named_and_nothing_panics() {
    let sound = written(300);
    let mut refused = 0;
    silence_this_thread();
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= [0x01, 0x80, 0xff][at % 3];
        if let Err(error) = read(&bytes) {
            if !error.message.ends_with("f.parquet` is not readable Parquet") {
                let _ = std::panic::take_hook();
                panic!("byte {at}: {error}");
            }
            refused += 1;
        }
    }
    let _ = std::panic::take_hook();
    assert!(refused > 100, "only {refused} of the damages were noticed");
}

#[test]
fn a_file_cut_anywhere_is_named() {
    let sound = written(50);
    for length in 0..sound.len() {
        assert!(read(&sound[..length]).is_err(), "{length} bytes");
    }
}

/// The page header at the start of `bytes`, rewritten to promise another unpacked size.
fn with_unpacked_size(bytes: &[u8], size: u32) -> Vec<u8> {
    // Behind the magic: field 1 (type), field 2 (unpacked size, zigzag), both with the compact protocol's short headers.
    assert_eq!((bytes[4], bytes[6]), (0x15, 0x15));
    let mut end = 7;
    while bytes[end] & 0x80 != 0 {
        end += 1;
    }
    let (mut zigzag, mut varint) = (u64::from(size) << 1, Vec::new());
    while zigzag >= 0x80 {
        varint.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    varint.push(zigzag as u8);
    // A header that grows moves the rest of the chunk, which is damage of its own; what matters is that nobody unpacks it.
    [&bytes[..7], &varint, &bytes[end + 1..]].concat()
}

#[test]
fn a_page_that_promises_more_than_its_bytes_can_hold_is_refused_before_it_is_unpacked() {
    let error = read(&with_unpacked_size(&written(300), i32::MAX as u32)).unwrap_err();
    let cause = error.causes.join(": ");
    assert!(cause.contains("claims to unpack from") && cause.contains("to 2147483647 bytes"), "{cause}");
}

/// Found by the fuzzer: 2³¹ truth values take no space in the decoder's eyes, and seconds of its time.
#[test]
fn a_footer_that_claims_elements_without_bytes_is_refused_before_it_is_decoded() {
    // Field 15, unknown: a list of 2³¹ - 1 truth values; then the end of the structure.
    let footer = [0xf9, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00];
    let mut bytes = b"PAR1".to_vec();
    bytes.extend(footer);
    bytes.extend((footer.len() as u32).to_le_bytes());
    bytes.extend(b"PAR1");
    let error = read(&bytes).unwrap_err();
    assert_eq!(error.causes, ["its footer claims more than it holds"]);
}
