//! Where the daemon's own log goes: standard error, or a file that is rotated.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// A file is rotated once it is this large.
const FILE_BYTES_MAX: u64 = 10 << 20;
/// Rotated files that are kept beside it: `NAME.1` is the newest.
const FILES_KEPT: u32 = 5;

/// Form of the log's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Sends the log there. To be called once.
pub(super) fn init(format: Format, file: Option<&Path>) -> anyhow::Result<()> {
    let writer = match file {
        Some(path) => BoxMakeWriter::new(Mutex::new(Rotating::open(path)?)),
        None => BoxMakeWriter::new(io::stderr),
    };
    let builder = tracing_subscriber::fmt().with_max_level(LevelFilter::INFO).with_writer(writer).with_target(false).with_ansi(false);
    match format {
        Format::Text => builder.init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

/// A file that begins anew when it is large.
#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Rotating {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let file = append(path).with_context(|| format!("cannot write the log `{}`", path.display()))?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    fn rotate(&mut self) -> io::Result<()> {
        let numbered = |number: u32| {
            let mut name = self.path.as_os_str().to_owned();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        for number in (1..FILES_KEPT).rev() {
            let _ = fs::rename(numbered(number), numbered(number + 1));
        }
        fs::rename(&self.path, numbered(1))?;
        self.file = append(&self.path)?;
        self.bytes = 0;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Write for Rotating {
    /// A line that cannot be written is lost: the log must not stop the daemon.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.bytes + line.len() as u64 > FILE_BYTES_MAX && self.bytes > 0 {
            // If that fails, it goes on in the old file.
            let _ = self.rotate();
        }
        let written = self.file.write(line).unwrap_or(line.len());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_log_begins_anew_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daemon.log");
        let mut log = Rotating::open(&path).unwrap();
        let line = vec![b'x'; (FILE_BYTES_MAX / 2 + 1) as usize];
        for _ in 0..10 {
            log.write_all(&line).unwrap();
        }
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["daemon.log", "daemon.log.1", "daemon.log.2", "daemon.log.3", "daemon.log.4", "daemon.log.5"]);
        assert_eq!(fs::metadata(&path).unwrap().len(), line.len() as u64);
    }
}
