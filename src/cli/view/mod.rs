//! What people see of runs: while they go on (live or as plain lines, on standard error) and afterwards (on standard
//! output). And of datasets and models.

mod dashboard;
mod datasets;
mod details;
mod events;
mod live;
mod models;
pub(super) mod page;
mod plain;
mod plan;
mod schedule;
mod simulation;
mod simulation_page;
mod summary;
mod text;
mod watch;

use super::Terminal;
use crate::engine::{Nobody, Observer};

pub(super) use dashboard::dashboard;
pub(super) use datasets::{dataset, datasets, history, pruned, rolled_back};
pub(super) use details::details;
pub(super) use events::events;
pub(super) use models::{decisions, model, models, promoted, pruned as pruned_models};
pub(super) use plan::Plan;
pub(super) use schedule::schedule;
pub(super) use simulation::simulation;
pub(super) use simulation_page::page as simulation_page;
pub(super) use summary::{errors, runs, summary};
pub(super) use watch::Watch;

/// Who watches a run: nobody, a live view on a terminal, or plain lines.
pub(super) fn observer(quiet: bool, terminal: &Terminal) -> Box<dyn Observer> {
    if quiet {
        Box::new(Nobody)
    } else if terminal.live {
        Box::new(live::Live::new(terminal.err_color))
    } else {
        Box::new(plain::Plain::default())
    }
}
