//! Which stream files have arrived, and which of them are complete.
//!
//! A file is left alone while somebody may still write to it: its name says so (hidden, `.tmp`, `.part`), it is empty, or it changed
//! within the last moments. A writer is safe in any case if it writes under another name and renames when it is done.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::record::Stamp;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::stage::WorkspacePath;
use crate::storage::parent;

/// A file that may be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) path: PathBuf,
    /// What it was when it was found complete.
    pub(super) stamp: Stamp,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrivals {
    /// Files to claim, in order of their names.
    pub(crate) ready: Vec<Arrival>,
    /// Files that are left alone, each with the reason, for people.
    pub(crate) left_alone: Vec<String>,
}

/// Looks for the files that `csv` names: a path, whose last part may hold `*` and `?`. One that changed within `settle` is watched for so long.
///
/// # Errors
/// A wildcard in a folder's name; a folder where a file should be; a folder that cannot be listed; cancellation.
pub(crate) fn find(csv: &WorkspacePath, settle: Duration, context: &Context) -> Result<Arrivals> {
    find_after(csv, settle, context, |pause| {
        const STEP: Duration = Duration::from_millis(20);
        let mut left = pause;
        while !left.is_zero() {
            context.check_cancelled()?;
            let step = left.min(STEP);
            std::thread::sleep(step);
            left -= step;
        }
        Ok(())
    })
}

