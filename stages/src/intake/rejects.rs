//! Malformed lines: how many of each kind, the first ones as examples, all of them in a file.
//!
//! The file is made only when there is something to put in it: `.recflow/rejects/RUN_TASK_GENERATION.LABEL.tsv`, one line a
//! rejected line: its file, its number in it, the kind of defect, the text. A repeated attempt replaces it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::defect::Defect;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::storage::AtomicFile;

/// How many rejected lines are reported in full.
const EXAMPLES: usize = 10;

/// How much of a rejected line is kept; a longer one is cut, so that a file without newlines is not copied whole.
const TEXT_BYTES: usize = 400;

/// A line that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reject<'a> {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub defect: Defect,
    /// Its bytes, without surrounding white space.
    pub text: &'a [u8],
}

/// What was rejected of the files of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejected {
    /// How many lines, by kind. Kinds that did not occur are not there.
    pub by_kind: BTreeMap<Defect, u64>,
    /// The first ten, each as `file:line: what is wrong: text`.
    pub examples: Vec<String>,
    /// Where all of them were written; none if there were none.
    pub file: Option<PathBuf>,
}

impl Rejected {
    /// How many lines were rejected.
    pub fn total(&self) -> u64 {
        self.by_kind.values().sum()
    }
}

/// Collects the rejected lines of the files of one source.
pub(crate) struct Collector<'a> {
    context: &'a Context,
    /// The file being read, as people write it.
    source: String,
    path: PathBuf,
    /// None before the first rejected line. An attempt that fails or is cancelled half-way leaves nothing.
    file: Option<AtomicFile<'a>>,
    rejected: Rejected,
}

impl<'a> Collector<'a> {
    /// `label` tells apart the sources that one task reads.
    pub(crate) fn new(label: &str, context: &'a Context) -> Self {
        let key: String =
            context.publish_key.as_str().chars().map(|c| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' }).collect();
        let path = context.home.join("rejects").join(format!("{key}.{label}.tsv"));
        Self { context, source: String::new(), path, file: None, rejected: Rejected::default() }
    }

    /// What comes now is from the file at `path`.
    pub(crate) fn begin(&mut self, path: &Path) {
        self.source = readable(self.context.display(path).as_bytes());
    }

    /// Takes one rejected line.
    pub(crate) fn add(&mut self, reject: Reject<'_>) -> Result<()> {
        *self.rejected.by_kind.entry(reject.defect).or_default() += 1;
        let text = readable(reject.text);
        let defect = reject.defect;
        if self.rejected.examples.len() < EXAMPLES {
            self.rejected.examples.push(format!("{}:{}: {}: `{text}`", self.source, reject.line, defect.describe()));
        }
        let line = format!("{}\t{}\t{}\t{text}", self.source, reject.line, defect.name());
        writeln!(self.file()?, "{line}").map_err(|error| StageError::io("write", &self.path, &error))
    }

    /// Closes the file and says what was rejected.
    pub(crate) fn finish(mut self) -> Result<Rejected> {
        if let Some(file) = self.file.take() {
            file.publish().map_err(|error| StageError::io("write", &self.path, &error))?;
            self.rejected.file = Some(self.path);
        }
        Ok(self.rejected)
    }

    fn file(&mut self) -> Result<&mut AtomicFile<'a>> {
        if self.file.is_none() {
            let begin = || {
                let mut file = AtomicFile::create(&*self.context.storage, &self.path)?;
                writeln!(file, "# file\tline\tdefect\ttext")?;
                Ok(file)
            };
            self.file = Some(begin().map_err(|error: std::io::Error| StageError::io("write", &self.path, &error))?);
        }
        self.file.as_mut().ok_or_else(|| StageError::bug("the rejects file was just opened"))
    }
}

/// The start of a line as printable text: control characters are escaped, since the line ends up in terminals.
fn readable(text: &[u8]) -> String {
    let cut = text.len() > TEXT_BYTES;
    let mut readable = String::with_capacity(text.len().min(TEXT_BYTES) + 4);
    for c in String::from_utf8_lossy(&text[..text.len().min(TEXT_BYTES)]).chars() {
        if c.is_control() { readable.extend(c.escape_default()) } else { readable.push(c) }
    }
    if cut {
        readable.push('…');
    }
    readable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_reach_no_terminal_and_long_lines_are_cut() {
        assert_eq!(readable(b"\x1b[31mred\tx"), "\\u{1b}[31mred\\tx");
        assert_eq!(readable(&[b'a'; 500]).chars().count(), TEXT_BYTES + 1);
        assert_eq!(readable(b"\xff"), "\u{fffd}");
    }
}
