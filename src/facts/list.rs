//! A page of the list of runs, as people ask for it.
//!
//! The store knows `running`; whether such a run lives or was interrupted only its owner's lock can tell. So runs that are to be told apart
//! are looked through in pages. They are few.

use recflow_state::{Result, Run, RunFilter, RunStatus, View};

use crate::engine::{Standing, standing};
use crate::workspace::Workspace;

/// What a status may be besides the stored ones: that of a run whose process died.
const INTERRUPTED: &str = "interrupted";
/// Runs that are looked through at once.
const PAGE: u32 = 200;

/// Which runs of a status are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted {
    /// All.
    #[default]
    All,
    /// Of those that are not over, those whose process lives.
    Live,
    /// Of those that are not over, those whose process died.
    Interrupted,
}

/// The stored status that a word stands for, and which of its runs are meant.
///
/// # Errors
/// If it is no status; the words that are.
pub fn wanted(word: &str) -> std::result::Result<(Option<RunStatus>, Wanted), String> {
    match word {
        INTERRUPTED => Ok((Some(RunStatus::Running), Wanted::Interrupted)),
        word => match RunStatus::parse(word) {
            Ok(RunStatus::Running) => Ok((Some(RunStatus::Running), Wanted::Live)),
            Ok(status) => Ok((Some(status), Wanted::All)),
            Err(error) => Err(format!("{error}, {INTERRUPTED}")),
        },
    }
}

/// One page of the list.
#[derive(Debug, Default)]
pub struct Page {
    /// The runs, newest first.
    pub runs: Vec<Run>,
    /// Whether others follow.
    pub more: bool,
    /// Whether there is any run at all.
    pub any: bool,
}

/// The newest `limit` runs that pass the filter and stand as wanted.
pub fn page(view: &View<'_>, filter: &RunFilter, wanted: Wanted, limit: u32, workspace: &Workspace) -> Result<Page> {
    let is_wanted = |run: &Run| match wanted {
        Wanted::All => true,
        Wanted::Live => matches!(standing(workspace, run), Standing::Live { .. }),
        Wanted::Interrupted => matches!(standing(workspace, run), Standing::Interrupted),
    };
    let any = !view.runs(1, &RunFilter::default())?.is_empty();
    let sifted = wanted != Wanted::All;
    let (mut runs, mut cursor) = (Vec::new(), filter.clone());
    loop {
        let found = view.runs(if sifted { PAGE } else { limit.saturating_add(1) }, &cursor)?;
        let last = found.last().map(|run| run.id.clone());
        let is_last = !sifted || found.len() < PAGE as usize;
        runs.extend(found.into_iter().filter(is_wanted));
        if is_last || runs.len() > limit as usize {
            break;
        }
        cursor.before = last;
    }
    let more = runs.len() > limit as usize;
    runs.truncate(limit as usize);
    Ok(Page { runs, more, any })
}
