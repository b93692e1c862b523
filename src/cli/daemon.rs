//! `recflow daemon`: starts what is due, when it is due, and never loses a run.
//!
//! Four threads: this one looks at the clock and the files ([`Daemon`]), one drives the runs ([`Service`]), one hears signals, one answers
//! HTTP. Everything that they share is in the store.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::SignedDuration;
use recflow_stages::clock::{Clock, SystemClock};
use recflow_state::{Store, UnixMs};
use tokio::signal::unix::{SignalKind, signal};

use super::exit::{Exit, Failure};
use super::listen::{self, Listen};
use super::load;
use super::log_file::{self, Format};
use super::run::{Resources, limits, options};
use crate::engine::entropy::SystemEntropy;
use crate::engine::owner::LockFiles;
use crate::engine::{Handle, Notice, Observer, Patience, Role, Service};
use crate::facts::{Definitions, Overviews};
use crate::pipeline::duration;
use crate::scheduler::daemon::{Daemon, Nudge, Nudger};
use crate::server::{Api, Auth, Metrics, Places, Recommender, Server};
use crate::upkeep::presence::Presence;
use crate::workspace::Workspace;

/// A second signal counts as a wish of its own only after so long.
const SECOND_WISH_AFTER: Duration = Duration::from_secs(1);

/// Arguments of `recflow daemon`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It reads the pipelines in `pipelines/` of the workspace, also when they change. SIGTERM or Ctrl-C has it drain: nothing new starts, what
runs gets a grace period, and what is left is resumed by the next daemon. SIGHUP has it read recflow.yaml again.

Examples:
  recflow daemon --workspace /srv/recommender
  recflow daemon --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem --allowed-host recflow.example.com --log-format json"
)]
pub(super) struct Args {
    #[command(flatten)]
    listening: listen::Listening,
    /// How long running tasks may go on once the daemon drains.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse)]
    grace: Duration,
    /// Form of the log's lines.
    #[arg(long, value_name = "FORM", default_value = "text", value_enum)]
    log_format: Format,
    /// Write the log to this file, which is rotated at 10 MB (five are kept), instead of standard error.
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    #[command(flatten)]
    resources: Resources,
}

pub(super) fn run(args: Args, workspace: &Workspace) -> Result<Exit, Failure> {
    if !workspace.root().is_dir() {
        let failure = Failure::usage(format!("there is no workspace `{}`", workspace.root().display()));
        return Err(failure.with_hint("create the folder, or write the shipped pipelines into one with `recflow init DIR`"));
    }
    let listen = args.listening.check(workspace)?;
    std::fs::create_dir_all(workspace.home()).with_context(|| format!("cannot create `{}`", workspace.home().display()))?;
    let _lock = lock(workspace)?;
    log_file::init(args.log_format, args.log_file.as_deref())?;

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut engine = options(&args.resources, limits(workspace)?);
    engine.patience = Patience::Forever;
    engine.role = Role::Daemon;
    let (nudger, inbox) = Nudger::new();
    let woken = nudger.clone();
    let wake = move || woken.nudge(Nudge::Look);
    let mut service = Service::start_with(workspace.clone(), clock.clone(), Arc::new(SystemEntropy), engine, wake)?;
    let store = service.store().clone();
    let handle = service.handle();
    let owners = Arc::new(LockFiles::new(workspace.owners()));
    let mut scheduler =
        Daemon::new(workspace.clone(), store.clone(), handle.clone(), clock.clone(), Arc::new(SystemEntropy), owners, inbox);
    let metrics = Metrics::new(store.clone(), scheduler.pulse());
    let server = listen.map(|Listen { address, tls, settings }| -> Result<Server, Failure> {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let api = Arc::new(Api {
            workspace: workspace.clone(),
            store: store.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            handle: handle.clone(),
            nudger: nudger.clone(),
            pulse: scheduler.pulse(),
            metrics: metrics.clone(),
            auth: Auth::new(settings),
            definitions: Definitions::default(),
            overviews: Overviews::default(),
            recommender: Recommender::new(workspace, clock.clone(), &metrics),
            places: Places::default(),
        });
        let server = Server::start(address, tls, api).with_context(|| format!("cannot listen on {address}"))?;
        if let Some(secret) = listen::first_link(&store, UnixMs(clock.now().as_millisecond()))? {
            listen::tell_first_link(&secret, &format!("{scheme}://{}", server.address()));
        }
        Ok(server)
    });
    let server = server.transpose()?;
    let address = server.as_ref().map(|server| server.address().to_string());
    note(&store, service.owner(), address.as_deref(), &*clock);
    listen_to_signals(handle.clone(), nudger.clone(), workspace.clone(), clock.clone(), args.grace)?;

    let pid = std::process::id();
    tracing::info!(pid, address, workspace = %workspace.root().display(), version = env!("CARGO_PKG_VERSION"), "daemon started");
    let recovered = service.recover()?;
    if recovered > 0 {
        tracing::info!(recovered, "runs of an earlier daemon go on");
    }
    crate::upkeep::retention::keep_sweeping(store.clone(), workspace.clone(), clock.clone())?;
    let mut observer = Watch { metrics, nudger: nudger.clone() };
    let driver = std::thread::Builder::new().name("driver".to_owned()).spawn(move || {
        let served = service.serve(&mut observer);
        // Without a driver there is nothing to schedule for.
        nudger.nudge(Nudge::Stop);
        served
    })?;
    let ran = scheduler.run();
    if ran.is_err() {
        // What it executes is recorded where nobody will look: it ends at once.
        handle.stop();
    }
    let served = driver.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the driver panicked; what it had recorded is safe")));
    tracing::info!("daemon stopped");
    served?;
    ran?;
    Ok(Exit::Success)
}

