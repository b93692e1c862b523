//! Reading: [`View`] has one call for each question.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;

use crate::damage::{Damage, is_malformed};
use crate::error::{CANDIDATES_MAX, Candidate, Error, Result};
use crate::ids::{RunId, VersionId};
use crate::json::FromJson;
use crate::rows::{AttemptRow, EventRow, MetricRow, PipelineText, Run, TaskRow};
use crate::select;

/// A store at one instant. Got from [`Store::read`](crate::Store::read), [`Reader::read`](crate::Reader::read)
/// or, inside a transaction, from [`Tx`](crate::Tx).
///
/// Every call fails with [`Error::Corrupt`] if a stored value is not what this crate writes; of a view that
/// [`Reader::read_around_damage`](crate::Reader::read_around_damage) gives, lists leave such rows out.
#[derive(Debug)]
pub struct View<'c> {
    connection: &'c Connection,
    path: &'c Path,
    /// Rows that lists left out; `None` if they must not.
    damage: Option<RefCell<Vec<Damage>>>,
}

impl<'c> View<'c> {
    pub(crate) fn new(connection: &'c Connection, path: &'c Path) -> Self {
        Self { connection, path, damage: None }
    }

    /// A view whose lists leave out rows that cannot be read.
    pub(crate) fn around_damage(connection: &'c Connection, path: &'c Path) -> Self {
        Self { connection, path, damage: Some(RefCell::default()) }
    }

    /// What lists left out.
    pub(crate) fn into_damage(self) -> Vec<Damage> {
        self.damage.map(RefCell::into_inner).unwrap_or_default()
    }

    /// The run that a person names: `latest`, an id, or the beginning of one that no other run shares.
    ///
    /// Fails with [`Error::NotFound`] or [`Error::Ambiguous`], which list the runs that may be meant.
    pub fn find_run(&self, selector: &str) -> Result<Run> {
        let candidates = match selector {
            "latest" => self.rows_whole("find a run", select::NEWEST_CANDIDATES, &[&1], select::candidate)?,
            prefix if RunId::may_start_with(prefix) => {
                self.rows_whole("find a run", select::CANDIDATES_BY_PREFIX, &[&(CANDIDATES_MAX as u32 + 1), &prefix], select::candidate)?
            }
            _ => Vec::new(),
        };
        match candidates.as_slice() {
            [] => Err(self.not_found(selector)?),
            [only] => self.run(&only.id),
            _ => Err(Error::Ambiguous { selector: selector.to_owned(), candidates }),
        }
    }

    /// A run. Fails with [`Error::NotFound`] if there is none of that id.
    pub fn run(&self, id: &RunId) -> Result<Run> {
        match self.row("read a run", select::RUN, &[id], select::run)? {
            Some(run) => Ok(run),
            None => Err(self.not_found(id.as_str())?),
        }
    }

    /// The runs that are not over, oldest first: what a recovery looks at.
    pub fn non_terminal_runs(&self) -> Result<Vec<Run>> {
        self.rows("list the open runs", select::OPEN_RUNS, &[], select::run)
    }

    /// The tasks of a run, in the pipeline's order.
    pub fn tasks(&self, run: &RunId) -> Result<Vec<TaskRow>> {
        self.rows("read the tasks of a run", select::TASKS, &[run], select::task)
    }

    /// The attempts of a run, by task, then by number.
    pub fn attempts(&self, run: &RunId) -> Result<Vec<AttemptRow>> {
        self.rows("read the attempts of a run", select::ATTEMPTS, &[run], select::attempt)
    }

    /// The log of a run, in order.
    pub fn events(&self, run: &RunId) -> Result<Vec<EventRow>> {
        self.rows("read the events of a run", select::EVENTS, &[run], select::event)
    }

    /// The current outputs of a run, by task.
    pub fn outputs(&self, run: &RunId) -> Result<BTreeMap<String, Value>> {
        let output = |row: &Row<'_>| Ok((row.get(1)?, row.get::<_, FromJson>(2)?.0));
        let outputs = self.rows("read the outputs of a run", select::OUTPUTS, &[run], output)?;
        Ok(outputs.into_iter().collect())
    }

    /// The series that a task of a run reported, by attempt, name and step.
    pub fn metrics(&self, run: &RunId, task: &str) -> Result<Vec<MetricRow>> {
        self.rows("read the metrics of a task", select::METRICS, &[run, &task], select::metric)
    }

