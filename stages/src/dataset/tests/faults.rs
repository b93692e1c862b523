//! Faults at every write: the datasets of a publication are all old or all new, and doing the work again gives the right result.
//!
//! Two kinds of storage are swept over every operation of a publication of two datasets. `FailAfter` is a disk that is full from the n-th
//! operation on, where a failed attempt may still tidy up. `TestDisk::dying_after` refuses everything from the n-th operation on, removing too: what is on disk then is what
//! `kill -9` at that instruction leaves.

use std::fs;
use std::io;
use std::sync::Arc;

use super::storage::TestDisk;
use super::*;
use crate::storage::{FailAfter, Storage};

const OLD: [Rating; 2] = [(1, 1, 3.0, "2005-01-01"), (1, 1, 3.0, "2005-02-01")];
const NEW: [Rating; 2] = [(1, 1, 5.0, "2005-01-01"), (2, 2, 2.0, "2005-03-01")];
const BOTH: [Rating; 3] = [(1, 1, 5.0, "2005-01-01"), (1, 1, 3.0, "2005-02-01"), (2, 2, 2.0, "2005-03-01")];

/// How the datasets begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Absent,
    Published,
    Adopted,
}

fn prepare(place: &Place, start: Start) {
    for name in ["train", "deep/test"] {
        match start {
            Start::Absent => {}
            Start::Published => {
                place.upsert(name, &OLD);
            }
            Start::Adopted => {
                // A plain folder with the files of a dataset is what another engine leaves.
                place.upsert("other", &OLD);
                for file in place.files("other") {
                    let to = place.path(name).join(&file);
                    fs::create_dir_all(to.parent().unwrap()).unwrap();
                    fs::copy(place.path("other").join(&file), to).unwrap();
                }
            }
        }
    }
}

/// Which of the two states a dataset is in; panics on any other.
fn state(place: &Place, name: &str, start: Start) -> &'static str {
    let context = place.context("reader");
    let rows = match Dataset::open(&place.path(name), &context) {
        Ok(dataset) => listed(&dataset, &context),
        Err(error) if start == Start::Absent && error.message.starts_with("there is no dataset") => return "old",
        Err(error) => panic!("{name} cannot be read: {error}"),
    };
    let new = if start == Start::Absent { owned(&NEW) } else { owned(&BOTH) };
    match rows {
        rows if rows == new => "new",
        rows if rows == owned(&OLD) => "old",
        rows => panic!("{name} is neither old nor new: {rows:?}"),
    }
}

/// Sweeps the fault over the first, second, third, ... operation until the publication succeeds. Returns how many there were, and at how many of
/// them the publication was already committed.
fn sweep(start: Start, storage: impl Fn(u64) -> Arc<dyn Storage>) -> (u64, u64) {
    let mut committed = 0;
    for operations in 0.. {
        assert!(operations < 1_000, "the sweep does not end");
        let place = Place::new();
        prepare(&place, start);
        let work = |context: &Context| {
            let (train, test) = (place.path("train"), place.path("deep/test"));
            publish(&[(&train, change(&NEW)), (&test, change(&NEW))], context)
        };
        let context = Context { storage: storage(operations), ..place.context("work") };
        let result = work(&context);
        // A fault after the commit is an error too, but what was committed stays so.
        let after_fault = [state(&place, "train", start), state(&place, "deep/test", start)];
        assert_eq!(after_fault[0], after_fault[1], "{start:?}: the datasets differ after a fault at operation {operations}");
        if result.is_ok() {
            assert_eq!(after_fault[0], "new");
            return (operations, committed);
        }
        committed += u64::from(after_fault[0] == "new");

        let again = work(&Context { storage: Arc::new(TestDisk::new()), ..context }).unwrap();
        assert_eq!(again.is_empty(), after_fault[0] == "new", "what was committed is not done twice");
        assert_eq!([state(&place, "train", start), state(&place, "deep/test", start)], ["new"; 2]);
        check_tidy(&place, operations);
    }
    unreachable!("the loop returns")
}

