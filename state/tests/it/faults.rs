//! A full disk, a damaged file, and stored values that this crate would not have written.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use recflow_state::{Error, Result, RunFilter, Store, UnixMs};
use rusqlite::Connection;
use serde_json::json;

use crate::samples::{create, folder, id};

/// A store with run 1 and a thousand events, closed, so that everything is in the one file.
fn closed_store() -> (tempfile::TempDir, PathBuf) {
    let (folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store.write(|tx| create(tx, 1, "p")).unwrap();
    let events = vec![(UnixMs(0), json!("x".repeat(400))); 1_000];
    store.write(|tx| tx.append_events(&id(1), &events)).unwrap();
    (folder, path)
}

/// Changes a file behind the store's back.
fn tamper(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn assert_corrupt<T: std::fmt::Debug>(result: Result<T>, path: &Path) -> String {
    match result {
        Err(Error::Corrupt { path: named, detail }) if named == path => detail,
        other => panic!("expected damage of {}, got {other:?}", path.display()),
    }
}

#[test]
fn a_file_that_is_no_database_is_reported_with_its_path_and_left_as_it_is() {
    let (_folder, path) = folder();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "rank,reg\n64,0.1\n".repeat(400)).unwrap();
    assert_corrupt(Store::open(&path), &path);
    assert_corrupt(Store::open_read_only(&path), &path);
    assert!(fs::read_to_string(&path).unwrap().starts_with("rank,reg"));
}

#[test]
fn damaged_pages_are_reported_with_the_path_and_other_tables_still_read() {
    let (_folder, path) = closed_store();
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    // The last pages hold events: a thousand of them fill most of the file.
    for page in pages - 60..pages {
        file.write_all_at(&[0xa5; 4096], page * 4096).unwrap();
    }
    let store = Store::open(&path).unwrap();
    assert_corrupt(store.read(|view| view.events(&id(1))), &path);
    assert_eq!(store.read(|view| view.run(&id(1))).unwrap().pipeline, "p", "the damage stays where it is");
}

#[test]
fn a_truncated_store_is_reported_as_damaged() {
    let (_folder, path) = closed_store();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(5_000).unwrap();
    let read = || Store::open(&path)?.read(|view| view.runs(9, &RunFilter::default()));
    assert_corrupt(read(), &path);
}

#[test]
fn a_value_that_nobody_writes_is_damage_of_that_row_alone() {
    let (_folder, path) = closed_store();
    Store::open(&path).unwrap().write(|tx| create(tx, 2, "p")).unwrap();
    tamper(&path, "UPDATE run SET status = 'sleeping' WHERE id = '000000000001'; UPDATE event SET body = '{\"a\":' WHERE seq = 1");
    let store = Store::open(&path).unwrap();
    let detail = assert_corrupt(store.read(|view| view.run(&id(1))), &path);
    assert!(detail.contains("unknown run status `sleeping`: expected one of queued, running"), "{detail}");
    let detail = assert_corrupt(store.read(|view| view.events(&id(1))), &path);
    assert!(detail.contains("EOF while parsing"), "{detail}");
    assert_eq!(store.read(|view| view.run(&id(2))).unwrap().id, id(2));
}

/// A small file system of its own, unmounted at the end.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    /// `None` where mounting is not permitted.
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_reported_and_keeps_what_was_committed() {
    let Some(disk) = Tmpfs::mount("1m") else {
        eprintln!("SKIPPED: mounting a tmpfs is not permitted here");
        return;
    };
    let path = disk.0.path().join("state.db");
    let ballast = disk.0.path().join("ballast");
    fs::write(&ballast, vec![0; 300 << 10]).unwrap();
    let store = Store::open(&path).unwrap();
    store.write(|tx| create(tx, 1, "p")).unwrap();

    let append = |store: &Store| store.write(|tx| tx.append_events(&id(1), &[(UnixMs(0), json!("x".repeat(3_000)))]));
    let (kept, error) =
        (0..1_000).map(|kept| (kept, append(&store))).find(|(_, result)| result.is_err()).expect("the disk never filled up");
    assert!(matches!(error, Err(Error::Full { .. })), "{error:?}");
    assert_eq!(store.read(|view| view.events(&id(1))).unwrap().len(), kept);

    // Another process that opens the full disk finds the same, and writing goes on once there is space.
    assert_eq!(Store::open_read_only(&path).unwrap().read(|view| view.events(&id(1))).unwrap().len(), kept);
    fs::remove_file(ballast).unwrap();
    assert_eq!(append(&store).unwrap(), kept as u64 + 1);
}
