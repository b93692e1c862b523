//! `report`: what other stages found, drawn as one HTML file that opens anywhere.
//!
//! Outputs of other tasks come in by template, models and trainings by their folders; the pages are made in [`report`](crate::report).

use std::io::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::{Result, StageError};
use crate::failpoint;
use crate::report::data::{decode, models, training};
use crate::report::{Page, Section, sections};
use crate::stage::{Misfit, Runs, Stage, WorkspacePath};
use crate::storage::AtomicFile;

/// Draws a report.
#[derive(Debug)]
pub struct Report;

/// Inputs of `report`. At least one of `drift`, `evaluation`, `training` and `models` must be given.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportInputs {
    /// The HTML file to write. A file that is there is replaced.
    pub output: WorkspacePath,
    /// The title of the page.
    #[serde(default = "title")]
    #[schemars(length(min = 1))]
    pub title: String,
    /// The output of a task of stage `detect_drift`.
    pub drift: Option<Map<String, Value>>,
    /// The output of a task of stage `evaluate`.
    pub evaluation: Option<Map<String, Value>>,
    /// The output of a task of stage `train_als`, to draw its iterations.
    pub training: Option<Map<String, Value>>,
    /// Folder of model versions, to compare them.
    pub models: Option<WorkspacePath>,
}

fn title() -> String {
    "Report".to_owned()
}

/// What `report` returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReportOutput {
    /// The file, as it was given.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

impl Stage for Report {
    const NAME: &'static str = "report";
    const SUMMARY: &'static str = "Draws drift, evaluation, training and models as one HTML file that needs nothing else";
    const RUNS: Runs = Runs::Child;
    const PARALLEL: bool = false;
    type Inputs = ReportInputs;
    type Output = ReportOutput;

    fn check(inputs: &ReportInputs) -> Result<(), Misfit> {
        if inputs.drift.is_some() || inputs.evaluation.is_some() || inputs.training.is_some() || inputs.models.is_some() {
            return Ok(());
        }
        let error = StageError::input("there is nothing to report")
            .with_hint("give at least one of `drift`, `evaluation` and `training` (outputs of tasks, by template) and `models` (a folder)");
        Err(Misfit { input: "drift", error })
    }

    fn run(inputs: ReportInputs, context: &Context) -> Result<ReportOutput> {
        let path = context.resolve(&inputs.output);
        if path.is_dir() {
            return Err(StageError::input(format!("`output` is a folder: `{}`", inputs.output))
                .with_hint("give the path of a file, such as reports/drift.html"));
        }
        let ReportInputs { output, title, .. } = &inputs;
        let written_at = context.clock.now().strftime("%Y-%m-%d %H:%M:%S UTC");
        let page = Page {
            title: title.clone(),
            lead: format!("Run date {}, written {written_at}", context.logical_date.strftime("%Y-%m-%d")),
            sections: sections_of(&inputs, context)?,
            footer: concat!("Made by recflow ", env!("CARGO_PKG_VERSION"), ". This file needs no network and runs no script.").to_owned(),
        };
        context.check_cancelled()?;
        let text = page.render();
        let failed = |error: std::io::Error| StageError::io("write", &path, &error);
        let mut file = AtomicFile::create(&*context.storage, &path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        failpoint::hit("report.before_publish");
        file.publish().map_err(failed)?;
        Ok(ReportOutput { path: output.to_string(), bytes: text.len() as u64 })
    }
}

/// What is asked for, in the order in which one reads it.
fn sections_of(inputs: &ReportInputs, context: &Context) -> Result<Vec<Section>> {
    let mut all = Vec::new();
    if let Some(drift) = &inputs.drift {
        all.push(sections::drift::section(&decode(Value::Object(drift.clone()), "drift", "detect_drift")?));
    }
    if let Some(evaluation) = &inputs.evaluation {
        all.push(sections::evaluation::section(&decode(Value::Object(evaluation.clone()), "evaluation", "evaluate")?));
    }
    if let Some(output) = &inputs.training {
        let Trained { path } = decode(Value::Object(output.clone()), "training", "train_als")?;
        all.push(sections::training::section(&[training::read(&context.resolve(&path))?]));
    }
    if let Some(folder) = &inputs.models {
        all.push(sections::models::section(&models::read(&context.resolve(folder), context)?, folder.as_str()));
    }
    Ok(all)
}

/// What is needed of an output of `train_als`.
#[derive(Deserialize)]
struct Trained {
    path: WorkspacePath,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::report::well_formed;
    use crate::storage::FailAfter;
    use crate::{AnyStage, PublishKey};

