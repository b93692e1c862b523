//! `evaluations/` of a version: what was measured of it on which test set, where `evaluate` was asked to record it.
//!
//! One file for each piece of work, named after its publish key: a repeated attempt replaces its own file, and two evaluations at once
//! do not meet. The version's other files stay as they were published.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::{DatasetRecord, to_created_at};
use crate::context::{Context, PublishKey};
use crate::error::{Result, StageError};
use crate::storage::write_atomically;

/// The folder's name inside a version.
const FOLDER: &str = "evaluations";

/// The format that this version writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// Figures of a version on a test set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvaluationRecord {
    /// Version of this format.
    pub format: u32,
    /// When it was measured: RFC 3339, UTC, to the millisecond.
    pub evaluated_at: String,
    /// The work that measured it.
    pub publish_key: PublishKey,
    /// The test set.
    pub ratings: DatasetRecord,
    /// Figures by name: the numbers at the top level of what `evaluate` returned.
    pub metrics: BTreeMap<String, f64>,
}

/// Keeps `output`, what an evaluation on `ratings` returned, with the version at `directory`.
///
/// # Errors
/// The version cannot be written to.
pub fn record(directory: &Path, ratings: DatasetRecord, output: &Value, context: &Context) -> Result<()> {
    let numbers = output.as_object().into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
    let evaluation = EvaluationRecord {
        format: FORMAT,
        evaluated_at: to_created_at(context.clock.now()),
        publish_key: context.publish_key.clone(),
        ratings,
        metrics: numbers.collect(),
    };
    let name = format!("{}.json", context.publish_key.as_str().replace('/', "."));
    write_atomically(&*context.storage, &directory.join(FOLDER).join(name), |file| {
        serde_json::to_writer_pretty(file, &evaluation).map_err(io::Error::from)
    })
}

/// The evaluations recorded with the version at `directory`, newest first. One that cannot be read is left out, with a warning.
///
/// # Errors
/// The folder exists but cannot be listed.
pub fn list(directory: &Path, context: &Context) -> Result<Vec<EvaluationRecord>> {
    let folder = directory.join(FOLDER);
    let failed = |error| StageError::io("list", &folder, &error);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found: Vec<EvaluationRecord> = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let is_ours = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| !name.starts_with('.') && name.ends_with(".json"));
        if is_ours {
            match read(&path) {
                Ok(evaluation) => found.push(evaluation),
                Err(why) => context.warn(format!("the evaluation `{}` is passed over: {why}", context.display(&path))),
            }
        }
    }
    // RFC 3339 in UTC to the millisecond: text sorts as time.
    found.sort_by(|a, b| (&b.evaluated_at, &b.publish_key).cmp(&(&a.evaluated_at, &a.publish_key)));
    Ok(found)
}

fn read(path: &Path) -> Result<EvaluationRecord, String> {
    #[derive(Deserialize)]
    struct Header {
        format: u32,
    }
    let text = fs::read(path).map_err(|error| error.to_string())?;
    let Header { format } = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    if format > FORMAT {
        return Err(format!("its format is {format}, this recflow knows formats up to {FORMAT}"));
    }
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::catalog;
    use crate::model::tests::World;
    use crate::model::versions::{Which, find};

    fn test_set() -> DatasetRecord {
        DatasetRecord { path: "data/test".to_owned(), fingerprint: "f".to_owned(), rows: 9 }
    }

    #[test]
    fn figures_stay_with_the_version_the_newest_count_and_a_repeated_attempt_replaces_its_own() {
        let mut world = World::new();
        let version = world.models().join(world.another());
        assert_eq!(list(&version, &world.context), Ok(vec![]));
        for (task, rmse) in [("first", 0.9), ("second", 0.8), ("second", 0.7)] {
            world.clock.advance_ms(1000);
            world.context.publish_key = PublishKey::new("run", task, 0);
            let output = json!({ "rmse": rmse, "mae": null, "scored": 9, "unseen_items": { "ndcg_at_k": 0.5 } });
            record(&version, test_set(), &output, &world.context).unwrap();
        }
        let found = list(&version, &world.context).unwrap();
        assert_eq!(found.iter().map(|evaluation| evaluation.metrics["rmse"]).collect::<Vec<_>>(), [0.7, 0.9]);
        assert_eq!(found[0].metrics.keys().collect::<Vec<_>>(), ["rmse", "scored"]);
        let version = find(&world.models(), &Which::Latest, &world.context).unwrap();
        let metrics = catalog::metrics(&version, &world.context).unwrap();
        assert_eq!((metrics["rmse"], metrics.contains_key("loss")), (0.7, true));
        assert_eq!(crate::model::open(&version.path).unwrap().rank(), 3);
    }

    #[test]
    fn an_evaluation_that_cannot_be_read_is_passed_over_with_a_warning() {
        let world = World::new();
        let version = world.models().join(world.another());
        fs::create_dir(version.join(FOLDER)).unwrap();
        fs::write(version.join(FOLDER).join("a.json"), r#"{ "format": 2 }"#).unwrap();
        assert_eq!(list(&version, &world.context), Ok(vec![]));
        let warnings = world.warnings.0.lock().unwrap();
        assert!(warnings[0].ends_with("is passed over: its format is 2, this recflow knows formats up to 1"), "{warnings:?}");
    }
}
