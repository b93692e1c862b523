//! Programs, environments and neighbours that do what they should not.

use std::ffi::OsStr;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;

use crate::sandbox::Sandbox;

#[test]
fn an_environment_variable_that_is_not_text_is_passed_over() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    let odd = OsStr::from_bytes(b"\xff");
    let mut command = sandbox.command(&["run", "p.yaml"]);
    let ran = command.env("LATIN1", odd).env("RECFLOW_SECRET_ODD", odd).output().expect("starts");
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
}

#[test]
fn a_reader_that_stops_reading_does_not_change_the_exit_code() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    let mut ends = [0; 2];
    // SAFETY: pipe fills the array with two new descriptors; each is owned once, and one is closed here.
    let write_end = unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        libc::close(ends[0]);
        std::fs::File::from_raw_fd(ends[1])
    };
    let status = sandbox.command(&["run", "p.yaml", "--json"]).stdout(write_end).status().expect("starts");
    assert_eq!(status.code(), Some(0));
}
