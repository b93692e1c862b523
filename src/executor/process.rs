//! Process groups: start, stop, wait, measure, and find again after a crash.
//!
//! Each process of ours leads a group of its own, so that it can be stopped with everything it started, and so that
//! Ctrl-C in a terminal reaches recflow alone. On Linux it also asks the kernel for a death signal: it dies with the
//! thread that started it. That reaches only the direct child; the [`super::reaper`] sees to the rest of the group.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::request::ProcessId;

/// Marks every process of an attempt, so that one can be recognised after a crash: `RUN/TASK/NUMBER`.
pub const MARK: &str = "RECFLOW_ATTEMPT_MARK";

/// Starts `command` as the leader of a new process group that dies with the calling thread.
///
/// Call it from a thread that lives as long as the owner: the death signal follows the thread, not the process. A start that failed may
/// be tried again.
pub fn spawn_group(command: &mut Command) -> io::Result<(Child, ProcessId)> {
    command.process_group(0);
    die_with_parent(command);
    let child = command.spawn()?;
    let pid = child.id();
    Ok((child, ProcessId { pid, start_ticks: start_ticks(pid).unwrap_or(0) }))
}

#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    let parent = std::process::id();
    // SAFETY: the closure runs between fork and exec and calls only async-signal-safe functions; it allocates nothing.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(io::Error::last_os_error());
            }
            // The parent may have died before the call above: then nobody sends the signal any more.
            if libc::getppid() as u32 != parent {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            Ok(())
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_: &mut Command) {}

/// Sends a signal to a whole process group. A group that is gone is fine.
pub fn signal_group(pid: u32, signal: i32) {
    // SAFETY: killpg takes no pointers. The group id is one that we created and have not reaped yet, or one that
    // `is_ours` has recognised.
    unsafe {
        libc::killpg(pid as libc::pid_t, signal);
    }
}

/// How a process ended and what it used.
#[derive(Debug, Clone, Copy)]
pub struct Exit {
    status: std::process::ExitStatus,
    /// Largest resident set since the fork, in bytes: of a program smaller than its forker, that of the forker.
    pub peak_rss_bytes: u64,
    /// CPU time, user and system, in milliseconds.
    pub cpu_ms: u64,
}

impl Exit {
    /// The exit code, unless a signal ended the process.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended the process, if one did.
    pub fn signal(&self) -> Option<i32> {
        std::os::unix::process::ExitStatusExt::signal(&self.status)
    }

    /// In words: `exit code 1`, `signal 9 (killed)`.
    pub fn describe(&self) -> String {
        match (self.code(), self.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (_, Some(signal)) => match signal_name(signal) {
                Some(name) => format!("signal {signal} ({name})"),
                None => format!("signal {signal}"),
            },
            _ => "unknown".to_owned(),
        }
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGHUP => "hangup",
        libc::SIGINT => "interrupt",
        libc::SIGQUIT => "quit",
        libc::SIGILL => "illegal instruction",
        libc::SIGABRT => "aborted",
        libc::SIGBUS => "bus error",
        libc::SIGFPE => "arithmetic error",
        libc::SIGKILL => "killed",
        libc::SIGSEGV => "segmentation fault",
        libc::SIGPIPE => "broken pipe",
        libc::SIGTERM => "terminated",
        libc::SIGXCPU => "CPU time limit",
        libc::SIGXFSZ => "file size limit",
        _ => return None,
    })
}

/// How long the rest of a killed group is waited for.
const GONE_WITHIN: Duration = Duration::from_millis(200);

/// Waits until the leader of a group has ended, kills what is left of its group, and only then reaps it, so that the
/// group's number cannot have been given to another group in between. Returns once the rest is gone. Blocks.
pub fn wait_group(pid: u32) -> io::Result<Exit> {
    let pid = pid as libc::pid_t;
    loop {
        // SAFETY: siginfo_t is plain data that waitid fills; WNOWAIT leaves the process to be reaped below.
        let result = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, pid as libc::id_t, &raw mut info, libc::WEXITED | libc::WNOWAIT)
        };
        if result == 0 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    signal_group(pid as u32, libc::SIGKILL);
    let mut status = 0;
    // SAFETY: rusage is plain data that wait4 fills.
    let (result, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
    };
    if result != pid {
        return Err(io::Error::last_os_error());
    }
    wait_until_gone(|| group_runs(pid as u32));
    let milliseconds = |time: libc::timeval| time.tv_sec as u64 * 1_000 + time.tv_usec as u64 / 1_000;
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1_024 };
    Ok(Exit {
        status: std::os::unix::process::ExitStatusExt::from_raw(status),
        peak_rss_bytes: usage.ru_maxrss as u64 * unit,
        cpu_ms: milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime),
    })
}

