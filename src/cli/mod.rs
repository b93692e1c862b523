//! The command line: one file a verb. A verb parses, calls and prints; it has no logic of its own.
//!
//! Data goes to standard output, talk to standard error. Exit codes are those of [`exit`].

mod ask;
mod backfill;
mod backup;
mod cancel;
mod completions;
mod daemon;
mod data;
mod doctor;
mod exit;
mod graph;
mod history;
mod init;
mod listen;
mod load;
mod log_file;
mod logs;
mod mark;
mod models;
mod openapi;
mod output;
mod pause;
mod peer;
mod plan;
mod predict;
mod prune;
mod recommend;
mod replay;
mod report;
mod resume;
mod run;
mod runs;
mod schedule;
mod schema;
mod signals;
mod simulate;
mod stage;
mod stages;
mod status;
mod terminal_input;
mod token;
mod trigger;
mod user;
mod validate;
mod view;
mod when;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use exit::{Exit, Failure};

use crate::workspace::Workspace;

/// Pipelines for recommenders in one binary: parse ratings, train, test, retrain.
#[derive(Debug, Parser)]
#[command(name = "recflow", version, propagate_version = true, max_term_width = 100, after_help = exit::HELP, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

/// Options of every verb.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Folder that relative paths in a pipeline refer to.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "RECFLOW_WORKSPACE",
        default_value = ".",
        hide_default_value = true,
        help_heading = "Global options"
    )]
    workspace: PathBuf,
    /// Folder of recflow's own files [default: .recflow in the workspace].
    #[arg(long, global = true, value_name = "DIR", env = "RECFLOW_HOME", help_heading = "Global options")]
    home: Option<PathBuf>,
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true, help_heading = "Global options")]
    color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a pipeline here and now.
    Run(run::Args),
    /// Show what a run would do, and about what it would take.
    Plan(plan::Args),
    /// Check pipelines and report every mistake at its place.
    Validate(validate::Args),
    /// Draw the graph of a pipeline.
    Graph(graph::Args),
    /// Tell when pipelines will start by themselves.
    Schedule(schedule::Args),
    /// Tell how everything stands, or one run's tasks.
    Status(status::Args),
    /// List runs.
    Runs(runs::Args),
    /// Tell what was due when, and what became of it.
    History(history::Args),
    /// Show the logs of a run.
    Logs(logs::Args),
    /// Write an HTML page about a run: graph, times, figures, charts.
    Report(report::Args),
    /// Print the output of a task.
    Output(output::Args),
    /// Go on with a run that failed, was cancelled or was interrupted.
    Resume(resume::Args),
    /// Start what is due, when it is due, until it is stopped.
    Daemon(daemon::Args),
    /// Say who may ask the daemon over HTTP, and what they may do.
    User(user::Args),
    /// Make and revoke what programs show the daemon.
    Token(token::Args),
    /// Ask the daemon for a run of a pipeline.
    Trigger(trigger::Args),
    /// Have pipelines start by hand only.
    Pause(pause::Args),
    /// Have pipelines start by themselves again.
    Unpause(pause::Args),
    /// Run a pipeline for dates of the past.
    Backfill(backfill::Args),
    /// Stop a run, whoever executes it.
    Cancel(cancel::Args),
    /// Declare a task of a run ended; the run goes on from there.
    Mark(mark::Args),
    /// Run again from a task on, as a new run with the old outputs above it.
    Replay(replay::Args),
    /// Play a pipeline that watches a stream through ratings of the past.
    Simulate(simulate::Args),
    /// Write a workspace with the shipped pipelines.
    Init(init::Args),
    /// Recommend items to a user, or find items like one.
    Recommend(recommend::Args),
    /// Predict the rating of one item by one user.
    Predict(predict::Args),
    /// Run one stage by itself.
    Stage(stage::Args),
    /// List the stages, or describe one.
    Stages(stages::Args),
    /// Look at datasets, and go back to older snapshots.
    Data(data::Args),
    /// Look at model versions; promote one, go back, remove old ones.
    Models(models::Args),
    /// Delete old runs, their files, and logs beyond a size.
    Prune(prune::Args),
    /// Write a consistent copy of the store, while runs go on.
    Backup(backup::Args),
    /// Look for what is wrong: store, disk, clock, pipelines, data.
    Doctor(doctor::Args),
    /// Print the JSON Schema of the pipeline language.
    Schema(schema::Args),
    /// Print the OpenAPI document of the daemon's API.
    Openapi(openapi::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
}

/// Where a verb prints, and how.
#[derive(Debug)]
pub struct Terminal {
    /// Whether standard output takes colour.
    pub out_color: bool,
    /// Whether standard error takes colour.
    pub err_color: bool,
    /// Whether a live view makes sense on standard error.
    pub live: bool,
}

