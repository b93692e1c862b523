//! The log of an attempt: one JSON object a line, capped in size, secrets masked before anything is written.
//!
//! ```json
//! {"t":"2026-11-23T14:00:00.125Z","level":"info","stream":"stderr","line":"loading …"}
//! ```
//!
//! The file is created with the first line, so that an attempt that says nothing costs no file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use recflow_stages::Level;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most bytes an attempt's log may have.
pub const LOG_BYTES_MAX: u64 = 10 << 20;
/// Longest line; a longer one is cut.
const LINE_BYTES_MAX: usize = 16 << 10;

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// A stage's own message.
    Stage,
    /// Standard output of a process.
    Stdout,
    /// Standard error of a process.
    Stderr,
    /// recflow itself.
    Engine,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub t: Timestamp,
    /// How much it matters.
    pub level: Level,
    /// Where it comes from.
    pub stream: Stream,
    /// The text.
    pub line: String,
}

/// Replaces secret values by `***`.
#[derive(Debug, Clone, Default)]
pub struct Mask {
    /// Longest first, so that a secret that contains another is masked whole.
    secrets: Vec<String>,
}

impl Mask {
    /// Masks each of `secrets`, as it is, line by line (logs are written so), and as JSON and messages quote it. An
    /// empty one is ignored: it would mask everything.
    pub fn new(secrets: &[String]) -> Self {
        // Shorter lines, such as the `{` and `}` of a key file, tell nothing and stand everywhere.
        const LINE_BYTES_MIN: usize = 6;
        let mut forms: Vec<String> = Vec::new();
        for secret in secrets {
            forms.push(secret.clone());
            forms.extend(secret.lines().map(str::trim).filter(|line| line.len() >= LINE_BYTES_MIN).map(str::to_owned));
        }
        let quoted: Vec<String> = forms.iter().map(|form| Value::from(form.as_str()).to_string()).collect();
        forms.extend(quoted.iter().filter_map(|text| Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned())));
        let mut secrets = forms;
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort();
        secrets.dedup();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// `text` without secrets.
    pub fn text(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for secret in &self.secrets {
            if masked.contains(secret.as_str()) {
                masked = masked.replace(secret.as_str(), "***");
            }
        }
        masked
    }

    /// `value` with every string, also map keys, without secrets. A number that shows a secret becomes masked text.
    pub fn value(&self, value: &Value) -> Value {
        if self.secrets.is_empty() {
            return value.clone();
        }
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => Value::Object(members.iter().map(|(key, member)| (self.text(key), self.value(member))).collect()),
            Value::Number(number) => {
                let text = number.to_string();
                let masked = self.text(&text);
                if masked == text { value.clone() } else { Value::String(masked) }
            }
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }
}

/// Writes an attempt's log.
#[derive(Debug)]
pub struct LogWriter {
    path: PathBuf,
    mask: Mask,
    file: Option<File>,
    written: u64,
    full: bool,
}

impl LogWriter {
    /// A log at `path`, which appears with the first line.
    pub fn new(path: PathBuf, mask: Mask) -> Self {
        Self { path, mask, file: None, written: 0, full: false }
    }

    /// Appends a line. A log that cannot be written never fails the attempt: it is an extra.
    pub fn write(&mut self, t: Timestamp, level: Level, stream: Stream, text: &str) {
        if self.full {
            return;
        }
        let masked = self.mask.text(text);
        let mut cut = masked.len().min(LINE_BYTES_MAX);
        while !masked.is_char_boundary(cut) {
            cut -= 1;
        }
        let line = if cut < masked.len() { format!("{}… ({} bytes)", &masked[..cut], masked.len()) } else { masked };
        if self.append(&Line { t, level, stream, line }).is_err() {
            self.full = true;
        } else if self.written >= LOG_BYTES_MAX {
            let line = format!("log cut here: it has reached {} MiB", LOG_BYTES_MAX >> 20);
            let _ = self.append(&Line { t, level: Level::Warn, stream: Stream::Engine, line });
            self.full = true;
        }
    }

    fn append(&mut self, line: &Line) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(create(&self.path)?),
        };
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.written += bytes.len() as u64;
        file.write_all(&bytes)
    }
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/1.jsonl");
        let mask = Mask::new(&["hunter2".to_owned(), "hunter2-long".to_owned(), String::new()]);
        let mut log = LogWriter::new(path.clone(), mask.clone());
        assert!(!path.exists(), "an attempt that says nothing costs no file");
        log.write(Timestamp::UNIX_EPOCH, Level::Info, Stream::Stdout, "token=hunter2-long and hunter2");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"t\":\"1970-01-01T00:00:00Z\",\"level\":\"info\",\"stream\":\"stdout\",\"line\":\"token=*** and ***\"}\n");
        assert_eq!(mask.value(&serde_json::json!({ "a": ["xhunter2", 1] })), serde_json::json!({ "a": ["x***", 1] }));
    }

    #[test]
    fn a_flood_is_cut_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.jsonl");
        let mut log = LogWriter::new(path.clone(), Mask::default());
        let long = "x".repeat(3 * LINE_BYTES_MAX);
        for _ in 0..2 * LOG_BYTES_MAX / LINE_BYTES_MAX as u64 {
            log.write(Timestamp::UNIX_EPOCH, Level::Info, Stream::Stdout, &long);
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.len() as u64 <= LOG_BYTES_MAX + 2 * LINE_BYTES_MAX as u64, "{}", text.len());
        let last: Line = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!((last.stream, last.level), (Stream::Engine, Level::Warn));
        assert!(last.line.contains("10 MiB"), "{}", last.line);
    }
}
