//! How much memory a program held.
//!
//! `wait4` tells the peak of a process since it was forked, and a fork begins as a copy of the forker: so a program smaller than recflow seems to be
//! as large as recflow was. What lies above that is the program's own. Of smaller ones the kernel keeps the true peak (`VmHWM`) only while they
//! live: it is looked up at their start and then less and less often. Our own children tell theirs with their last words.

use std::time::Duration;

/// The first look after the one at the start; each pause is twice the one before.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Processes that are looked at in one go: a program may start as many as it likes.
const PROCESSES_MAX: usize = 64;
/// What a fork adds to what it copies before it becomes the program.
const SLACK_BYTES: u64 = 1 << 20;

/// What is known of the memory of a process group under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// What a fork of this process begins with, in bytes.
    inherited: u64,
    /// The largest that was seen, in bytes; 0 before the first look.
    seen: u64,
}

impl Held {
    /// To be asked right before the fork.
    pub(super) fn before_fork() -> Self {
        Self { inherited: anonymous_bytes().unwrap_or(0), seen: 0 }
    }

    /// Looks at the leader and what it has started.
    pub(super) fn look(&mut self, leader: u32) {
        let mut processes = vec![leader];
        let mut next = 0;
        while let Some(&pid) = processes.get(next).filter(|_| next < PROCESSES_MAX) {
            next += 1;
            self.seen = self.seen.max(peak_bytes(&pid.to_string()).unwrap_or(0));
            processes.extend(children(pid));
        }
    }

    /// The peak of a process that has ended, from what `wait4` told of it. `None` if it ended before anybody looked.
    pub(super) fn peak(self, told: u64) -> Option<u64> {
        if told > self.inherited + SLACK_BYTES { Some(told) } else { (self.seen > 0).then_some(self.seen.min(told)) }
    }
}

/// The peak of this process, in bytes.
pub(super) fn own_peak() -> Option<u64> {
    peak_bytes("self")
}

/// `VmHWM`: the most that a process has held since it became the program that it is. A zombie has none.
fn peak_bytes(process: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1_024)
}

/// Resident memory of this process that a fork copies: all but what is mapped from files.
fn anonymous_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1_024)
}

/// The processes that the threads of a process have started.
fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_fork_inherits_is_not_the_program_s() {
        let held = Held { inherited: 60 << 20, seen: 2 << 20 };
        assert_eq!(held.peak(60 << 20), Some(2 << 20), "as large as the forker was: only the look tells");
        assert_eq!(held.peak(200 << 20), Some(200 << 20), "larger than the forker: the kernel's figure is the program's");
        assert_eq!(Held { seen: 0, ..held }.peak(60 << 20), None, "nobody looked");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_look_finds_what_a_script_has_started() {
        let mut script = std::process::Command::new("sh").args(["-c", "sleep 1000 & wait"]).spawn().unwrap();
        let begun = std::time::Instant::now();
        while children(script.id()).is_empty() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::yield_now();
        }
        let sleeper = children(script.id())[0];
        let mut held = Held { inherited: 0, seen: 0 };
        held.look(script.id());
        assert!(held.seen >= peak_bytes(&script.id().to_string()).unwrap().min(peak_bytes(&sleeper.to_string()).unwrap()));
        assert!(own_peak().unwrap() > 1 << 20);
        // SAFETY: kill takes no pointers; the process is the script's, which has not been reaped.
        unsafe { libc::kill(sleeper as libc::pid_t, libc::SIGKILL) };
        script.wait().unwrap();
    }
}
