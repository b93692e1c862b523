//! What recflow costs around the work: chains of tasks that do nothing, and the cold start of `status`.
//!
//! `cargo bench --bench overhead [-- ROUNDS]` prints a Markdown table of medians over whole processes, each workload in
//! turn in every round, so that a machine whose speed drifts disturbs all alike. The floor beside them starts the same
//! programs from one loop and waits for each, which no orchestrator can beat. Built with the release profile.

#![expect(clippy::print_stdout, reason = "the table is the output")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// A whole process, or the floor, and its times.
struct Workload {
    name: &'static str,
    work: Box<dyn Fn() -> Result>,
    times: Vec<Duration>,
}

fn main() -> Result {
    let rounds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(15);
    let folder = tempfile::tempdir()?;
    let noop1 = chain(folder.path(), 1, "noop", "")?;
    let (noop40, noop100) = (chain(folder.path(), 40, "noop", "")?, chain(folder.path(), 100, "noop", "")?);
    let with = ", with: { command: ['true'] }";
    let shell1 = chain(folder.path(), 1, "shell", with)?;
    let (shell40, shell100) = (chain(folder.path(), 40, "shell", with)?, chain(folder.path(), 100, "shell", with)?);
    let workspace = folder.path().to_owned();
    let recflow = |arguments: &[&str]| {
        let (workspace, arguments) = (workspace.clone(), arguments.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        Box::new(move || run(&workspace, &arguments)) as Box<dyn Fn() -> Result>
    };
    let workload = |name, work| Workload { name, work, times: Vec::new() };
    let mut workloads = [
        workload("floor: `true` 40 times from a loop", Box::new(|| floor(40)) as Box<dyn Fn() -> Result>),
        workload("one `noop`", recflow(&["run", &noop1, "--quiet"])),
        workload("one `shell` running `true`", recflow(&["run", &shell1, "--quiet"])),
        workload("chain of 40 `noop`", recflow(&["run", &noop40, "--quiet"])),
        workload("chain of 40 `shell` running `true`", recflow(&["run", &shell40, "--quiet"])),
        workload("chain of 100 `noop`", recflow(&["run", &noop100, "--quiet"])),
        workload("chain of 100 `shell` running `true`", recflow(&["run", &shell100, "--quiet"])),
        workload("`recflow status`, cold", recflow(&["status"])),
        workload("`recflow --version`", recflow(&["--version"])),
    ];
    for round in 0..=rounds {
        for workload in &mut workloads {
            let begun = Instant::now();
            (workload.work)()?;
            // The first round warms the caches.
            if round > 0 {
                workload.times.push(begun.elapsed());
            }
        }
    }
    print(&mut workloads);
    Ok(())
}

/// Prints the times of whole processes, and what a further task costs in a chain: without starting, opening the store and closing it.
fn print(workloads: &mut [Workload]) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("| workload | median ms | min | max |\n|---|---:|---:|---:|");
    for workload in &mut *workloads {
        workload.times.sort_unstable();
        let (median, last) = (workload.times[workload.times.len() / 2], workload.times.len() - 1);
        println!("| {} | {:.1} | {:.1} | {:.1} |", workload.name, ms(median), ms(workload.times[0]), ms(workload.times[last]));
    }
    let median = |name: &str| {
        let times = workloads.iter().find(|workload| workload.name == name).map(|workload| workload.times.as_slice()).unwrap_or_default();
        times.get(times.len() / 2).copied().map(ms).unwrap_or_default()
    };
    for kind in ["`noop`", "`shell` running `true`"] {
        let further = (median(&format!("chain of 100 {kind}")) - median(&format!("one {kind}"))) / 99.0;
        println!("| a further {kind} in a chain of 100 | {further:.3} | | |");
    }
}

/// Writes a pipeline of `tasks` tasks, each of which needs the one before it.
fn chain(folder: &Path, tasks: usize, stage: &str, with: &str) -> Result<String> {
    let mut text = String::from("tasks:\n");
    for task in 0..tasks {
        let needs = if task == 0 { String::new() } else { format!(", needs: [t{}]", task - 1) };
        writeln!(text, "  t{task}: {{ stage: {stage}{with}{needs} }}")?;
    }
    let file = folder.join(format!("{stage}-{tasks}.yaml"));
    std::fs::write(&file, text)?;
    Ok(file.display().to_string())
}

fn run(workspace: &Path, arguments: &[String]) -> Result {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recflow"));
    let status = command.args(arguments).current_dir(workspace).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("recflow {arguments:?} ended with {status}").into()) }
}

fn floor(times: usize) -> Result {
    for _ in 0..times {
        Command::new("true").status()?;
    }
    Ok(())
}