/// Waits, a little, for what was killed: until a process is gone it may still hold a lock or write a page, and the next attempt must not
/// meet it. A zombie holds nothing.
fn wait_until_gone(mut anyone_left: impl FnMut() -> bool) {
    let begun = Instant::now();
    while begun.elapsed() < GONE_WITHIN && anyone_left() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a process of the group runs.
fn group_runs(group: u32) -> bool {
    // Asked first because it costs little, and mostly nobody is left. Should the number have been given to another group, nothing happens to it.
    // SAFETY: kill takes no pointers, and signal 0 is none.
    let any = unsafe { libc::kill(-(group as libc::pid_t), 0) == 0 };
    any && (cfg!(not(target_os = "linux")) || members_of(group).any(is_running))
}

/// Neither gone nor a zombie that nobody has reaped yet.
fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// When a process started, in clock ticks since boot (field 22 of `/proc/PID/stat`). `None` if it is gone.
fn start_ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in field 2 may hold blanks and brackets; what follows its last bracket does not.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

fn group_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

/// Kills what is left of an attempt's process group after its owner has died. Returns whether anything was.
///
/// The group is recognised by its leader (pid and start time) or, where the leader is gone, by the mark in a member's
/// environment: a pid that was given to another program since is left alone.
pub fn kill_leftovers(process: ProcessId, mark: &str) -> bool {
    let leader_is_ours = process.start_ticks != 0 && start_ticks(process.pid) == Some(process.start_ticks);
    if leader_is_ours || members_of(process.pid).any(|pid| is_marked(pid, mark)) {
        signal_group(process.pid, libc::SIGKILL);
        wait_until_gone(|| group_runs(process.pid));
        return true;
    }
    false
}

/// Kills every process that carries the mark of an attempt whose owner has died, whatever its group.
pub fn kill_marked(mark: &str) {
    let marked: Vec<u32> = all_processes().filter(|pid| *pid != std::process::id() && is_marked(*pid, mark)).collect();
    for pid in &marked {
        // SAFETY: kill takes no pointers; the process has just been recognised.
        unsafe {
            libc::kill(*pid as libc::pid_t, libc::SIGKILL);
        }
    }
    wait_until_gone(|| marked.iter().any(|pid| is_running(*pid)));
}

fn members_of(group: u32) -> impl Iterator<Item = u32> {
    all_processes().filter(move |pid| group_of(*pid) == Some(group))
}

fn all_processes() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
}

fn is_marked(pid: u32, mark: &str) -> bool {
    let wanted = format!("{MARK}={mark}");
    std::fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes()))
}

/// How often the kernel has killed a process for want of memory since boot; `None` where it does not tell.
pub fn out_of_memory_kills() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/vmstat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// The program that runs now, also if its file has been replaced since.
pub fn this_program() -> io::Result<std::path::PathBuf> {
    let link = std::path::Path::new("/proc/self/exe");
    if link.exists() { Ok(link.to_path_buf()) } else { std::env::current_exe() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_reports_code_signal_and_use_and_kills_the_rest_of_the_group() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & exit 7"]);
        let (_child, process) = spawn_group(&mut command).unwrap();
        let exit = wait_group(process.pid).unwrap();
        assert_eq!((exit.code(), exit.describe().as_str()), (Some(7), "exit code 7"));
        assert!(exit.peak_rss_bytes > 100_000, "{exit:?}");
        assert!(!members_of(process.pid).any(is_running), "what comes next must not meet it");

        let mut command = Command::new("sleep");
        let (_child, process) = spawn_group(command.arg("1000")).unwrap();
        signal_group(process.pid, libc::SIGKILL);
        let exit = wait_group(process.pid).unwrap();
        assert_eq!((exit.signal(), exit.describe().as_str()), (Some(9), "signal 9 (killed)"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn leftovers_are_recognised_by_start_time_or_mark_and_strangers_are_left_alone() {
        let mut command = Command::new("sleep");
        let (_child, process) = spawn_group(command.arg("1000").env(MARK, "run/task/1")).unwrap();
        let stranger = ProcessId { pid: process.pid, start_ticks: process.start_ticks + 1 };
        assert!(!kill_leftovers(stranger, "run/task/2"), "another start time and another mark");
        assert!(kill_leftovers(stranger, "run/task/1"), "the mark");
        assert_eq!(wait_group(process.pid).unwrap().signal(), Some(9));
        assert!(!kill_leftovers(process, "run/task/1"), "gone");
    }
}
