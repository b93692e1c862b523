//! One or more input files: a path, or a list of paths.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::context::Context;
use crate::error::{Result as StageResult, StageError};
use crate::stage::WorkspacePath;

/// The files of one input, in the order in which they are read. Written as a path or as a list of paths; never empty.
#[derive(Debug, Clone)]
pub struct Files(Vec<WorkspacePath>);

impl From<WorkspacePath> for Files {
    fn from(path: WorkspacePath) -> Self {
        Self(vec![path])
    }
}

impl Files {
    /// The paths as they were given.
    pub fn paths(&self) -> impl Iterator<Item = &WorkspacePath> {
        self.0.iter()
    }

    /// Where the files lie.
    pub fn resolve(&self, context: &Context) -> Vec<PathBuf> {
        self.0.iter().map(|path| context.resolve(path)).collect()
    }
}

/// A file that is named twice would count twice with `mode: append`, which nobody means.
pub(crate) fn check_distinct(files: &[PathBuf], context: &Context) -> StageResult<()> {
    let mut seen = BTreeSet::new();
    match files.iter().find(|path| !seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_path_buf()))) {
        None => Ok(()),
        Some(path) => Err(StageError::input(format!("`{}` is named twice", context.display(path))).with_hint("name each file once")),
    }
}

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            One(WorkspacePath),
            Many(Vec<WorkspacePath>),
        }
        match Raw::deserialize(deserializer)? {
            Raw::One(path) => Ok(Self(vec![path])),
            Raw::Many(paths) if paths.is_empty() => Err(serde::de::Error::custom("the list of files is empty")),
            Raw::Many(paths) => Ok(Self(paths)),
        }
    }
}

impl JsonSchema for Files {
    fn schema_name() -> Cow<'static, str> {
        "Files".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let path = WorkspacePath::json_schema(generator);
        json_schema!({ "anyOf": [path.clone(), { "type": "array", "items": path, "minItems": 1 }] })
    }
}
