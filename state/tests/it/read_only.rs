//! Looking at a store without being able to write it.
//!
//! The tests run as root too, whom permissions do not stop, so they give up their rights to files for their
//! own thread (`setfsuid`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

use recflow_state::{Error, RunFilter, RunStatus, Store};

use crate::samples::{create, folder, id};

/// Runs `work` as a user who owns nothing.
fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    const NOBODY: libc::uid_t = 65_534;
    let unprivileged = || {
        // SAFETY: the call takes no pointers. It changes the file-system user of this thread alone, which ends
        // right after `work`. Without privilege it changes nothing, and the caller is nobody's equal already.
        unsafe { libc::setfsuid(NOBODY) };
        work()
    };
    thread::scope(|scope| scope.spawn(unprivileged).join().unwrap())
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder that nobody may write, with a store that holds run 1 and was closed properly.
fn read_only_store() -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, path) = folder();
    Store::open(&path).unwrap().write(|tx| create(tx, 1, "p")).unwrap();
    set_mode(folder.path(), 0o755);
    set_mode(&path, 0o444);
    set_mode(path.parent().unwrap(), 0o555);
    (folder, path)
}

#[test]
fn a_reader_of_nothing_says_that_there_is_no_run_yet_and_makes_no_file() {
    let (_folder, path) = folder();
    let error = Store::open_read_only(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("no run yet: `{}` does not exist", path.display()));
    assert!(error.hint().unwrap().contains("recflow run FILE"));
    assert!(!path.parent().unwrap().exists());
}

#[test]
fn a_file_that_a_writer_has_only_just_made_counts_as_none() {
    let (_folder, path) = folder();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    assert!(matches!(Store::open_read_only(&path), Err(Error::NoStore { .. })));
}

#[test]
fn a_closed_store_is_read_where_nothing_can_be_written() {
    let (_folder, path) = read_only_store();
    let runs = as_nobody(|| Store::open_read_only(&path)?.read(|view| view.runs(9, &RunFilter::default()))).unwrap();
    assert_eq!((runs.len(), runs[0].status), (1, RunStatus::Queued));
    let files = fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(files, 1, "nothing was left beside it");
}

#[test]
fn a_store_in_use_is_read_by_someone_who_may_not_write_it() {
    let (folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store.write(|tx| create(tx, 1, "p")).unwrap();
    set_mode(folder.path(), 0o755);
    set_mode(path.parent().unwrap(), 0o555);
    let run = as_nobody(|| Store::open_read_only(&path)?.read(|view| view.run(&id(1)))).unwrap();
    assert_eq!(run.pipeline, "p");
}

#[test]
fn writing_there_fails_at_once_with_the_path_and_a_remedy() {
    let (_folder, path) = read_only_store();
    let error = as_nobody(|| Store::open(&path)).unwrap_err();
    assert!(matches!(&error, Error::ReadOnly { path: named, .. } if *named == path), "{error:?}");
    assert!(error.hint().unwrap().contains("RECFLOW_HOME"));

    let below = path.parent().unwrap().join("deeper/state.db");
    let error = as_nobody(|| Store::open(&below)).unwrap_err();
    assert!(error.to_string().contains("ermission denied"), "{error}");
}

#[test]
fn a_store_that_may_not_be_written_in_a_folder_that_may_is_refused_when_it_is_opened() {
    let (_folder, path) = read_only_store();
    set_mode(path.parent().unwrap(), 0o777);
    let error = as_nobody(|| Store::open(&path)).unwrap_err();
    assert!(matches!(&error, Error::ReadOnly { path: named, .. } if *named == path), "{error:?}");
}

#[test]
fn a_store_that_may_not_be_read_says_so() {
    let (_folder, path) = read_only_store();
    set_mode(&path, 0o000);
    let error = as_nobody(|| Store::open_read_only(&path)).unwrap_err();
    assert!(!matches!(error, Error::NoStore { .. } | Error::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}
