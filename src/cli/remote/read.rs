//! What a server says of runs and pipelines, as the facts that this program prints.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use recflow_state::{RunStatus, TaskState, Trigger, UnixMs};
use serde_json::Value;

use super::super::exit::Failure;
use super::Remote;
use crate::facts::dashboard::{DaemonFact, Dashboard, PipelineFact, TaskFact};
use crate::facts::{RunReport, TaskReport, Tasks};

/// A member that is text.
pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn some(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().map(str::to_owned)
}

fn number(value: &Value, name: &str) -> u32 {
    value[name].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

fn instant(value: &Value, name: &str) -> UnixMs {
    value[name].as_str().and_then(|text| text.parse::<Timestamp>().ok()).map_or(UnixMs(0), |at| UnixMs(at.as_millisecond()))
}

impl Remote {
    /// The word for a status that this recflow knows.
    fn status(&self, value: &Value) -> Result<&'static str, Failure> {
        let word = value["status"].as_str().or(value.as_str()).unwrap_or_default();
        match RunStatus::parse(word) {
            Ok(status) => Ok(status.as_str()),
            Err(_) if word == "interrupted" => Ok("interrupted"),
            Err(_) => Err(self.strange(&format!("a status `{word}`"))),
        }
    }

    /// A run, with its tasks if it is told in full.
    pub(super) fn report(&self, value: &Value) -> Result<RunReport, Failure> {
        let trigger = Trigger::parse(value["trigger"].as_str().unwrap_or_default());
        let tasks = value["tasks"].as_array().map(|tasks| tasks.iter().map(|task| self.task(task)).collect::<Result<Vec<_>, _>>());
        Ok(RunReport {
            run: text(value, "run"),
            pipeline: text(value, "pipeline"),
            status: self.status(value)?,
            trigger: trigger.map_err(|error| self.strange(&error.to_string()))?.as_str(),
            logical_date: text(value, "logical_date"),
            seconds: value["seconds"].as_f64(),
            params: value["params"].clone(),
            tasks: tasks.transpose()?.map(Tasks),
            reason: some(value, "reason"),
            created_at: instant(value, "created_at"),
            flags: format!(" --server {}", self.base()),
            home: String::new(),
        })
    }

    fn task(&self, value: &Value) -> Result<TaskReport, Failure> {
        let state = TaskState::parse(value["state"].as_str().unwrap_or_default());
        Ok(TaskReport {
            id: text(value, "task"),
            stage: text(value, "stage"),
            state: state.map_err(|error| self.strange(&error.to_string()))?.as_str(),
            attempts: number(value, "attempts"),
            seconds: value["seconds"].as_f64(),
            peak_rss_mb: value["peak_rss_mb"].as_f64(),
            output: Some(value["output"].clone()).filter(|output| !output.is_null()),
            error: some(value, "error"),
            hint: some(value, "hint"),
            reason: some(value, "reason"),
            tries: Vec::new(),
        })
    }

    /// How everything stands.
    pub(super) fn dashboard(&self, cards: &[Value], overview: &Value) -> Result<Dashboard, Failure> {
        let daemon = &overview["daemon"];
        let queued = overview["queued"].as_object().into_iter().flatten();
        let count = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
        let pipelines = cards.iter().map(|card| self.pipeline(card)).collect::<Result<Vec<_>, _>>()?;
        Ok(Dashboard {
            daemon: daemon.is_object().then(|| DaemonFact {
                alive: daemon["alive"].as_bool().unwrap_or_default(),
                pid: number(daemon, "pid"),
                started_at: text(daemon, "started_at"),
                address: some(daemon, "address"),
            }),
            any_run: pipelines.iter().any(|pipeline| pipeline.last.is_some()),
            pipelines,
            running: overview["running"].as_array().into_iter().flatten().map(under_way).collect(),
            queued: queued.map(|(name, value)| (name.clone(), count(value))).collect::<BTreeMap<_, _>>(),
        })
    }

    fn pipeline(&self, card: &Value) -> Result<PipelineFact, Failure> {
        // As the dashboard of a workspace has it: the last ten.
        let results: Vec<&Value> = card["results"].as_array().into_iter().flatten().collect();
        let newest = &results[results.len().saturating_sub(10)..];
        let next = some(card, "next");
        let at = next.as_deref().and_then(|next| next.parse::<Timestamp>().ok());
        Ok(PipelineFact {
            pipeline: text(card, "pipeline"),
            file: some(card, "file"),
            paused: card["paused"].as_bool().unwrap_or_default(),
            error: some(card, "error"),
            last: Some(&card["last"]).filter(|last| last.is_object()).map(|last| self.report(last)).transpose()?,
            results: newest.iter().map(|result| self.status(result)).collect::<Result<_, _>>()?,
            queued: number(card, "queued"),
            next,
            // The wall clock of whoever looks: that of the schedule is not told.
            firing: at.map(|at| crate::scheduler::Firing { at, local: at.to_zoned_datetime(TimeZone::system()), dst: None }),
        })
    }
}

fn under_way(value: &Value) -> TaskFact {
    TaskFact {
        run: text(value, "run"),
        pipeline: text(value, "pipeline"),
        task: text(value, "task"),
        stage: text(value, "stage"),
        attempts: number(value, "attempts"),
        seconds: value["seconds"].as_f64(),
    }
}
