//! A small process that kills what a dead owner leaves behind.
//!
//! The kernel's death signal reaches only the direct children of an owner that dies; a script's own children would
//! live on. So the first process that the executor starts is this one: `recflow __reaper`, in a session of its own,
//! reading `+PGID` and `-PGID` lines from a pipe. When the pipe ends, its writer is dead, and every group that is still
//! listed is killed. It holds no other resource and takes about a megabyte.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};

use super::process::{signal_group, this_program};

/// The owner's end of the pipe.
#[derive(Debug)]
pub struct Reaper {
    pipe: ChildStdin,
}

impl Reaper {
    /// Starts the process.
    pub fn start() -> io::Result<Self> {
        let mut command = Command::new(this_program()?);
        command.arg("__reaper").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: setsid is async-signal-safe and allocates nothing.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                Ok(())
            });
        }
        let mut child = command.spawn()?;
        let pipe = child.stdin.take().ok_or_else(|| io::Error::other("the reaper has no pipe"))?;
        Ok(Self { pipe })
    }

    /// From now on the group dies with us.
    pub fn watch(&mut self, group: u32) -> io::Result<()> {
        self.pipe.write_all(format!("+{group}\n").as_bytes())
    }

    /// The group is gone.
    pub fn forget(&mut self, group: u32) -> io::Result<()> {
        self.pipe.write_all(format!("-{group}\n").as_bytes())
    }
}

/// The reaper's own main function: returns once its owner has died and nothing is left of its groups.
pub fn main(pipe: impl BufRead) {
    let mut groups = BTreeSet::new();
    for line in pipe.lines() {
        let Ok(line) = line else { break };
        match (line.get(..1), line.get(1..).and_then(|group| group.parse::<u32>().ok())) {
            (Some("+"), Some(group)) if group > 1 => _ = groups.insert(group),
            (Some("-"), Some(group)) => _ = groups.remove(&group),
            _ => {}
        }
    }
    for group in groups {
        signal_group(group, libc::SIGKILL);
    }
}