/// Nothing but snapshots, manifests, the lock and the empty folder of commits is left.
fn check_tidy(place: &Place, operations: u64) {
    for root in [".train.snapshots", "deep/.test.snapshots"] {
        for entry in fs::read_dir(place.path(root)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let expected = name == "lock" || name == "commits" || name.trim_end_matches(".json").parse::<u64>().is_ok();
            assert!(expected, "`{root}/{name}` is left after a fault at operation {operations}");
        }
        let listed = |is_wanted: fn(&Path) -> bool| {
            let entries = fs::read_dir(place.path(root)).unwrap().map(|entry| entry.unwrap().path());
            let numbers = entries.filter(|path| is_wanted(path)).filter_map(|path| path.file_stem()?.to_str()?.parse::<u64>().ok());
            numbers.collect::<std::collections::BTreeSet<u64>>()
        };
        assert_eq!(listed(|path| path.is_dir()), listed(|path| path.is_file()), "after a fault at operation {operations} in `{root}`");
        if let Ok(mut commits) = fs::read_dir(place.path(root).join("commits")) {
            assert!(commits.next().is_none(), "a commit file is left after a fault at operation {operations}");
        }
    }
    for folder in ["", "deep"] {
        let left = fs::read_dir(place.path(folder)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(left.filter(|name| name.ends_with(".tmp")).count(), 0);
    }
}

#[test]
fn a_disk_that_fills_up_at_any_write_leaves_old_or_new_and_the_rerun_is_right() {
    for start in [Start::Absent, Start::Published, Start::Adopted] {
        let (operations, committed) = sweep(start, |n| Arc::new(FailAfter::new(TestDisk::new(), n, io::ErrorKind::StorageFull)));
        assert!(operations > 30 && committed > 3, "{start:?}: {operations} operations, {committed} after the commit");
    }
}

#[test]
fn a_death_at_any_write_leaves_old_or_new_and_the_rerun_is_right() {
    for start in [Start::Absent, Start::Published, Start::Adopted] {
        let (operations, committed) = sweep(start, |n| Arc::new(TestDisk::dying_after(n)));
        assert!(operations > 30 && committed > 5, "{start:?}: {operations} operations, {committed} after the commit");
    }
}

#[test]
fn a_disk_that_fills_up_while_files_are_copied_for_want_of_links_leaves_old_or_new() {
    for start in [Start::Published, Start::Adopted] {
        let (operations, _) = sweep(start, |n| Arc::new(FailAfter::new(TestDisk::without_links(), n, io::ErrorKind::StorageFull)));
        assert!(operations > 30, "{start:?}: {operations} operations");
    }
}

#[test]
fn an_interrupted_publication_of_another_run_is_finished_by_a_run_that_uses_one_of_its_datasets() {
    // Find the operation after which the publication is committed but not switched, then let a run that only knows `deep/test` come by.
    let finished = (0..200).find(|&operations| {
        let place = Place::new();
        prepare(&place, Start::Published);
        let context = Context { storage: Arc::new(TestDisk::dying_after(operations)), ..place.context("work") };
        let (train, test) = (place.path("train"), place.path("deep/test"));
        let died = publish(&[(&train, change(&NEW)), (&test, change(&NEW))], &context).is_err();
        let link = fs::read_link(&train).unwrap();
        let committed = place
            .path(".train.snapshots/commits")
            .read_dir()
            .is_ok_and(|mut commits| commits.any(|entry| !entry.unwrap().file_name().into_string().unwrap().starts_with('.')));
        if !(died && committed && link.ends_with("1")) {
            return false;
        }
        place.upsert("deep/test", &[(7, 7, 1.0, "2005-07-07")]);
        assert!(fs::read_link(&train).unwrap().ends_with("2"), "`train` was switched too");
        assert_eq!(place.read("deep/test").len(), 4);
        true
    });
    assert!(finished.is_some(), "no operation lies between commit and switch");
}

#[test]
fn a_reader_that_may_not_write_reads_what_was_committed() {
    let mut seen = 0;
    for operations in 0..200 {
        let place = Place::new();
        prepare(&place, Start::Published);
        let context = Context { storage: Arc::new(TestDisk::dying_after(operations)), ..place.context("work") };
        if publish(&[(&place.path("train"), change(&NEW))], &context).is_ok() {
            break;
        }
        let reader = Context { storage: Arc::new(TestDisk::dying_after(0)), ..place.context("reader") };
        let rows = listed(&Dataset::open(&place.path("train"), &reader).unwrap(), &reader);
        if fs::read_link(place.path("train")).unwrap().ends_with("1") && rows == owned(&BOTH) {
            seen += 1;
        }
        assert!(rows == owned(&OLD) || rows == owned(&BOTH));
    }
    assert!(seen > 0, "committed rows were never read past the old link");
}

#[test]
fn a_folder_in_place_of_the_link_is_not_overwritten_by_a_pending_switch() {
    for operations in 0..200 {
        let place = Place::new();
        prepare(&place, Start::Published);
        let context = Context { storage: Arc::new(TestDisk::dying_after(operations)), ..place.context("work") };
        publish(&[(&place.path("train"), change(&NEW))], &context).unwrap_err();
        let committed = fs::read_dir(place.path(".train.snapshots/commits"))
            .is_ok_and(|mut files| files.any(|file| !file.unwrap().file_name().to_string_lossy().starts_with('.')));
        if committed {
            fs::remove_file(place.path("train")).unwrap();
            fs::create_dir(place.path("train")).unwrap();
            let error = publish(&[(&place.path("train"), change(&NEW))], &place.context("other")).unwrap_err();
            assert!(error.message.starts_with("a folder appeared at"), "{error}");
            assert!(place.path("train").is_dir());
            return;
        }
    }
    panic!("never committed");
}