/// The lock that one daemon a workspace holds, with its pid for whoever asks.
fn lock(workspace: &Workspace) -> Result<File, Failure> {
    let path = workspace.daemon_lock();
    let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
    let mut file = open.with_context(|| format!("cannot open `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = (&file).take(32).read_to_string(&mut pid);
            let failure = Failure::failed(format!("a daemon is at work in this workspace already: process {}", pid.trim()));
            return Err(failure.with_hint("stop it first, or name another workspace with --workspace"));
        }
        Err(TryLockError::Error(error)) => return Err(anyhow::Error::new(error).context("cannot lock the workspace").into()),
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

/// Notes who is at work, for `recflow status`.
fn note(store: &Store, owner: &str, address: Option<&str>, clock: &dyn Clock) {
    let presence = Presence {
        owner: owner.to_owned(),
        pid: std::process::id(),
        started_at: clock.now().round(jiff::Unit::Second).unwrap_or_else(|_| clock.now()).to_string(),
        address: address.map(str::to_owned),
    };
    if let Err(error) = store.write(|tx| presence.note(tx)) {
        tracing::warn!(%error, "cannot record that the daemon is at work");
    }
}

/// The first SIGTERM or SIGINT drains, the second ends at once what is left; SIGHUP reads the settings again.
fn listen_to_signals(handle: Handle, nudger: Nudger, workspace: Workspace, clock: Arc<dyn Clock>, grace: Duration) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate, mut hangup) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?)
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let mut draining: Option<Instant> = None;
            loop {
                tokio::select! {
                    Some(()) = interrupt.recv() => {}
                    Some(()) = terminate.recv() => {}
                    Some(()) = hangup.recv() => {
                        reload(&handle, &workspace);
                        nudger.nudge(Nudge::Look);
                        continue;
                    }
                    else => return,
                }
                // Two at once are one wish: a terminal and a supervisor may both send it.
                if draining.is_some_and(|since| since.elapsed() < SECOND_WISH_AFTER) {
                    continue;
                }
                let grace = if draining.is_some() { Duration::ZERO } else { grace };
                let grace = SignedDuration::try_from(grace).unwrap_or(SignedDuration::ZERO);
                let now = clock.now();
                tracing::info!(grace_seconds = grace.as_secs(), "draining: nothing new starts");
                draining.get_or_insert_with(Instant::now);
                nudger.nudge(Nudge::Stop);
                handle.drain(now.checked_add(grace).unwrap_or(now));
            }
        });
    })?;
    Ok(())
}

fn reload(handle: &Handle, workspace: &Workspace) {
    let mut complaint = Vec::new();
    match load::settings(workspace, &mut complaint, false) {
        Ok(settings) => {
            handle.limit(settings.limits);
            tracing::info!("settings read again");
        }
        Err(failure) => {
            let mut why = String::from_utf8_lossy(&complaint).into_owned();
            if why.is_empty() {
                let _ = failure.print(&mut complaint, false);
                why = String::from_utf8_lossy(&complaint).into_owned();
            }
            tracing::error!(why, "recflow.yaml is not valid; the settings stay as they were");
        }
    }
}

/// Logs what happens to runs, counts it, and has the scheduler look when one ends: another may begin, a trigger may wait for it.
#[derive(Debug)]
struct Watch {
    metrics: Metrics,
    nudger: Nudger,
}

impl Observer for Watch {
    fn notice(&mut self, notice: &Notice) {
        self.metrics.notice(notice);
        match notice {
            Notice::RunBegun { run, pipeline, resumed, .. } => tracing::info!(%run, pipeline, resumed, "run begun"),
            Notice::RunEnded { run, status, reason } => {
                tracing::info!(%run, status = status.as_str(), reason, "run ended");
                self.nudger.nudge(Nudge::Look);
            }
            Notice::Task { run, task } if task.state == recflow_state::TaskState::Failed => {
                let error = task.error.as_ref().map(|error| error.message.as_str());
                tracing::warn!(%run, task = task.id, attempts = task.attempts, error, "task failed");
            }
            Notice::Waiting { reason } => tracing::warn!(reason, "waiting"),
            _ => {}
        }
    }
}
