//! The machine: room on the disk, the clock, time zones, open files.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use recflow_stages::clock::Clock;

use super::Check;
use crate::workspace::Workspace;

/// With less room than this nothing can be expected to work, with less than this somebody should look.
const ROOM_MIN: u64 = 100 << 20;
const ROOM_LOW: u64 = 1 << 30;
/// What the file system's clock and ours may differ by, in milliseconds: some write whole seconds.
const CLOCK_MS_MAX: i64 = 2_000;
/// Files that a daemon may want open at once: a few for each attempt.
const FILES_MIN: u64 = 1_024;

pub(super) fn examine(workspace: &Workspace, clock: &dyn Clock) -> Vec<Check> {
    let place = existing(workspace.home());
    vec![disk(place), file_clock(workspace, clock), zones(), open_files()]
}

/// The folder itself, or the nearest one above it that is there.
fn existing(path: &Path) -> &Path {
    path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"))
}

fn disk(place: &Path) -> Check {
    let shown = place.display();
    let Some(room) = room(place) else {
        return Check::error("disk", format!("cannot ask how much room `{shown}` has"), "look at the mount of that folder");
    };
    let found = format!("{:.1} GiB free in `{shown}`", room as f64 / 1_073_741_824.0);
    let remedy = "free some space: `recflow prune`, `recflow data prune`, `recflow models prune`";
    match room {
        0..ROOM_MIN => Check::error("disk", found, remedy),
        ROOM_MIN..ROOM_LOW => Check::warning("disk", found, remedy),
        _ => Check::ok("disk", found),
    }
}

/// Bytes that somebody without special rights may still write.
fn room(place: &Path) -> Option<u64> {
    let path = CString::new(place.as_os_str().as_bytes()).ok()?;
    // SAFETY: statvfs is plain data, for which zeros are valid.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `path` ends with a zero byte and `found` can be written; both outlive the call.
    let asked = unsafe { libc::statvfs(path.as_ptr(), &raw mut found) };
    (asked == 0).then(|| found.f_bavail.saturating_mul(found.f_frsize))
}

/// Whether files are stamped with the time that the clock shows, and none of ours with a time to come: that of a clock which was ahead.
fn file_clock(workspace: &Workspace, clock: &dyn Clock) -> Check {
    let now = clock.now().as_millisecond();
    let modified = |path: &Path| {
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
        i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    };
    let ahead = [workspace.store(), workspace.home().to_owned()].iter().filter_map(|path| modified(path)).max().map_or(0, |at| at - now);
    if ahead > CLOCK_MS_MAX {
        let found = format!(
            "the store was written {:.0} s in the future: the clock was set back, or differs from the file server's",
            ahead as f64 / 1e3
        );
        return Check::warning("clock", found, "let the machine follow a time server (`timedatectl`)");
    }
    Check::ok("clock", format!("{}, in step with the file system", clock.now().strftime("%Y-%m-%d %H:%M:%SZ")))
}

fn zones() -> Check {
    let database = jiff::tz::db();
    match database.get("Europe/Prague") {
        Ok(_) if Path::new("/usr/share/zoneinfo").is_dir() => Check::ok("time zones", "those of the system"),
        Ok(_) => Check::ok("time zones", "those that recflow brings along; the system has none"),
        Err(error) => Check::error("time zones", error.to_string(), "install the package `tzdata`"),
    }
}

fn open_files() -> Check {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` can be written and outlives the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Check::warning("open files", "the limit cannot be asked", "try `ulimit -n`");
    }
    let found = format!("{} at once", limit.rlim_cur);
    match limit.rlim_cur {
        0..FILES_MIN => Check::warning("open files", found, format!("raise it: `ulimit -n {FILES_MIN}`, or LimitNOFILE= in the unit")),
        _ => Check::ok("open files", found),
    }
}
