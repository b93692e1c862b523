//! The prize's own files, read from the folder beside the repository: what the format really looks like.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{RatingRange, parse};
use crate::date::format_iso;
use crate::ratings::Ratings;

/// A gzipped file of the prize; `None`, loudly, if it is not there.
fn text(name: &str) -> Option<Vec<u8>> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/netflix").join(name);
    if !path.is_file() {
        assert!(std::env::var_os("RECFLOW_REQUIRE_SHARED").is_none(), "`{}` is missing", path.display());
        eprintln!("SKIPPED: `{}` is missing", path.display());
        return None;
    }
    let output = Command::new("gzip").arg("-dc").arg(&path).output().expect("gzip starts");
    assert!(output.status.success());
    Some(output.stdout)
}

fn read(text: &[u8]) -> Ratings {
    parse(text, RatingRange::default(), |_| Ok(()), |reject| panic!("{reject:?}")).unwrap().into_ratings()
}

#[test]
fn every_row_of_the_originals_is_read() {
    let (Some(first), Some(second)) = (text("mv_0000008.txt.gz"), text("mv_0002043.txt.gz")) else { return };
    for (text, movie, rows, from, to) in
        [(&first, 8, 14_910, "2004-09-13", "2005-12-31"), (&second, 2043, 7_871, "2000-08-03", "2005-12-31")]
    {
        let ratings = read(text);
        assert_eq!(ratings.len(), rows);
        assert!(ratings.movie.iter().all(|&found| found == movie));
        let days = [ratings.date.iter().min(), ratings.date.iter().max()].map(|day| format_iso(*day.unwrap()));
        assert_eq!(days, [from, to]);
    }
    // Neither ends with a newline, so joining them needs one.
    let joined = [first.as_slice(), b"\n", &second].concat();
    assert_eq!(read(&joined).len(), 14_910 + 7_871);
}
