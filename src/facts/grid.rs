//! Many runs of a pipeline at once: a column a run, a row a task.

use std::collections::HashMap;

use recflow_state::{Result, RunFilter, UnixMs, View};
use schemars::JsonSchema;
use serde::Serialize;

use super::run::brief;
use super::units::time;
use crate::workspace::Workspace;

/// The states of all tasks of the newest runs of a pipeline.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Grid {
    /// The tasks: those of the newest run in its order, then those that only older ones have.
    pub tasks: Vec<String>,
    /// The runs, newest first.
    pub runs: Vec<GridRun>,
}

/// A run of a grid.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GridRun {
    /// Its id.
    pub run: String,
    /// Where it stands.
    pub status: &'static str,
    /// What created it.
    pub trigger: &'static str,
    /// The instant that it stands for, RFC 3339.
    pub logical_date: String,
    /// When its first task could start.
    pub started_at: Option<String>,
    /// From start to end, or to now.
    pub seconds: Option<f64>,
    /// The states of its tasks in the order of `tasks`; null where it has no such task.
    pub states: Vec<Option<&'static str>>,
}

impl Grid {
    /// The newest `limit` runs of a pipeline.
    ///
    /// Two questions, however many runs and tasks there are.
    pub fn of(pipeline: &str, limit: u32, view: &View<'_>, workspace: &Workspace, now: UnixMs) -> Result<Self> {
        let filter = RunFilter { pipeline: Some(pipeline.to_owned()), ..RunFilter::default() };
        let rows = view.runs(limit, &filter)?;
        let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
        let (mut tasks, mut rows_of): (Vec<String>, HashMap<String, usize>) = (Vec::new(), HashMap::new());
        let mut states: HashMap<String, Vec<(usize, &'static str)>> = HashMap::new();
        for standing in view.task_standings(&ids)? {
            let row = match rows_of.get(&standing.task) {
                Some(row) => *row,
                None => {
                    rows_of.insert(standing.task.clone(), tasks.len());
                    tasks.push(standing.task);
                    tasks.len() - 1
                }
            };
            states.entry(String::from(standing.run)).or_default().push((row, standing.state.as_str()));
        }
        let runs = rows.iter().map(|row| {
            let report = brief(workspace, row, now);
            let mut column = vec![None; tasks.len()];
            for (row, state) in states.remove(&report.run).unwrap_or_default() {
                column[row] = Some(state);
            }
            GridRun {
                run: report.run,
                status: report.status,
                trigger: report.trigger,
                logical_date: report.logical_date,
                started_at: row.started_at.map(time),
                seconds: report.seconds,
                states: column,
            }
        });
        Ok(Self { runs: runs.collect(), tasks })
    }
}
