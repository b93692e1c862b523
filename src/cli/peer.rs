//! What verbs share that talk to other processes through the store: a daemon, or whoever executes a run.

use recflow_state::{Run, RunId, Store};

use super::exit::Failure;
use super::status::now;
use crate::engine::owner::any_alive;
use crate::engine::{Granted, Wish, request, wake};
use crate::upkeep::presence::Presence;
use crate::workspace::Workspace;

/// The store, for writing a wish or a run into it.
pub(super) fn open_for_writing(workspace: &Workspace) -> recflow_state::Result<Store> {
    Store::open_unless_used(workspace.store(), || any_alive(&workspace.owners(), None))
}

/// Wakes the daemon of this workspace. Says which process that is, if there is one.
pub(super) fn wake_daemon(workspace: &Workspace, store: &Store) -> Result<Option<u32>, Failure> {
    let Some(daemon) = store.read(Presence::find)?.filter(|daemon| daemon.is_alive(workspace)) else { return Ok(None) };
    wake(&workspace.owners(), &daemon.owner);
    Ok(Some(daemon.pid))
}

/// Asks something of the process that executes a run, and waits for its answer.
pub(super) fn wish(workspace: &Workspace, store: &Store, run: &Run, wish: &Wish) -> Result<(), Failure> {
    match request(store, workspace, run, wish, now())? {
        Granted::Done => Ok(()),
        Granted::Refused(why) => Err(Failure::failed(why)),
        Granted::Unanswered => {
            let failure = Failure::failed(format!("the process that executes run {} has not answered", run.id));
            Err(failure.with_hint(format!("it may be suspended; the wish stands, and `recflow status {}` shows when it is done", run.id)))
        }
    }
}

/// The name of a pipeline that the store or `pipelines/` knows.
pub(super) fn known_pipeline(store: &Store, workspace: &Workspace, name: &str) -> Result<(), Failure> {
    let rows = store.read(|view| view.pipelines())?;
    if rows.iter().any(|row| row.name == name) || super::load::find(std::path::Path::new(name), workspace).is_ok() {
        return Ok(());
    }
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let close = crate::pipeline::suggest::closest(name, names.iter().copied());
    let hint = match close {
        Some(close) => format!("did you mean `{close}`?"),
        None if names.is_empty() => "put its file into `pipelines/` of the workspace".to_owned(),
        None => format!("there are {}", names.join(", ")),
    };
    Err(Failure::usage(format!("there is no pipeline `{name}`")).with_hint(hint))
}

/// Who asks.
pub(super) fn user() -> Option<String> {
    std::env::var("USER").ok().filter(|user| !user.is_empty())
}

/// The id of a new run.
pub(super) fn new_run_id() -> RunId {
    use crate::engine::entropy::{Entropy, SystemEntropy};
    RunId::from_random(SystemEntropy.next())
}
