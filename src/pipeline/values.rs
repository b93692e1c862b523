//! A file of parameter values (`--params FILE`): one YAML or JSON map, read with the same care as a pipeline.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::{Map, Value};

use super::diagnostic::{Diagnostic, Findings};
use super::load::Loaded;
use super::source::Source;
use super::yaml::{self, Kind, MAX_BYTES};

/// What came of a file of values.
#[derive(Debug)]
pub struct Values {
    /// The values by name; `None` if and only if an error is among the diagnostics.
    pub values: Option<Map<String, Value>>,
    diagnostics: Vec<Diagnostic>,
    source: Source,
}

impl Values {
    /// The diagnostics with their source lines.
    pub fn render(&self, colour: bool) -> String {
        let loaded = Loaded { pipeline: None, diagnostics: self.diagnostics.clone(), source: self.source.clone() };
        if self.diagnostics.is_empty() { String::new() } else { loaded.render(colour) }
    }
}

/// Reads a file of values.
///
/// # Errors
/// If the file cannot be read or is not UTF-8. What else is wrong with it is in [`Values`].
pub fn load_values(path: &Path) -> io::Result<Values> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
    if text.len() > MAX_BYTES {
        return Err(io::Error::other(format!("the file is larger than {} KiB", MAX_BYTES >> 10)));
    }
    let source = Source::new(&path.display().to_string(), &text);
    let mut findings = Findings::default();
    let values = match yaml::parse(&source, &mut findings) {
        Some(root) if matches!(root.kind, Kind::Map(_)) => root.to_json().as_object().cloned(),
        Some(root) => {
            let error = Diagnostic::error("wrong-type", root.span, format!("expected a map of parameters, found {}", root.describe()));
            findings.push(error.hint("write `name: value` lines"));
            None
        }
        None if findings.has_errors() => None,
        None => Some(Map::new()),
    };
    let values = values.filter(|_| !findings.has_errors());
    Ok(Values { values, diagnostics: findings.into_sorted(), source })
}
