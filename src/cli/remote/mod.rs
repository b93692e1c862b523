//! `--server`: the same verbs, acting on a daemon elsewhere through its API. A thin client: it asks, and prints as the verbs do.

mod change;
mod client;
mod look;
mod read;

use std::io::Write;

pub(super) use client::Remote;

use super::exit::{Exit, Failure};
use super::{Terminal, Verb};
use crate::workspace::Workspace;

/// Whether a verb has nothing to do with any workspace or daemon, so that it does the same with a server as without.
pub(super) fn is_local(verb: &Verb) -> bool {
    matches!(
        verb,
        Verb::Validate(_) | Verb::Graph(_) | Verb::Schema(_) | Verb::Openapi(_) | Verb::Stages(_) | Verb::Completions(_) | Verb::Init(_)
    )
}

/// Does on the server what a verb says.
pub(super) fn run(verb: &Verb, remote: &Remote, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    match verb {
        Verb::Status(args) => remote.status_of(args, workspace, terminal, out),
        Verb::Runs(args) => remote.runs(args, terminal, out),
        Verb::Logs(args) => remote.logs(args, terminal, out),
        Verb::Models(args) => remote.models(args, out),
        Verb::Trigger(args) => remote.trigger(args, out),
        Verb::Cancel(args) => remote.cancel(args, out),
        Verb::Resume(args) => remote.resume(args, out),
        Verb::Pause(args) => remote.pause(args, true, out),
        Verb::Unpause(args) => remote.pause(args, false, out),
        _ => {
            let failure = Failure::usage("this verb works in a workspace, not on a server");
            Err(failure.with_hint("status, runs, logs, models, trigger, cancel, resume, pause and unpause do; leave --server and RECFLOW_SERVER out for the others"))
        }
    }
}
