//! The world that triggers watch: files and datasets. Behind a trait, so that the simulator makes its own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::events::Found;
use crate::pipeline::EventSource;

/// Whoever knows what is there.
pub trait World {
    /// What is there of what a trigger watches. Nothing, for other pipelines: the store knows those.
    fn look(&self, source: &EventSource) -> Found;
}

/// The disk.
#[derive(Debug)]
pub struct Disk {
    /// The folder that relative paths refer to.
    pub root: PathBuf,
}

impl World for Disk {
    fn look(&self, source: &EventSource) -> Found {
        match source {
            EventSource::Pipeline { .. } => Found::default(),
            EventSource::Dataset { path } => Found { snapshot: snapshot(&self.root.join(path)), files: BTreeMap::new() },
            EventSource::File { pattern } => Found { snapshot: None, files: self.files(pattern) },
        }
    }
}

impl Disk {
    fn files(&self, pattern: &str) -> BTreeMap<String, String> {
        let (folder, name) = pattern.rsplit_once('/').map_or(("", pattern), |(folder, name)| (folder, name));
        let Ok(entries) = fs::read_dir(self.root.join(folder)) else { return BTreeMap::new() };
        let mut files = BTreeMap::new();
        for entry in entries.flatten() {
            let Ok(found) = entry.file_name().into_string() else { continue };
            if found.starts_with('.') && !name.starts_with('.') || !matches(name, &found) {
                continue;
            }
            let Ok(metadata) = fs::metadata(entry.path()) else { continue };
            if metadata.is_file() {
                let path = if folder.is_empty() { found } else { format!("{folder}/{found}") };
                files.insert(path, format!("{} {}.{:09} {}", metadata.len(), metadata.mtime(), metadata.mtime_nsec(), metadata.ino()));
            }
        }
        files
    }
}

/// The snapshot that a dataset's path leads to; of a plain folder, when it last changed.
fn snapshot(path: &Path) -> Option<String> {
    if let Ok(target) = fs::read_link(path) {
        return Some(target.file_name()?.to_string_lossy().into_owned());
    }
    let metadata = fs::metadata(path).ok()?;
    Some(format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec()))
}

/// Whether a name fits a pattern in which `*` stands for any text and `?` for one character.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => (p, n) = (p + 1, n + 1),
            // The last star takes one character more.
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_a_shell() {
        for (pattern, name, fits) in [
            ("*.csv", "a.csv", true),
            ("*.csv", ".csv", true),
            ("*.csv", "a.csv.tmp", false),
            ("r?_*.c*v", "r1_x.y.csv", true),
            ("r?_*.c*v", "r_x.csv", false),
            ("**", "", true),
            ("a*b*c", "aXbXbYc", true),
            ("a*b*c", "aXbXbY", false),
            ("plain", "plain", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_file_that_grows_looks_different_and_hidden_files_are_not_seen() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk { root: folder.path().to_owned() };
        let source = EventSource::File { pattern: "in/*.csv".to_owned() };
        assert_eq!(disk.look(&source), Found::default());
        fs::create_dir(folder.path().join("in")).unwrap();
        for name in [".hidden.csv", "a.csv", "b.txt"] {
            fs::write(folder.path().join("in").join(name), "1").unwrap();
        }
        let before = disk.look(&source);
        assert_eq!(before.files.keys().collect::<Vec<_>>(), ["in/a.csv"]);
        fs::write(folder.path().join("in/a.csv"), "12").unwrap();
        assert_ne!(disk.look(&source), before);
    }
}