fn find_after(csv: &WorkspacePath, settle: Duration, context: &Context, pause: impl FnOnce(Duration) -> Result<()>) -> Result<Arrivals> {
    let mut found = Arrivals::default();
    let mut fresh = Vec::new();
    let now = context.clock.now();
    for path in candidates(csv, context)? {
        let name = context.display(&path);
        let Some(stamp) = Stamp::of(&path).map_err(|error| StageError::io("open", &path, &error))? else { continue };
        match unfit(&path, &stamp) {
            Some(why) => found.left_alone.push(format!("`{name}` is left alone: {why}")),
            // A clock that was set back makes no file settled.
            None if settle.is_zero() || stamp.age_at(now).is_some_and(|age| age >= settle) => found.ready.push(Arrival { path, stamp }),
            None => fresh.push(Arrival { path, stamp }),
        }
    }
    if !fresh.is_empty() {
        pause(settle)?;
    }
    for arrival in fresh {
        match Stamp::of(&arrival.path).map_err(|error| StageError::io("open", &arrival.path, &error))? {
            Some(stamp) if stamp == arrival.stamp => found.ready.push(arrival),
            Some(_) => found.left_alone.push(format!("`{}` is left alone: it is still being written", context.display(&arrival.path))),
            None => {}
        }
    }
    found.ready.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The files that the input names, whatever state they are in.
fn candidates(csv: &WorkspacePath, context: &Context) -> Result<Vec<PathBuf>> {
    let path = context.resolve(csv);
    let has_wildcard = |text: &str| text.contains(['*', '?']);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !has_wildcard(csv.as_str()) {
        if path.is_dir() {
            return Err(StageError::input(format!("`csv` is a folder: `{csv}`"))
                .with_hint(format!("name the file, or all files of the folder: {}/*.csv", csv.as_str().trim_end_matches('/'))));
        }
        return Ok(vec![path]);
    }
    let folder = parent(&path);
    if !has_wildcard(name) || Path::new(csv.as_str()).parent().is_some_and(|folder| has_wildcard(&folder.to_string_lossy())) {
        return Err(StageError::input(format!("`csv` has a wildcard in a folder's name: `{csv}`"))
            .with_hint("use `*` and `?` in the last part only, such as data/streaming/*.csv"));
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StageError::io("list", folder, &error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| StageError::io("list", folder, &error))?.path();
        // What is hidden or a folder is none of a wildcard's business, as in a shell.
        let shown = path.file_name().and_then(|name| name.to_str()).is_some_and(|file| !file.starts_with('.') && matches(name, file));
        if shown && !path.is_dir() {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// Why a file cannot be complete, or is not one.
fn unfit(path: &Path, stamp: &Stamp) -> Option<&'static str> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
    if name.starts_with('.') || name.ends_with(".tmp") || name.ends_with(".part") {
        Some("its name says that it is not complete")
    } else if !stamp.is_file {
        Some("it is not a regular file")
    } else if stamp.bytes == 0 {
        Some("it is empty")
    } else {
        None
    }
}

/// Whether `name` matches `pattern`, in which `*` stands for any text and `?` for one character.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut in_name) = (0, 0);
    // The last `*`, and how much of the name it has swallowed: when what follows does not fit, it swallows one more.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(&c) if c == '?' || c == name[in_name] => (at, in_name) = (at + 1, in_name + 1),
            _ => match star {
                Some((place, swallowed)) => {
                    star = Some((place, swallowed + 1));
                    (at, in_name) = (place + 1, swallowed + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::clock::ManualClock;
    use crate::context::PublishKey;

    fn context(folder: &Path) -> Context {
        Context::plain(folder, PublishKey::new("run", "process", 0))
    }

    fn names(arrivals: &Arrivals) -> Vec<String> {
        arrivals.ready.iter().map(|arrival| arrival.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    fn no_pause(_: Duration) -> Result<()> {
        panic!("nothing is fresh")
    }

    #[test]
    fn a_pattern_finds_files_by_name_and_leaves_unfinished_ones_alone() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.csv", "c.csv.tmp", "d.csv.part", ".e.csv", "f.txt"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::write(folder.path().join("empty.csv"), "").unwrap();
        fs::create_dir(folder.path().join("folder.csv")).unwrap();
        let find = |csv: &str| find_after(&csv.into(), Duration::ZERO, &context(folder.path()), no_pause).unwrap();
        let found = find("*.csv");
        assert_eq!(names(&found), ["a.csv", "b.csv"]);
        assert_eq!(found.left_alone, ["`empty.csv` is left alone: it is empty"]);
        assert_eq!(names(&find("?.csv*")), ["a.csv", "b.csv"]);
        assert_eq!(find("c.csv.tmp").left_alone, ["`c.csv.tmp` is left alone: its name says that it is not complete"]);
        assert_eq!(find(".e.csv").left_alone.len(), 1);
        assert_eq!((find("no.csv"), find("no/*.csv")), (Arrivals::default(), Arrivals::default()));
    }

    #[test]
    fn a_folder_and_a_wildcard_in_a_folder_are_refused_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        for (csv, hint) in [(".", "all files of the folder"), ("*/a.csv", "in the last part only"), ("*/*.csv", "in the last part only")] {
            let error = find(&csv.into(), Duration::ZERO, &context(folder.path())).unwrap_err();
            assert!(error.hint.unwrap().contains(hint), "{csv}");
        }
    }

    #[test]
    fn a_file_that_changes_while_it_is_watched_is_left_alone_and_one_that_does_not_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (still, growing, gone) = (folder.path().join("1.csv"), folder.path().join("2.csv"), folder.path().join("3.csv"));
        for path in [&still, &growing, &gone] {
            fs::write(path, "x").unwrap();
        }
        let mut watched = None;
        let found = find_after(&"*.csv".into(), Duration::from_secs(9), &context(folder.path()), |pause| {
            watched = Some(pause);
            fs::write(&growing, "xy").unwrap();
            fs::remove_file(&gone).unwrap();
            Ok(())
        });
        let found = found.unwrap();
        assert_eq!((names(&found), watched), (vec!["1.csv".to_owned()], Some(Duration::from_secs(9))));
        assert_eq!(found.left_alone, ["`2.csv` is left alone: it is still being written"]);
    }

    #[test]
    fn a_file_that_has_not_changed_for_so_long_is_taken_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("current.csv");
        fs::write(&path, "x").unwrap();
        let written: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(written.as_second() as u64))
            .unwrap();
        let at = |seconds: i64| {
            let clock = ManualClock::new(written + jiff::SignedDuration::from_secs(seconds));
            Context { clock: Arc::new(clock), ..context(folder.path()) }
        };
        let settle = Duration::from_secs(5);
        assert_eq!(find_after(&"current.csv".into(), settle, &at(5), no_pause).unwrap().ready.len(), 1);
        for fresh in [4, -60] {
            let mut paused = false;
            let found = find_after(&"current.csv".into(), settle, &at(fresh), |_| {
                paused = true;
                Ok(())
            });
            assert_eq!((found.unwrap().ready.len(), paused), (1, true), "{fresh} seconds old");
        }
    }

    /// The meaning, by recursion.
    fn matches_by_definition(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], _) => name.is_empty(),
            (['*', rest @ ..], _) => (0..=name.len()).any(|swallowed| matches_by_definition(rest, &name[swallowed..])),
            ([c, rest @ ..], [first, others @ ..]) => (*c == '?' || c == first) && matches_by_definition(rest, others),
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_its_definition_says(pattern in "[ab?*]{0,6}", name in "[ab]{0,6}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), matches_by_definition(&chars(&pattern), &chars(&name)));
        }
    }
}
