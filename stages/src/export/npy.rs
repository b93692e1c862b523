//! One array in NumPy's own format, version 1.0
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::io::{self, Write};

/// The header and the data of a file begin at multiples of so many bytes.
const ALIGNMENT: usize = 64;

/// The values of an array, in C order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    /// `int32`.
    Ints(&'a [i32]),
    /// `float32`: rows of a matrix, each a slice at a stride, of which so many first floats count.
    Rows { floats: &'a [f32], stride: usize, rank: usize },
    /// Text of at most so many characters, `<U…`.
    Texts { texts: &'a [&'a str], chars: usize },
    /// A single `int32`, an array without dimensions.
    Scalar(i32),
}

impl<'a> Values<'a> {
    /// Texts; NumPy gives all the room of the longest.
    pub(super) fn texts(texts: &'a [&'a str]) -> Self {
        Values::Texts { texts, chars: texts.iter().map(|text| text.chars().count()).fold(1, usize::max) }
    }

    fn kind(self) -> String {
        match self {
            Values::Ints(_) | Values::Scalar(_) => "<i4".to_owned(),
            Values::Rows { .. } => "<f4".to_owned(),
            Values::Texts { chars, .. } => format!("<U{chars}"),
        }
    }

    fn shape(self) -> String {
        match self {
            Values::Ints(ints) => format!("({},)", ints.len()),
            Values::Rows { floats, stride, rank } => format!("({}, {rank})", floats.len() / stride),
            Values::Texts { texts, .. } => format!("({},)", texts.len()),
            Values::Scalar(_) => "()".to_owned(),
        }
    }

    fn data_bytes(self) -> u64 {
        match self {
            Values::Ints(ints) => 4 * ints.len() as u64,
            Values::Rows { floats, stride, rank } => 4 * (floats.len() / stride) as u64 * rank as u64,
            Values::Texts { texts, chars } => 4 * texts.len() as u64 * chars as u64,
            Values::Scalar(_) => 4,
        }
    }

    /// Bytes of the file.
    pub(super) fn bytes(self) -> u64 {
        self.header().len() as u64 + self.data_bytes()
    }

    fn header(self) -> Vec<u8> {
        let dictionary = format!("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", self.kind(), self.shape());
        // Magic, version and length take 10 bytes; blanks and a newline fill up.
        let padding = (10 + dictionary.len() + 1).next_multiple_of(ALIGNMENT) - (10 + dictionary.len() + 1);
        let length = (dictionary.len() + padding + 1) as u16;
        let mut header = b"\x93NUMPY\x01\x00".to_vec();
        header.extend(length.to_le_bytes());
        header.extend(dictionary.bytes());
        header.resize(header.len() + padding, b' ');
        header.push(b'\n');
        header
    }

    /// Writes the file.
    pub(super) fn write(self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&self.header())?;
        let mut buffer = Vec::new();
        match self {
            Values::Ints(ints) => ints.chunks(1 << 14).try_for_each(|chunk| {
                buffer.clear();
                chunk.iter().for_each(|value| buffer.extend(value.to_le_bytes()));
                to.write_all(&buffer)
            }),
            Values::Rows { floats, stride, rank } => floats.chunks_exact(stride).try_for_each(|row| {
                buffer.clear();
                row[..rank].iter().for_each(|value| buffer.extend(value.to_le_bytes()));
                to.write_all(&buffer)
            }),
            Values::Texts { texts, chars } => texts.iter().try_for_each(|text| {
                buffer.clear();
                text.chars().for_each(|c| buffer.extend(u32::from(c).to_le_bytes()));
                buffer.resize(4 * chars, 0);
                to.write_all(&buffer)
            }),
            Values::Scalar(value) => to.write_all(&value.to_le_bytes()),
        }
    }
}
