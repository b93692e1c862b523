//! `recflow logs`: the logs of a run's attempts.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::PathBuf;
use std::time::Duration;

use recflow_stages::Level;
use recflow_state::{AttemptRow, Damage, Reader, Run, RunId};

use super::Terminal;
use super::exit::{Exit, Failure};
use super::status::{open_store, warn_of_damage};
use crate::engine::{Standing, standing};
use crate::executor::log::Line;
use crate::workspace::Workspace;

/// Arguments of `recflow logs`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  recflow logs latest
  recflow logs latest train -f
  recflow logs k3f9 train --attempt 1 --json")]
pub(super) struct Args {
    /// The run: its id, a unique beginning of it, or `latest`.
    run: String,
    /// Only this task.
    task: Option<String>,
    /// Only this attempt.
    #[arg(long, value_name = "N", requires = "task")]
    attempt: Option<u32>,
    /// Go on until the run has ended.
    #[arg(short, long)]
    follow: bool,
    /// Print each line as a JSON object with task and attempt.
    #[arg(long)]
    json: bool,
}

/// How often a followed run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let store = open_store(workspace)?;
    let run = store.read(|view| view.find_run(&args.run))?;
    check_task(&store, &run, args.task.as_deref())?;
    let mut tails: Vec<Tail> = Vec::new();
    let mut told = false;
    let damage = loop {
        // Asked before reading: what was written before the end is there to be read after it.
        let run = store.read(|view| view.run(&run.id))?;
        let over = !args.follow || run.status.is_terminal();
        let (attempts, unreadable) = attempts(&store, &run.id, &args)?;
        for attempt in attempts {
            if !tails.iter().any(|tail| tail.is_of(&attempt)) {
                tails.extend(Tail::of(attempt, workspace));
            }
        }
        for tail in &mut tails {
            tail.print(args.json, terminal.out_color, out)?;
        }
        out.flush()?;
        if over {
            break unreadable;
        }
        // Its process is gone: a daemon that starts again, or a person, goes on with it, and so do these logs.
        match standing(workspace, &run) {
            Standing::Interrupted if !told && run.owner.is_some() => {
                writeln!(
                    io::stderr(),
                    "run {} is interrupted; waiting until it goes on (recflow resume {0}{})",
                    run.id,
                    workspace.flags()
                )?;
                told = true;
            }
            Standing::Interrupted => {}
            _ => told = false,
        }
        std::thread::sleep(LOOK_EVERY);
    };
    warn_of_damage(&damage)?;
    if let (Some(task), Some(number)) = (&args.task, args.attempt)
        && attempts(&store, &run.id, &args)?.0.is_empty()
    {
        let all = attempts(&store, &run.id, &Args { attempt: None, ..args.clone() })?.0.len();
        let hint = match all {
            0 => "it never started".to_owned(),
            1 => "it has one attempt".to_owned(),
            all => format!("it has {all} attempts"),
        };
        return Err(Failure::usage(format!("task `{task}` of run {} has no attempt {number}", run.id)).with_hint(hint));
    }
    for tail in tails.iter().filter(|tail| tail.strange > 0) {
        let (path, strange) = (tail.path.display(), tail.strange);
        writeln!(io::stderr(), "warning: lines of the log of {}/{} that are damaged: {strange} ({path})", tail.task, tail.attempt)?;
    }
    if tails.iter().all(|tail| tail.read == 0) {
        let what = args.task.map_or_else(|| format!("run {}", run.id), |task| format!("task `{task}` of run {}", run.id));
        writeln!(io::stderr(), "{what} has written no log")?;
    }
    Ok(Exit::Success)
}

fn check_task(store: &Reader, run: &Run, task: Option<&str>) -> Result<(), Failure> {
    let Some(task) = task else { return Ok(()) };
    let tasks = store.read(|view| view.tasks(&run.id))?;
    if tasks.iter().any(|row| row.task_id == task) {
        return Ok(());
    }
    let names: Vec<&str> = tasks.iter().map(|row| row.task_id.as_str()).collect();
    Err(Failure::usage(format!("run {} has no task `{task}`", run.id)).with_hint(format!("its tasks are {}", names.join(", "))))
}

