//! Named ids: rows and names change together, whatever dies in between, and nobody mixes numbers into them.

use std::fs;
use std::io;

use super::storage::TestDisk;
use super::*;
use crate::dataset::{overview, prune_snapshots, rollback};
use crate::names::{NameMap, Names};
use crate::storage::{FailAfter, Storage};

fn users(names: &[&str]) -> Names {
    let mut map = NameMap::default();
    names.iter().for_each(|name| drop(map.id_or_add(name)));
    Names { users: Some(Arc::new(map)), items: None }
}

/// Publishes rows whose users have these names.
fn publish_named(place: &Place, names: &[&str], rows: &[Rating], mode: Mode, context: &Context) -> Result<()> {
    let path = place.path("train");
    let mut transaction = match Transaction::begin(&[&path], context)? {
        Begin::Published(_) => return Ok(()),
        Begin::Open(transaction) => transaction,
    };
    transaction.name_ids(0, users(names));
    transaction.write(0, (&Change { mode, ..change(rows) }).into(), &Layout::default())?;
    transaction.commit(&"done")
}

fn names_of(place: &Place) -> Vec<String> {
    let dataset = Dataset::open(&place.path("train"), &place.context("reader")).unwrap();
    let names = dataset.names().unwrap().users;
    names.map(|names| names.iter().map(str::to_owned).collect()).unwrap_or_default()
}

/// The lists on disk.
fn lists(place: &Place) -> usize {
    fs::read_dir(place.path(".train.snapshots/ids")).map_or(0, Iterator::count)
}

const ANN: [Rating; 1] = [(1, 0, 3.0, "2005-01-01")];
const BOB: [Rating; 1] = [(1, 1, 4.0, "2005-02-01")];

#[test]
fn names_are_published_with_the_rows_and_shown() {
    let place = Place::new();
    publish_named(&place, &["ann"], &ANN, Mode::Upsert, &place.context("a")).unwrap();
    publish_named(&place, &["ann", "bob"], &BOB, Mode::Upsert, &place.context("b")).unwrap();
    assert_eq!(names_of(&place), ["ann", "bob"]);
    let context = place.context("reader");
    let dataset = Dataset::open(&place.path("train"), &context).unwrap();
    let counts = overview(&dataset, &context).unwrap().info.ids.unwrap();
    assert_eq!((counts.users, counts.items), (Some(2), None));
    assert!(place.files("train").iter().all(|file| file.starts_with("year=")), "{:?}", place.files("train"));
}

#[test]
fn the_same_rows_with_other_names_are_another_content() {
    let fingerprint = |names: Option<&[&str]>| {
        let place = Place::new();
        match names {
            Some(names) => publish_named(&place, names, &ANN, Mode::Upsert, &place.context("a")).unwrap(),
            None => drop(place.upsert("train", &ANN)),
        }
        Dataset::open(&place.path("train"), &place.context("reader")).unwrap().fingerprint().to_owned()
    };
    let ann = fingerprint(Some(&["ann"]));
    assert_eq!(fingerprint(Some(&["ann"])), ann);
    assert_ne!(fingerprint(Some(&["bob"])), ann);
    assert_ne!(fingerprint(None), ann);
}

#[test]
fn numbers_are_not_mixed_into_names_unless_everything_is_replaced() {
    let place = Place::new();
    publish_named(&place, &["ann"], &ANN, Mode::Upsert, &place.context("a")).unwrap();
    let error = publish(&[(&place.path("train"), change(&BOB))], &place.context("b")).unwrap_err();
    assert!(error.message.contains("ids of its users or items mapped") && error.hint.unwrap().contains("`import`"));
    assert_eq!((names_of(&place), place.read("train")), (vec!["ann".to_owned()], owned(&ANN)));
    let overwrite = Change { mode: Mode::Overwrite, ..change(&BOB) };
    publish(&[(&place.path("train"), overwrite)], &place.context("c")).unwrap();
    assert_eq!((names_of(&place).len(), place.read("train")), (0, owned(&BOB)));
}

#[test]
fn a_rollback_brings_the_names_back_and_pruning_removes_those_that_nobody_needs() {
    let place = Place::new();
    publish_named(&place, &["ann"], &ANN, Mode::Upsert, &place.context("a")).unwrap();
    publish_named(&place, &["ann", "bob"], &BOB, Mode::Upsert, &place.context("b")).unwrap();
    assert_eq!(lists(&place), 2);
    rollback(&place.path("train"), None, &place.context("back")).unwrap();
    assert_eq!((names_of(&place), place.read("train")), (vec!["ann".to_owned()], owned(&ANN)));
    prune_snapshots(&place.path("train"), 1, &place.context("prune")).unwrap();
    assert_eq!((lists(&place), names_of(&place)), (1, vec!["ann".to_owned()]));
}

#[test]
fn a_reader_keeps_the_names_of_its_snapshot() {
    let place = Place::new();
    publish_named(&place, &["ann"], &ANN, Mode::Upsert, &place.context("a")).unwrap();
    let context = place.context("reader");
    let old = Dataset::open(&place.path("train"), &context).unwrap();
    for number in 0..5 {
        let names: Vec<String> = (0..=number).map(|user| format!("user {user}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        publish_named(&place, &names, &ANN, Mode::Overwrite, &place.context(&format!("run {number}"))).unwrap();
    }
    assert_eq!(old.names().unwrap().users.unwrap().name(0), Some("ann"));
    drop(old);
    publish_named(&place, &["zoe"], &ANN, Mode::Overwrite, &place.context("last")).unwrap();
    assert_eq!(lists(&place), 3, "one for each snapshot that is kept");
}

#[test]
fn a_list_that_was_changed_is_refused() {
    let place = Place::new();
    publish_named(&place, &["ann"], &ANN, Mode::Upsert, &place.context("a")).unwrap();
    let list = fs::read_dir(place.path(".train.snapshots/ids")).unwrap().next().unwrap().unwrap().path();
    let mut other = Vec::new();
    crate::names::write(users(&["eve"]).users.as_ref().unwrap(), &mut other).unwrap();
    fs::write(&list, other).unwrap();
    let dataset = Dataset::open(&place.path("train"), &place.context("reader")).unwrap();
    assert!(dataset.names().unwrap_err().message.contains("does not hold the names"));
}

#[test]
fn whatever_fails_rows_and_names_are_both_old_or_both_new_and_nothing_is_left_behind() {
    let sweep = |kill: bool| {
        for step in 0.. {
            let place = Place::new();
            publish_named(&place, &["ann"], &ANN, Mode::Upsert, &place.context("a")).unwrap();
            let storage: Arc<dyn Storage> = if kill {
                Arc::new(TestDisk::dying_after(step))
            } else {
                Arc::new(FailAfter::new(TestDisk::new(), step, io::ErrorKind::StorageFull))
            };
            let failing = Context { storage, ..place.context("b") };
            let result = publish_named(&place, &["ann", "bob"], &BOB, Mode::Upsert, &failing);
            let state = (names_of(&place).len(), place.read("train").len());
            assert!(matches!(state, (1, 1) | (2, 2)), "step {step}: {state:?}");
            // The same work again.
            publish_named(&place, &["ann", "bob"], &BOB, Mode::Upsert, &place.context("b")).unwrap();
            assert_eq!((names_of(&place).len(), place.read("train").len()), (2, 2), "step {step}");
            prune_snapshots(&place.path("train"), 1, &place.context("prune")).unwrap();
            assert_eq!(lists(&place), 1, "step {step}");
            if result.is_ok() {
                return step;
            }
        }
        0
    };
    assert!(sweep(true) > 10 && sweep(false) > 10);
}
