//! What a pipeline must have to be simulated, found by stage and not by name: something that takes in the stream, something that judges drift,
//! something that promotes. And which paths it works on, so that they can be laid out elsewhere.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use jiff::Timestamp;
use recflow_stages::intake::RatingRange;
use recflow_stages::{Catalog, Result, StageError};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::setup::Policy;
use crate::pipeline::{ParamType, Pipeline, RunInfo, Scope, TaskKind};

/// The parameter by which a pipeline is told the policy.
pub(super) const POLICY: &str = "policy";

/// Where the parts of a pipeline are. Paths are relative to the workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Where the stream arrives: a path that may end in a wildcard.
    pub(super) csv: String,
    /// Which ratings it takes in.
    pub(super) rating_range: RatingRange,
    /// The processed training set.
    pub(super) train: String,
    /// The processed test set.
    pub(super) test: String,
    /// The folder of models.
    pub(super) models: String,
    /// Id of the task that judges drift.
    pub(super) detect: String,
    /// Id of the task that promotes.
    pub(super) promote: String,
    /// Ids of the branches below the judgement.
    pub(super) branches: Vec<String>,
    /// Ids of the tasks that train.
    pub(super) trainings: Vec<String>,
}

impl Subject {
    /// Finds the parts of a pipeline, with these values of its parameters.
    ///
    /// # Errors
    /// A part that is missing or there twice, an input that is not known before a run, a path that leaves the workspace, a parameter `policy` that is
    /// missing or does not know a policy.
    pub fn of(pipeline: &Pipeline, params: &Map<String, Value>, policies: &[Policy]) -> Result<Self> {
        knows_policies(pipeline, policies)?;
        let parts = Parts { pipeline, scope: static_scope(pipeline, params) };
        parts.stay_inside(params)?;
        let (intake, detect, promote) = (parts.only("process_stream")?, parts.only("detect_drift")?, parts.only("promote")?);
        let branches = pipeline.tasks.iter().filter(|task| matches!(task.kind, TaskKind::Branch { .. }) && task.needs.contains(&detect));
        let branches: Vec<String> = branches.map(|task| task.id.to_string()).collect();
        if branches.is_empty() {
            let message = format!("no branch of pipeline `{}` needs `{}`", pipeline.name, pipeline.tasks[detect].id);
            return Err(StageError::input(message).with_hint("a simulation follows a branch that decides on what `detect_drift` found"));
        }
        let range = parts.value(intake, "rating_range")?.map(|value| RatingRange::deserialize(value).unwrap_or_default());
        let id = |task: usize| pipeline.tasks[task].id.to_string();
        Ok(Self {
            csv: parts.path(intake, "csv")?,
            rating_range: range.unwrap_or_default(),
            train: parts.path(detect, "original_train")?,
            test: parts.path(detect, "original_test")?,
            models: parts.path(promote, "models")?,
            detect: id(detect),
            promote: id(promote),
            branches,
            trainings: parts.of_stage("train_als").map(id).collect(),
        })
    }

    /// The name under which the file of a period arrives.
    pub(super) fn arrival(&self, period: &str) -> String {
        self.csv.replace('*', period).replace('?', "0")
    }
}

/// A pipeline without a parameter `policy` can only be played as it is.
fn knows_policies(pipeline: &Pipeline, policies: &[Policy]) -> Result<()> {
    let words = pipeline.params.iter().find(|param| param.name == POLICY).map(|param| &param.kind);
    let hint = "declare `policy: { type: enum, values: [drift, always, never], default: drift }` and let the branch ask for \
                `params.policy == 'always' or (params.policy == 'drift' and tasks.detect_drift.output.should_retrain)`";
    for policy in policies {
        let message = match words {
            Some(ParamType::Enum(words)) if words.iter().any(|word| word == policy.as_str()) => continue,
            None if *policy == Policy::Drift => continue,
            None => format!("pipeline `{}` has no parameter `{POLICY}`, so `{}` cannot be simulated", pipeline.name, policy.as_str()),
            Some(_) => format!("parameter `{POLICY}` of pipeline `{}` does not take `{}`", pipeline.name, policy.as_str()),
        };
        return Err(StageError::input(message).with_hint(hint));
    }
    Ok(())
}