/// The attempts asked for, in the order in which they started.
fn attempts(store: &Reader, run: &RunId, args: &Args) -> Result<(Vec<AttemptRow>, Vec<Damage>), Failure> {
    let (mut attempts, damage) = store.read_around_damage(|view| view.attempts(run))?;
    attempts
        .retain(|row| args.task.as_ref().is_none_or(|task| row.task_id == *task) && args.attempt.is_none_or(|number| row.number == number));
    attempts.sort_by_key(|row| row.started_at);
    Ok((attempts, damage))
}

/// A log file, read as far as it goes.
struct Tail {
    task: String,
    attempt: u32,
    path: PathBuf,
    read: u64,
    /// What was wrong with the file, told once.
    trouble: Option<io::Error>,
    /// Lines that are no log lines: the file was damaged, or another program wrote to it.
    strange: u64,
}

impl Tail {
    fn of(attempt: AttemptRow, workspace: &Workspace) -> Option<Self> {
        Some(Self {
            path: workspace.home().join(attempt.log?),
            task: attempt.task_id,
            attempt: attempt.number,
            read: 0,
            trouble: None,
            strange: 0,
        })
    }

    fn is_of(&self, attempt: &AttemptRow) -> bool {
        self.task == attempt.task_id && self.attempt == attempt.number
    }

    /// Prints the complete lines that have come since the last time. A file that cannot be read does not keep the others from being shown.
    fn print(&mut self, json: bool, color: bool, out: &mut dyn Write) -> io::Result<()> {
        if self.trouble.is_some() {
            return Ok(());
        }
        match File::open(&self.path).and_then(|mut file| file.seek(io::SeekFrom::Start(self.read)).map(|_| file)) {
            Ok(file) => self.print_from(BufReader::new(file), json, color, out),
            // It appears with the first line; that of an old run may be gone.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => self.give_up(error),
        }
    }

    fn give_up(&mut self, error: io::Error) -> io::Result<()> {
        writeln!(io::stderr(), "warning: cannot read the log of {}/{}: {}: {error}", self.task, self.attempt, self.path.display())?;
        self.trouble = Some(error);
        Ok(())
    }

    /// A line that is no log line is shown as it is, without what could steer a terminal.
    fn print_from(&mut self, mut file: impl BufRead, json: bool, color: bool, out: &mut dyn Write) -> io::Result<()> {
        let mut bytes = Vec::new();
        loop {
            match file.read_until(b'\n', &mut bytes) {
                Ok(read) if read > 0 && bytes.ends_with(b"\n") => {}
                Ok(_) => return Ok(()),
                Err(error) => return self.give_up(error),
            }
            self.read += bytes.len() as u64;
            match serde_json::from_slice::<Line>(&bytes) {
                Ok(line) if json => self.print_json(&line, out)?,
                Ok(line) => self.print_text(&line, color, out)?,
                Err(_) => {
                    self.strange += 1;
                    self.print_strange(&bytes, json, out)?;
                }
            }
            bytes.clear();
        }
    }

    fn print_strange(&self, bytes: &[u8], json: bool, out: &mut dyn Write) -> io::Result<()> {
        let text = harmless(String::from_utf8_lossy(bytes).trim_end());
        if json {
            let value = serde_json::json!({
                "t": null, "task": self.task, "attempt": self.attempt, "level": "warn", "stream": null, "line": text,
            });
            return writeln!(out, "{value}");
        }
        writeln!(out, "{text}")
    }

    fn print_json(&self, line: &Line, out: &mut dyn Write) -> io::Result<()> {
        let value = serde_json::json!({
            "t": line.t, "task": self.task, "attempt": self.attempt, "level": line.level, "stream": line.stream, "line": line.line,
        });
        writeln!(out, "{value}")
    }

    fn print_text(&self, line: &Line, color: bool, out: &mut dyn Write) -> io::Result<()> {
        let mark = match line.level {
            Level::Error => ("error: ", "\x1b[31m"),
            Level::Warn => ("warning: ", "\x1b[33m"),
            Level::Info | Level::Debug => ("", ""),
        };
        let (start, end) = if color && !mark.1.is_empty() { (mark.1, "\x1b[0m") } else { ("", "") };
        let text = harmless(&line.line);
        writeln!(out, "{:.3} {}/{} {start}{}{text}{end}", line.t, self.task, self.attempt, mark.0)
    }
}

/// What a program wrote, so that it cannot steer the terminal.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}