impl Terminal {
    fn new(color: Color) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let wanted = |terminal: bool| match color {
            Color::Auto => terminal && !plain,
            Color::Always => true,
            Color::Never => false,
        };
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { out_color: wanted(out), err_color: wanted(err), live: err && !dumb }
    }
}

/// The program: parses the command line, does what it says, and returns the exit code.
pub fn main() -> u8 {
    match std::env::args_os().nth(1).as_deref().and_then(std::ffi::OsStr::to_str) {
        Some("__attempt") => return crate::executor::attempt::main(),
        Some("__reaper") => {
            crate::executor::reaper::main(io::stdin().lock());
            return 0;
        }
        _ => {}
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.code() } else { Exit::Success.code() };
        }
    };
    let terminal = Terminal::new(cli.common.color);
    match dispatch(cli, &terminal) {
        Ok(exit) => exit.code(),
        Err(failure) => {
            let mut err = io::stderr().lock();
            // If nobody reads standard error there is nobody to tell.
            let _ = failure.print(&mut err, terminal.err_color);
            failure.exit().code()
        }
    }
}

fn dispatch(cli: Cli, terminal: &Terminal) -> Result<Exit, Failure> {
    let workspace = Workspace::new(&cli.common.workspace, cli.common.home.as_deref())?;
    let (mut out, mut err) = (io::BufWriter::new(io::stdout()), io::stderr());
    let exit = match cli.verb {
        Verb::Run(args) => run::run(args, &workspace, terminal, &mut out)?,
        Verb::Schedule(args) => schedule::run(args, &workspace, terminal, &mut out)?,
        Verb::Plan(args) => plan::run(args, &workspace, terminal, &mut out)?,
        Verb::Status(args) => status::run(args, &workspace, terminal, &mut out)?,
        Verb::Runs(args) => runs::run(args, &workspace, terminal, &mut out)?,
        Verb::History(args) => history::run(args, &workspace, terminal, &mut out)?,
        Verb::Logs(args) => logs::run(args, &workspace, terminal, &mut out)?,
        Verb::Report(args) => report::run(args, &workspace, &mut out)?,
        Verb::Output(args) => output::run(args, &workspace, &mut out)?,
        Verb::Daemon(args) => daemon::run(args, &workspace)?,
        Verb::User(args) => user::run(args, &workspace, &mut out)?,
        Verb::Token(args) => token::run(args, &workspace, &mut out)?,
        Verb::Trigger(args) => trigger::run(args, &workspace, terminal, &mut out)?,
        Verb::Pause(args) => pause::run(&args, true, &workspace, &mut out)?,
        Verb::Unpause(args) => pause::run(&args, false, &workspace, &mut out)?,
        Verb::Backfill(args) => backfill::run(args, &workspace, terminal, &mut out)?,
        Verb::Cancel(args) => cancel::run(args, &workspace, terminal, &mut out)?,
        Verb::Mark(args) => mark::run(args, &workspace, terminal, &mut out)?,
        Verb::Replay(args) => replay::run(args, &workspace, terminal, &mut out)?,
        Verb::Simulate(args) => simulate::run(args, &workspace, terminal, &mut out)?,
        Verb::Resume(args) => resume::run(args, &workspace, terminal, &mut out)?,
        Verb::Recommend(args) => recommend::run(args, &workspace, &mut out)?,
        Verb::Predict(args) => predict::run(args, &workspace, &mut out)?,
        Verb::Data(args) => data::run(args, &workspace, &mut out)?,
        Verb::Models(args) => models::run(args, &workspace, &mut out)?,
        Verb::Prune(args) => prune::run(args, &workspace, terminal.err_color, &mut out)?,
        Verb::Backup(args) => backup::run(args, &workspace, &mut out)?,
        Verb::Doctor(args) => doctor::run(args, &workspace, terminal, &mut out)?,
        Verb::Init(args) => init::run(args, &cli.common.workspace, &mut out)?,
        Verb::Stage(args) => stage::run(args, &workspace, terminal, &mut out)?,
        Verb::Validate(args) => Exit::from_code(validate::run(args, &workspace, &mut out, &mut err, terminal.err_color)?),
        Verb::Graph(args) => Exit::from_code(graph::run(args, &workspace, &mut out, &mut err, terminal.err_color)?),
        Verb::Schema(args) => Exit::from_code(schema::run(args, &mut out, &mut err, terminal.out_color)?),
        Verb::Openapi(args) => openapi::run(args, &mut out).map(|()| Exit::Success)?,
        Verb::Stages(args) => Exit::from_code(stages::run(args, &mut out, &mut err, terminal.out_color)?),
        Verb::Completions(args) => Exit::from_code(completions::run(args, &mut out, &mut err, terminal.out_color)?),
    };
    match out.flush() {
        // A reader that stopped reading (`recflow run … | head`) does not change how it went.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(exit),
    }
}
