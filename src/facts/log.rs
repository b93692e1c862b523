//! A part of an attempt's log: whole lines from a place in the file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::executor::log::Line;

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LogPart {
    /// Where it begins, in bytes from the start of the log.
    pub offset: u64,
    /// Where the next part begins.
    pub next_offset: u64,
    /// Bytes of the log as it is now.
    pub size: u64,
    /// Whether nothing follows any more: the attempt is over and this is its end.
    pub complete: bool,
    /// The lines, each a JSON object `{"t", "level", "stream", "line"}`; one that is none is not recflow's.
    pub text: String,
}

/// Whole lines of the log at `path` from `offset` on, at most about `limit` bytes of them. A log that is not there yet, or any more, is
/// empty. `is_over` says that nothing is written to it any more: a last line without an end is given then, too.
///
/// # Errors
/// If the file cannot be read.
pub fn part(path: &Path, offset: u64, limit: u64, is_over: bool) -> io::Result<LogPart> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(LogPart { offset: 0, next_offset: 0, size: 0, complete: is_over, text: String::new() });
        }
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    let offset = offset.min(size);
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    let at_end = offset + bytes.len() as u64 >= size;
    let whole = match bytes.iter().rposition(|byte| *byte == b'\n') {
        _ if at_end && is_over => bytes.len(),
        Some(last) => last + 1,
        // A line longer than the limit, which recflow does not write: cut, so that whoever reads gets on.
        None if !at_end => bytes.len(),
        None => 0,
    };
    bytes.truncate(whole);
    let next_offset = offset + whole as u64;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(LogPart { offset, next_offset, size, complete: is_over && next_offset >= size, text })
}

/// Where the last `bytes` bytes of the log at `path` begin, rounded up to the start of a line.
///
/// # Errors
/// If the file cannot be read.
pub fn tail(path: &Path, bytes: u64) -> io::Result<u64> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    let Some(from) = size.checked_sub(bytes).filter(|from| *from > 0) else { return Ok(0) };
    // The line that the place falls into is left out; if that is the last one, it is all that there is.
    file.seek(SeekFrom::Start(from - 1))?;
    let mut end = Vec::new();
    file.take(bytes + 1).read_to_end(&mut end)?;
    let next = end.iter().position(|byte| *byte == b'\n').map_or(from, |at| from + at as u64);
    Ok(if next < size { next } else { from })
}

/// The log at `path` as people read it: `time level stream text`, a line each.
///
/// # Errors
/// If the file cannot be read.
pub fn plain(path: &Path) -> io::Result<String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    for line in String::from_utf8_lossy(&bytes).lines() {
        match serde_json::from_str::<Line>(line) {
            Ok(Line { t, level, stream, line }) => {
                let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                let (level, stream) = (word(serde_json::json!(level)), word(serde_json::json!(stream)));
                text.push_str(&format!("{t:.3} {level:5} {stream:6} {line}\n"));
            }
            Err(_) => text.push_str(&format!("{line}\n")),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.jsonl");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn a_log_is_read_line_by_line_and_half_a_line_waits_for_its_end() {
        let (_folder, path) = log("one\ntwo\nthr");
        let read = part(&path, 0, 6, false).unwrap();
        assert_eq!((read.text.as_str(), read.next_offset, read.size, read.complete), ("one\n", 4, 11, false));
        let read = part(&path, 4, 100, false).unwrap();
        assert_eq!((read.text.as_str(), read.next_offset, read.complete), ("two\n", 8, false));
        assert_eq!(part(&path, 8, 100, false).unwrap().next_offset, 8);
        let read = part(&path, 8, 100, true).unwrap();
        assert_eq!((read.text.as_str(), read.next_offset, read.complete), ("thr", 11, true));
        assert_eq!(part(&path, 99, 100, true).unwrap().offset, 11, "beyond the end is the end");
    }

    #[test]
    fn a_line_longer_than_the_limit_keeps_nobody_from_getting_on() {
        let (_folder, path) = log(&"x".repeat(100));
        let read = part(&path, 0, 10, false).unwrap();
        assert_eq!((read.text.len(), read.next_offset), (10, 10));
    }

    #[test]
    fn the_tail_begins_with_a_line() {
        let (_folder, path) = log("one\ntwo\nthree\n");
        assert_eq!([1000, 14, 6, 7, 10, 11].map(|bytes| tail(&path, bytes).unwrap()), [0, 0, 8, 8, 4, 4]);
        assert_eq!(tail(&path, 2).unwrap(), 12, "no line begins there");
    }

    #[test]
    fn a_log_that_is_not_there_is_empty() {
        let gone = Path::new("/nowhere/at/all");
        assert_eq!(part(gone, 5, 10, true).unwrap(), LogPart { offset: 0, next_offset: 0, size: 0, complete: true, text: String::new() });
        assert_eq!((tail(gone, 5).unwrap(), plain(gone).unwrap()), (0, String::new()));
    }
}