    /// What SQLite finds wrong with the file: nothing, if it is sound. Reads all of it.
    pub fn integrity(&self) -> Result<Vec<String>> {
        let found = self.rows("check the store", "PRAGMA integrity_check", &[], |row| row.get::<_, String>(0))?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// A version of a pipeline's text.
    pub fn pipeline_text(&self, version: VersionId) -> Result<PipelineText> {
        let text = self.row("read a pipeline", select::PIPELINE_TEXT, &[&version], select::pipeline_text)?;
        text.ok_or_else(|| self.refused("read a pipeline", format!("there is no version {}", version.0)))
    }

    /// The error for a run that is not there, with the newest ones.
    pub(crate) fn not_found(&self, selector: &str) -> Result<Error> {
        let candidates: Vec<Candidate> =
            self.rows_whole("find a run", select::NEWEST_CANDIDATES, &[&(CANDIDATES_MAX as u32)], select::candidate)?;
        Ok(Error::NotFound { selector: selector.to_owned(), candidates })
    }

    /// The error for a call that SQLite would allow and the store does not.
    pub(crate) fn refused(&self, what: impl Into<String>, detail: impl Into<String>) -> Error {
        Error::Other { path: self.path.to_owned(), what: what.into(), detail: detail.into() }
    }

    /// All rows of a question.
    pub(crate) fn rows<T>(
        &self,
        what: &str,
        sql: &str,
        params: &[&dyn ToSql],
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.collect(what, sql, params, map, self.damage.as_ref())
    }

    /// The same, but a row that cannot be read is an error whatever the view: a person must not get another run than the one they named.
    fn rows_whole<T>(
        &self,
        what: &str,
        sql: &str,
        params: &[&dyn ToSql],
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.collect(what, sql, params, map, None)
    }

    fn collect<T>(
        &self,
        what: &str,
        sql: &str,
        params: &[&dyn ToSql],
        mut map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
        damage: Option<&RefCell<Vec<Damage>>>,
    ) -> Result<Vec<T>> {
        let failed = |error: &rusqlite::Error| Error::sqlite(self.path, what, error);
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| failed(&error))?;
        let mut rows = statement.query(params).map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| failed(&error))? {
            match map(row) {
                Ok(value) => found.push(value),
                Err(error) if !is_malformed(&error) => return Err(failed(&error)),
                Err(error) => match damage {
                    Some(damage) => damage.borrow_mut().push(Damage::of(what, row, &error)),
                    None => return Err(Damage::of(what, row, &error).into_error(self.path)),
                },
            }
        }
        Ok(found)
    }

    /// The only row of a question, if it has one.
    pub(crate) fn row<T>(
        &self,
        what: &str,
        sql: &str,
        params: &[&dyn ToSql],
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        let mut damage = None;
        let map = |row: &Row<'_>| map(row).inspect_err(|error| damage = is_malformed(error).then(|| Damage::of(what, row, error)));
        let asked = self.connection.prepare_cached(sql).and_then(|mut statement| statement.query_row(params, map).optional());
        asked.map_err(|error| match damage {
            Some(damage) => damage.into_error(self.path),
            None => Error::sqlite(self.path, what, &error),
        })
    }

    /// Changes rows; returns how many.
    pub(crate) fn change(&self, what: &str, sql: &str, params: &[&dyn ToSql]) -> Result<usize> {
        let change = || self.connection.prepare_cached(sql)?.execute(params);
        change().map_err(|error| Error::sqlite(self.path, what, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, UnixMs};
    use rusqlite::StatementStatus;

    /// SQLite compiles a statement again where it believes that the schema may have changed, which costs more than most answers.
    #[test]
    fn a_question_is_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        for store in [Store::in_memory().unwrap(), Store::open(folder.path().join("s.db")).unwrap()] {
            let compiled_again = |view: &View<'_>| {
                view.tasks(&RunId::from_random(1))?;
                let statement = view.connection.prepare_cached(select::TASKS).unwrap();
                Ok::<_, Error>(statement.get_status(StatementStatus::RePrepare))
            };
            for n in 0..3 {
                let written =
                    store.write(|tx| tx.pipeline_version("p", &format!("{n}"), "text", None, UnixMs(0)).and_then(|_| compiled_again(tx)));
                assert_eq!((written.unwrap(), store.read(compiled_again).unwrap()), (0, 0), "{}, {n}", store.path().display());
            }
        }
    }
}