/// What templates see before a run: parameters, no task.
fn static_scope(pipeline: &Pipeline, params: &Map<String, Value>) -> Scope {
    let info = RunInfo {
        id: "simulation".to_owned(),
        logical_date: Timestamp::UNIX_EPOCH.to_string(),
        pipeline: pipeline.name.clone(),
        trigger: "simulation".to_owned(),
    };
    Scope::new(params.clone(), &info, &BTreeMap::new(), &BTreeMap::new())
}

struct Parts<'a> {
    pipeline: &'a Pipeline,
    scope: Scope,
}

impl Parts<'_> {
    fn of_stage(&self, name: &str) -> impl Iterator<Item = usize> {
        let is = move |kind: &TaskKind| matches!(kind, TaskKind::Stage { stage, .. } if stage == name);
        self.pipeline.tasks.iter().enumerate().filter(move |(_, task)| is(&task.kind)).map(|(index, _)| index)
    }

    /// The one task of that stage.
    fn only(&self, stage: &str) -> Result<usize> {
        let found: Vec<usize> = self.of_stage(stage).collect();
        match found[..] {
            [one] => Ok(one),
            [] => Err(StageError::input(format!("pipeline `{}` has no task of stage `{stage}`", self.pipeline.name))
                .with_hint("a simulation takes in a stream, judges drift and promotes, as `pipelines/drift-retrain.yaml` does")),
            [first, second, ..] => {
                let (first, second) = (&self.pipeline.tasks[first].id, &self.pipeline.tasks[second].id);
                let message = format!("pipeline `{}` has several tasks of stage `{stage}`: `{first}`, `{second}`", self.pipeline.name);
                Err(StageError::input(message).with_hint("simulate a pipeline with one"))
            }
        }
    }

    /// What an input is before any task has run; `None` if it is not given.
    fn value(&self, task: usize, input: &str) -> Result<Option<Value>> {
        let TaskKind::Stage { with, .. } = &self.pipeline.tasks[task].kind else { return Ok(None) };
        let Some((_, value)) = with.iter().find(|(name, _)| *name == input) else { return Ok(None) };
        value.render(&self.scope).map(Some).map_err(|error| {
            let message = format!("`{input}` of task `{}` is not known before a run: {error}", self.pipeline.tasks[task].id);
            StageError::input(message).with_hint("give a path, or a template that reads `params` alone")
        })
    }

    fn path(&self, task: usize, input: &str) -> Result<String> {
        match self.value(task, input)? {
            Some(Value::String(path)) => Ok(path),
            _ => Err(StageError::input(format!("`{input}` of task `{}` is no path", self.pipeline.tasks[task].id))),
        }
    }

    /// A simulation works on a copy of the workspace. What is known to lie outside would be the user's own.
    fn stay_inside(&self, params: &Map<String, Value>) -> Result<()> {
        let paths = self.pipeline.params.iter().filter(|param| param.kind == ParamType::Path);
        for param in paths {
            check_inside(&format!("parameter `{}`", param.name), params.get(&param.name))?;
        }
        for (index, task) in self.pipeline.tasks.iter().enumerate() {
            let TaskKind::Stage { stage, with } = &task.kind else { continue };
            let spec = Catalog::builtin().get(stage).map(|stage| &stage.spec.inputs);
            let is_path = |input: &str| spec.and_then(|spec| spec["properties"][input]["format"].as_str()) == Some("path");
            for (input, _) in with.iter().filter(|(input, _)| is_path(input)) {
                // What other tasks return is known only later; it comes from paths that are checked here.
                let value = self.value(index, input).ok().flatten();
                check_inside(&format!("`{input}` of task `{}`", task.id), value.as_ref())?;
            }
        }
        Ok(())
    }
}

