//! A file system without hard links: the same, with copies. One without symbolic links: refused before anything is written.

use std::cell::Cell;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use super::storage::TestDisk;
use super::*;
use crate::storage::Storage;

thread_local! {
    static WITHOUT_LINKS: Cell<bool> = const { Cell::new(false) };
}

/// The disk of a new [`Place`] on this thread.
pub(super) fn disk() -> TestDisk {
    if WITHOUT_LINKS.get() { TestDisk::without_links() } else { TestDisk::new() }
}

#[test]
fn whatever_is_published_is_the_same_without_hard_links() {
    WITHOUT_LINKS.set(true);
    // Every test of publishing that does not speak of the links themselves.
    publishing::rows_land_in_the_month_of_their_date_and_are_read_in_order();
    publishing::an_upsert_keeps_one_row_a_key_with_the_highest_rating();
    publishing::the_same_rows_give_the_same_bytes_and_fingerprint_however_they_arrive();
    publishing::overwrite_replaces_and_append_keeps_duplicates_until_an_upsert();
    publishing::half_stars_make_a_float_dataset_and_are_refused_in_one_of_whole_stars();
    publishing::the_same_work_is_published_once_even_after_others_published();
    publishing::the_last_three_snapshots_are_kept();
    publishing::an_empty_dataset_can_be_published_opened_and_filled();
    publishing::upserts_agree_with_a_map();
    adopted::nulls_duplicates_wrong_months_and_other_types_are_mended_by_the_first_upsert();
    adopted::a_row_in_the_folder_of_a_later_month_joins_its_own_month();
    adopted::an_empty_folder_becomes_a_dataset();
    added::upserts_keep_added_columns_as_a_map_would();
    rollback::rolling_back_again_goes_further_back_and_a_number_goes_anywhere();
    rollback::a_reader_keeps_its_snapshot_through_rollbacks_and_prunes();
    unchanged::an_upsert_of_rows_that_are_all_there_writes_no_snapshot();
}

#[test]
fn without_hard_links_a_month_that_does_not_change_is_a_copy_with_the_same_bytes() {
    WITHOUT_LINKS.set(true);
    let place = Place::new();
    place.upsert("train", &[(1, 1, 3.0, "2005-01-01")]);
    let file = |snapshot: u64| place.path(&format!(".train.snapshots/{snapshot}/year=2005/month=1/part-00000.parquet"));
    place.upsert("train", &[(1, 1, 3.0, "2005-02-01")]);
    assert_ne!(fs::metadata(file(1)).unwrap().ino(), fs::metadata(file(2)).unwrap().ino());
    assert_eq!(fs::read(file(1)).unwrap(), fs::read(file(2)).unwrap());
}

#[test]
fn a_copy_on_the_real_disk_has_the_bytes_and_replaces_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    fs::write(&from, vec![7; 1_000_000]).unwrap();
    fs::write(&to, vec![1; 2_000_000]).unwrap();
    crate::storage::Disk.copy(&from, &to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), fs::read(&from).unwrap());
    assert_eq!(crate::storage::Disk.copy(&folder.path().join("none"), &to).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_file_system_without_symbolic_links_is_refused_with_a_remedy_and_nothing_is_left() {
    let place = Place::new();
    let context = Context { storage: Arc::new(TestDisk::without_any_links()), ..place.context("a") };
    let error = publish(&[(&place.path("train"), change(&[(1, 1, 3.0, "2005-01-01")]))], &context).unwrap_err();
    assert_eq!(error.message, "`train` lies on a file system without symbolic links, which a dataset needs");
    assert!(error.hint.unwrap().contains("ext4"));
    assert!(!place.path("train").exists());
}
