//! A publisher that is killed for good (`SIGKILL`) at the named places of a publication: locks go with it, datasets stay whole.
//!
//! The publisher is this test program, started again to run the one ignored test below.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use super::*;

const OLD: [Rating; 1] = [(1, 1, 3.0, "2005-01-01")];
const NEW: [Rating; 1] = [(2, 2, 4.0, "2005-02-01")];

#[test]
#[ignore = "a process for the test below"]
fn publisher() {
    let Some(folder) = std::env::var_os("RECFLOW_TEST_FOLDER").map(PathBuf::from) else { return };
    let context = Context::plain(&folder, PublishKey::new("work", "test", 0));
    publish(&[(&folder.join("train"), change(&NEW)), (&folder.join("test"), change(&NEW))], &context).unwrap();
}

#[test]
fn a_killed_publisher_leaves_all_old_before_the_commit_and_all_new_after_it() {
    for (place_of_death, rows, links) in [("publish.before_commit", 1, 1), ("publish.after_commit", 2, 1), ("publish.after_switch", 2, 2)] {
        let place = Place::new();
        place.upsert("train", &OLD);
        place.upsert("test", &OLD);
        let died = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "dataset::tests::killed::publisher", "--ignored"])
            .env("RECFLOW_TEST_FOLDER", place.path(""))
            .env("RECFLOW_FAILPOINT", place_of_death)
            .output()
            .unwrap();
        assert_eq!(died.status.signal(), Some(libc::SIGKILL), "{place_of_death}");
        for name in ["train", "test"] {
            let link = fs::read_link(place.path(name)).unwrap();
            assert!(link.ends_with(links.to_string()), "{place_of_death}: {}", link.display());
        }
        assert_eq!((place.read("test").len(), place.read("train").len()), (rows, rows), "{place_of_death}");
        // The same work again: done now, or found to be done.
        let context = place.context("work");
        let again = publish(&[(&place.path("train"), change(&NEW)), (&place.path("test"), change(&NEW))], &context).unwrap();
        assert_eq!(again.is_empty(), rows == 2, "{place_of_death}");
        assert_eq!((place.read("test").len(), place.read("train").len()), (2, 2), "{place_of_death}");
    }
}