fn check_inside(what: &str, value: Option<&Value>) -> Result<()> {
    let Some(path) = value.and_then(Value::as_str) else { return Ok(()) };
    if Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Ok(());
    }
    Err(StageError::input(format!("{what} leads out of the workspace: `{path}`")).with_hint(
        "a simulation works in a copy of the workspace, so that it never touches your data; give paths relative to the workspace",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINE: &str = r#"
name: watched
params:
  dir: { type: path, default: data/streaming }
  policy: { type: enum, values: [drift, always, never], default: drift }
tasks:
  take: { stage: process_stream, with: { csv: "{{ params.dir }}/*.csv", output: "{{ params.dir }}" } }
  judge:
    stage: detect_drift
    needs: [take]
    with: { model: m/current, original_train: p/train, original_test: p/test, current_train: s/train, current_test: s/test }
  choose: { needs: [judge], branch: [{ when: tasks.judge.output.should_retrain, to: fit }] }
  fit: { stage: train_als, needs: [choose], with: { ratings: p/train, models: m } }
  crown: { stage: promote, needs: [fit], with: { models: m, challenger: "{{ tasks.fit.output.version }}", ratings: p/test } }
"#;

    fn subject(text: &str, given: &[(&str, &str)], policies: &[Policy]) -> Result<Subject> {
        let loaded = crate::pipeline::load(text, "p.yaml", Catalog::builtin());
        let pipeline = loaded.pipeline.as_ref().unwrap_or_else(|| panic!("{}", loaded.render(false)));
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), crate::pipeline::ParamInput::Text((*value).to_owned()));
        let params = pipeline.resolve_params(&given.iter().map(text).collect::<Vec<_>>()).unwrap();
        Subject::of(pipeline, &params, policies)
    }

    #[test]
    fn the_parts_are_found_by_stage_whatever_their_names() {
        let found = subject(PIPELINE, &[], &[Policy::Drift, Policy::Never]).unwrap();
        assert_eq!((found.detect.as_str(), found.promote.as_str()), ("judge", "crown"));
        assert_eq!((found.branches, found.trainings), (vec!["choose".to_owned()], vec!["fit".to_owned()]));
        assert_eq!((found.train.as_str(), found.test.as_str(), found.models.as_str()), ("p/train", "p/test", "m"));
    }

    #[test]
    fn a_wildcard_becomes_the_name_of_the_period() {
        assert_eq!(subject(PIPELINE, &[], &[]).unwrap().arrival("2005-Q1"), "data/streaming/2005-Q1.csv");
    }

    #[test]
    fn what_cannot_be_simulated_is_refused_with_a_remedy() {
        for (from, to, why) in [
            (
                "stage: promote, needs: [fit], with: { models: m, challenger: \"{{ tasks.fit.output.version }}\", ratings: p/test }",
                "stage: noop, needs: [fit]",
                "no task of stage `promote`",
            ),
            ("values: [drift, always, never]", "values: [drift, never]", "does not take `always`"),
            ("policy:", "policies:", "no parameter `policy`"),
            (
                "original_train: p/train",
                "original_train: \"{{ tasks.take.output.train.path }}\"",
                "`original_train` of task `judge` is not known before a run",
            ),
            (
                "needs: [judge], branch: [{ when: tasks.judge.output.should_retrain, to: fit }]",
                "needs: [take], branch: [{ to: fit }]",
                "no branch",
            ),
            ("models: m, challenger", "models: ../m, challenger", "`models` of task `crown` leads out of the workspace: `../m`"),
        ] {
            assert!(PIPELINE.contains(from), "{from}");
            let error = subject(&PIPELINE.replacen(from, to, 1), &[], &[Policy::Always]).unwrap_err();
            assert!(error.message.contains(why) && error.hint.is_some(), "{error}");
        }
        let error = subject(PIPELINE, &[("dir", "/srv/stream")], &[]).unwrap_err();
        assert_eq!(error.message, "parameter `dir` leads out of the workspace: `/srv/stream`");
    }
}
