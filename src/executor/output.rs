//! What a program returns: the file that `$RECFLOW_OUTPUT` names.

use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use recflow_stages::StageError;
use serde_json::{Map, Value};

use super::request::{Attempt, OUTPUT_BYTES_MAX};

/// The file that a program writes its output to. It goes with the attempt, however that ends.
pub(super) struct OutputFile(PathBuf);

impl OutputFile {
    /// The file of an attempt, which is not there yet.
    pub(super) fn of(attempt: &Attempt) -> Self {
        Self(output_path(&attempt.home, &attempt.key.run, &attempt.task_id, attempt.key.attempt))
    }

    /// Creates it, empty.
    pub(super) fn create(&self) -> io::Result<()> {
        if let Some(folder) = self.0.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // What a program writes is not masked yet: it is nobody else's to read.
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.0).map(drop)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What the program wrote: a JSON document, or lines `key=value`.
    pub(super) fn read(&self) -> Result<Value, StageError> {
        read_output(&self.0)
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn output_path(home: &Path, run: &str, task: &str, attempt: u32) -> PathBuf {
    home.join("tmp").join(format!("{run}-{task}-{attempt}.output"))
}

/// Removes what an attempt whose owner died may have left: its output, in which secrets are not masked yet.
pub(super) fn remove_lost_output(home: &Path, run: &str, task: &str, attempt: u32) {
    let _ = std::fs::remove_file(output_path(home, run, task, attempt));
}

fn read_output(path: &Path) -> Result<Value, StageError> {
    // The program had the folder for itself: what lies there now may be a pipe that nobody writes or a device without
    // end. Opening waits for nobody, only a file is read, and no more of it than is allowed.
    let opened = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = match opened {
        Ok(file) => file,
        // A program may well remove the file it has no use for.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Value::Object(Map::new())),
        Err(error) => return Err(StageError::io("read", path, &error)),
    };
    let metadata = file.metadata().map_err(|error| StageError::io("read", path, &error))?;
    if !metadata.is_file() {
        return Err(StageError::input("$RECFLOW_OUTPUT is not a file any more").with_hint("write to the file; don't replace it"));
    }
    let limit = OUTPUT_BYTES_MAX as u64;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| StageError::io("read", path, &error))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(metadata.len().max(limit + 1) as usize));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| StageError::input("the output is not UTF-8 text").with_hint("write JSON or `key=value` lines to $RECFLOW_OUTPUT"))?;
    parse_output(&text)
}

fn parse_output(text: &str) -> Result<Value, StageError> {
    let not_json = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // What begins like JSON was meant as JSON: a `=` somewhere in it must not turn it into a key and a value.
    if text.trim_start().starts_with(['{', '[', '"']) {
        return Err(StageError::input("the output begins like JSON and is not").with_cause(not_json));
    }
    let mut members = Map::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let Some((key, value)) = line.split_once('=') else {
            return Err(StageError::input(format!(
                "line {} of the output is neither JSON nor `key=value`: {:?}",
                number + 1,
                excerpt(line)
            ))
            .with_hint("write one JSON document, or lines like `rows=100`, to $RECFLOW_OUTPUT"));
        };
        // Numbers, true, false and null keep their type; anything else is text.
        let value = match serde_json::from_str(value) {
            // A whole number beyond 64 bits would lose its last digits.
            Ok(Value::Number(number)) if number.is_f64() && value.trim().bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) => {
                Value::String(value.trim().to_owned())
            }
            Ok(scalar @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => scalar,
            _ => Value::String(value.to_owned()),
        };
        members.insert(key.trim().to_owned(), value);
    }
    Ok(Value::Object(members))
}

/// The beginning of a line, for messages.
fn excerpt(line: &str) -> String {
    const CHARS_MAX: usize = 80;
    match line.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

pub(super) fn too_large(size: usize) -> StageError {
    StageError::input(format!("the output has {size} bytes, more than the {} allowed", OUTPUT_BYTES_MAX))
        .with_hint("write large results to a file and return its path")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_output_is_json_or_lines_of_key_and_value() {
        assert_eq!(parse_output("").unwrap(), json!({}));
        assert_eq!(parse_output("{\"rows\": 3}\n").unwrap(), json!({ "rows": 3 }));
        assert_eq!(parse_output("[1, 2]").unwrap(), json!([1, 2]));
        assert_eq!(
            parse_output("rows=3\n\nname=a=b\nok=true\nid=007\n").unwrap(),
            json!({ "rows": 3, "name": "a=b", "ok": true, "id": "007" })
        );
        let error = parse_output("rows=3\noops\n").unwrap_err();
        assert_eq!(error.message, "line 2 of the output is neither JSON nor `key=value`: \"oops\"");
    }
}