    fn context(folder: &Path) -> Context {
        Context::plain(folder, PublishKey::new("run", "report", 0))
    }

    fn report(folder: &Path, inputs: Value) -> Result<String> {
        let output = AnyStage::of::<Report>().run(inputs.as_object().unwrap().clone(), &context(folder))?;
        let text = std::fs::read_to_string(folder.join(output["path"].as_str().unwrap())).unwrap();
        assert_eq!(output["bytes"], text.len());
        let names = well_formed::check(&text).unwrap_or_else(|why| panic!("{why}"));
        assert!(!names.contains(&"script".to_owned()));
        Ok(text)
    }

    #[test]
    fn hostile_names_are_text_and_sections_that_lack_something_say_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let hostile = "<script>alert(1)</script>";
        let drift = json!({ "drift_score": 0.0, "should_retrain": false, "reason": hostile, "reasons": [hostile, hostile] });
        let text = report(
            folder.path(),
            json!({ "output": "reports/r.html", "title": hostile, "drift": drift, "evaluation": {}, "models": "<b>no</b>" }),
        )
        .unwrap();
        assert!(text.contains("&lt;script&gt;") && !text.contains("<script") && !text.contains("<b>"));
        for remedy in ["process_stream", "train: data/processed/parquet/train", "<code>train_als</code> publishes one"] {
            assert!(text.contains(remedy), "{remedy}");
        }
        assert!(text.contains(r#"id="drift""#) && text.contains(r#"id="evaluation""#) && text.contains(r#"id="models""#));
    }

    #[test]
    fn nothing_to_report_and_what_is_no_output_are_refused_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = report(folder.path(), json!({ "output": "r.html" })).unwrap_err();
        assert!(nothing.message.ends_with("`drift`: there is nothing to report") && nothing.hint.is_some(), "{nothing:?}");
        let wrong = report(folder.path(), json!({ "output": "r.html", "evaluation": { "by_rating": 7 } })).unwrap_err();
        assert!(wrong.message.starts_with("`evaluation` is not an output of `evaluate`: ") && wrong.hint.is_some(), "{wrong:?}");
        let folder_there = report(folder.path(), json!({ "output": ".", "evaluation": {} })).unwrap_err();
        assert!(folder_there.message.contains("is a folder"), "{folder_there:?}");
        let no_record = report(folder.path(), json!({ "output": "r.html", "training": { "path": "no" } })).unwrap_err();
        assert!(no_record.message.contains("has no record of its training"), "{no_record:?}");
    }

    #[test]
    fn whatever_write_fails_the_old_report_stays_or_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("r.html"), "old").unwrap();
        let inputs = json!({ "output": "r.html", "evaluation": {} });
        for operations in 0.. {
            let storage = std::sync::Arc::new(FailAfter::new(crate::storage::Disk, operations, std::io::ErrorKind::StorageFull));
            let context = Context { storage, ..context(folder.path()) };
            let done = AnyStage::of::<Report>().run(inputs.as_object().unwrap().clone(), &context);
            let text = std::fs::read_to_string(folder.path().join("r.html")).unwrap();
            assert!(text == "old" || text.ends_with("</html>\n"), "after {operations} operations");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "after {operations} operations");
            if done.is_ok() {
                assert_ne!(text, "old");
                return;
            }
        }
    }
}
