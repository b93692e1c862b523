//! What a file is, from its first bytes.

use std::cell::Cell as Counter;
use std::io::{Read, Seek};
use std::path::Path;

use csv::ByteRecord;

use super::cell::Cell;
use super::options::{Delimiter, Format, Options};
use super::shape::{Shape, cells, delimiter_of, understand};
use super::text::builder;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::intake::{Opened, Packing, broken, decoder, open};

/// How much text is looked at.
const SAMPLE_BYTES: u64 = 1 << 16;

/// How many of its records.
const SAMPLE_RECORDS: usize = 1_000;

/// What to do about a file that is not there.
const HINT: &str = "give the path of a CSV or Parquet file, of a folder of them, or one with `*` in it, relative to the workspace";

/// A file, opened and understood. It stands at its start.
#[derive(Debug)]
pub(super) struct Sniffed {
    pub(super) opened: Opened,
    pub(super) kind: Kind,
}

/// What is in it.
#[derive(Debug)]
pub(super) enum Kind {
    Parquet,
    Text {
        shape: Shape,
        /// The first records, without the header.
        sample: Vec<ByteRecord>,
    },
    /// Nothing at all.
    Empty,
}

/// Opens the file at `path` and looks at its start.
///
/// # Errors
/// A file that cannot be opened or unpacked, or that is recognised as something else: Netflix text, JSON, a ZIP archive.
pub(super) fn sniff(path: &Path, options: &Options, context: &Context) -> Result<Sniffed> {
    let mut opened = open(path, HINT, context)?;
    let head = head(&opened).map_err(|error| broken(path, &error, context))?;
    opened.file.rewind().map_err(|error| StageError::io("read", path, &error))?;
    let name = context.display(path);
    let kind = match options.format {
        Format::Parquet => Kind::Parquet,
        Format::Auto if head.starts_with(b"PAR1") && opened.packing == Packing::None => Kind::Parquet,
        Format::Auto | Format::Csv => text(&head, options, &name)?,
    };
    Ok(Sniffed { opened, kind })
}

fn head(opened: &Opened) -> std::io::Result<Vec<u8>> {
    let taken = Counter::new(0);
    let mut head = Vec::new();
    decoder(&opened.file, opened.packing, &taken)?.take(SAMPLE_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

fn text(head: &[u8], options: &Options, name: &str) -> Result<Kind> {
    let content = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let mut lines = content.split(|&byte| byte == b'\n' || byte == b'\r').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return Ok(Kind::Empty) };
    refuse_others(content, first, name)?;
    // Blanks and `::` are never guessed inside a quoted field, of which the first line of such files has none.
    let delimiter = options.delimiter.or_else(|| delimiter_of(first)).unwrap_or(Delimiter::Byte(b','));
    let mut sample = Vec::new();
    for record in builder(delimiter, options.quoting).from_reader(content).into_byte_records().take(SAMPLE_RECORDS) {
        sample.push(record.map_err(|error| StageError::input(format!("`{name}` cannot be read")).with_cause(error))?);
    }
    if head.len() as u64 == SAMPLE_BYTES && sample.len() > 1 && sample.len() < SAMPLE_RECORDS {
        // Cut where the sample ends.
        sample.pop();
    }
    let shape = understand(&sample, delimiter, options, name)?;
    if shape.header {
        sample.remove(0);
    }
    Ok(Kind::Text { shape, sample })
}

/// Files that people may take for tables.
fn refuse_others(content: &[u8], first: &[u8], name: &str) -> Result<()> {
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let (what, hint) = if first.strip_suffix(b":").is_some_and(is_number) {
        ("Netflix text, not a table", "the stage `etl` reads it")
    } else if content.starts_with(b"PK\x03\x04") {
        ("a ZIP archive", "unpack it and import the file with the ratings")
    } else if matches!(first[0], b'{' | b'[') {
        ("JSON, not a table", "make a CSV file of it with the columns user, item, rating and time")
    } else if content.contains(&0) {
        ("neither text nor Parquet", "give a CSV file in UTF-8, or a Parquet file")
    } else {
        return Ok(());
    };
    Err(StageError::input(format!("`{name}` is {what}")).with_hint(hint))
}

/// Cells of the first rows of a text file; rows that are not like the others are left out.
pub(super) fn sample_cells<'a>(sample: &'a [ByteRecord], shape: &Shape) -> Vec<[Cell<'a>; 4]> {
    sample.iter().filter_map(|record| cells(record, shape).ok()).collect()
}
