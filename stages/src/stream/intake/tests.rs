//! Claims taken, put back, adopted and archived, by hand.

use std::sync::Arc;

use super::*;
use crate::clock::ManualClock;
use crate::error::ErrorKind;
use crate::stream::find;

fn context(folder: &Path, run: &str) -> Context {
    let clock = ManualClock::new("2026-11-23T17:25:03Z".parse().unwrap());
    Context { clock: Arc::new(clock), ..Context::plain(folder, PublishKey::new(run, "process", 0)) }
}

fn take(intake: &Intake<'_>, left: &[Claim]) -> Claim {
    let arrivals = find(&"current.csv".into(), std::time::Duration::ZERO, intake.context).unwrap();
    intake.take(left, &arrivals.ready, After::Archive).unwrap()
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_writer_that_goes_on_after_the_claim_is_noticed_and_its_file_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "r1");
    let intake = Intake::open(folder.path(), &context).unwrap();
    let original = folder.path().join("current.csv");
    fs::write(&original, "one").unwrap();
    let mut writer = fs::File::options().append(true).open(&original).unwrap();
    let claim = take(&intake, &[]);
    intake.check_unchanged(&claim).unwrap();
    std::io::Write::write_all(&mut writer, b" two").unwrap();
    let error = intake.check_unchanged(&claim).unwrap_err();
    assert!(error.kind == ErrorKind::Io && error.message.starts_with("`current.csv` changed while it was read"), "{error}");
    // Had the ratings been published by then, the file would come back too.
    assert_eq!(intake.finish(claim).unwrap(), None);
    assert_eq!(read(original), "one two");
    assert_eq!(intake.settle(|_| Ok(true)).unwrap(), []);
}

#[test]
fn a_file_that_must_be_read_again_and_whose_place_is_taken_is_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "r1");
    let intake = Intake::open(folder.path(), &context).unwrap();
    let original = folder.path().join("current.csv");
    fs::write(&original, "one").unwrap();
    let claim = take(&intake, &[]);
    fs::write(folder.path().join(&claim.files[0].claimed), "one two").unwrap();
    fs::write(&original, "three").unwrap();
    let left = intake.finish(claim).unwrap();
    assert_eq!(intake.settle(|_| Ok(true)).unwrap(), left.clone().into_iter().collect::<Vec<_>>());
    let both = take(&intake, left.as_slice());
    let texts: Vec<String> = both.files.iter().map(|file| read(folder.path().join(&file.claimed))).collect();
    assert_eq!(texts, ["one two", "three"]);
    // Neither can be accepted: the one that people saw at the place is put back there, the other waits.
    intake.give_back(&both).unwrap();
    assert_eq!(read(original), "three");
    let left = intake.settle(|_| Ok(false)).unwrap();
    assert_eq!(take(&intake, &left).files.len(), 2);
}

#[test]
fn a_death_in_the_middle_of_putting_back_does_not_count_the_file_twice() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "r1");
    let intake = Intake::open(folder.path(), &context).unwrap();
    let original = folder.path().join("current.csv");
    fs::write(&original, "one").unwrap();
    let claim = take(&intake, &[]);
    fs::hard_link(folder.path().join(&claim.files[0].claimed), &original).unwrap();
    let left = intake.settle(|_| Ok(false)).unwrap();
    let again = take(&intake, &left);
    assert_eq!((again.files.len(), original.exists()), (1, false));
}

#[test]
fn archived_files_of_one_second_and_files_of_others_do_not_replace_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "r1");
    let intake = Intake::open(folder.path(), &context).unwrap();
    for text in ["one", "two", "three"] {
        fs::write(folder.path().join("current.csv"), text).unwrap();
        let claim = take(&intake, &[]);
        if text == "three" {
            fs::write(folder.path().join(claim.files[0].archive.as_deref().unwrap()), "of others").unwrap();
        }
        intake.finish(claim).unwrap();
    }
    let mut names: Vec<(String, String)> = fs::read_dir(folder.path().join(ARCHIVE))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), read(path)))
        .collect();
    names.sort();
    let expected = [
        ("2-2026-11-23T172503Z-3-current.csv", "three"),
        ("2026-11-23T172503Z-2-current.csv", "two"),
        ("2026-11-23T172503Z-3-current.csv", "of others"),
        ("2026-11-23T172503Z-current.csv", "one"),
    ];
    assert_eq!(names, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
}

#[test]
fn a_second_intake_for_the_same_output_waits_and_can_be_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (context(folder.path(), "r1"), context(folder.path(), "r2"));
    let intake = Intake::open(folder.path(), &first).unwrap();
    second.cancel.cancel();
    assert_eq!(Intake::open(folder.path(), &second).unwrap_err().kind, ErrorKind::Cancelled);
    drop(intake);
    Intake::open(folder.path(), &second).unwrap();
}
