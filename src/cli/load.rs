//! Reads a pipeline for the verbs that execute one, and the parameters given for it.

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use recflow_stages::Catalog;
use serde_json::{Map, Value};

use super::exit::Failure;
use crate::pipeline::{
    Loaded, ParamInput, ParamProblem, Pipeline, Settings, files_in, load, load_file, load_settings, load_values, suggest,
};
use crate::shipped;
use crate::workspace::Workspace;

/// So many names of the workspace's pipelines are listed at most.
const NAMES_SHOWN: usize = 20;

/// A valid pipeline and the text that a run pins.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) pipeline: Pipeline,
    pub(super) text: String,
    pub(super) file: String,
}

/// Finds the pipeline that a person names: a file; else `pipelines/NAME.yaml` of the workspace; else one that ships
/// with recflow. `-` is standard input.
pub(super) fn find(name: &Path, workspace: &Workspace) -> Result<Loaded, Failure> {
    if name == Path::new("-") {
        return Ok(load(&io::read_to_string(io::stdin())?, "<stdin>", Catalog::builtin()));
    }
    let bare = is_bare(name);
    let mut candidates: Vec<PathBuf> = vec![name.to_owned()];
    if bare {
        candidates.push(workspace.root().join("pipelines").join(name).with_extension("yaml"));
    }
    for file in candidates.iter().filter(|file| !bare || file.is_file()) {
        match load_file(file, Catalog::builtin()) {
            Ok(loaded) => return Ok(loaded),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::usage(format!("cannot read `{}`: {error}", file.display()))),
        }
    }
    let shown = name.display();
    if let Some(shipped) = shipped::find(&shown.to_string()).filter(|_| bare) {
        return Ok(load(shipped.text, &format!("{}.yaml", shipped.name), Catalog::builtin()));
    }
    Err(unknown(&crate::pipeline::shown(&shown.to_string()), bare, workspace))
}

/// The error about a pipeline that is not there, with those that are.
fn unknown(name: &str, bare: bool, workspace: &Workspace) -> Failure {
    let stem = |file: PathBuf| file.file_stem().map(|stem| crate::pipeline::shown(&stem.to_string_lossy()));
    let here: Vec<String> = files_in(&workspace.root().join("pipelines")).unwrap_or_default().into_iter().filter_map(stem).collect();
    let shipped: Vec<&str> = shipped::ALL.iter().map(|pipeline| pipeline.name).collect();
    let close = suggest::closest(name, here.iter().map(String::as_str).chain(shipped.iter().copied())).filter(|_| bare);
    let close = close.map(|close| format!("did you mean `{close}`? Else ")).unwrap_or_default();
    let more = here.len().saturating_sub(NAMES_SHOWN);
    let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let listed = here.iter().take(NAMES_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let here = if here.is_empty() { String::new() } else { format!(", a pipeline of the workspace ({listed}{and_more})") };
    let hint = format!("{close}give a file{here}, or the name of a pipeline that ships with recflow: {}", shipped.join(", "));
    Failure::usage(format!("there is no pipeline `{name}`")).with_hint(hint)
}

/// Whether this may be the name of a pipeline rather than of a file.
pub(super) fn is_bare(name: &Path) -> bool {
    name != Path::new("-") && name.extension().is_none() && matches!(name.components().collect::<Vec<_>>()[..], [Component::Normal(_)])
}

/// Prints the diagnostics of a pipeline. `None` if it is not valid.
pub(super) fn accept(loaded: Loaded, err: &mut dyn Write, color: bool) -> io::Result<Option<Source>> {
    err.write_all(loaded.render(color).as_bytes())?;
    let (text, file) = (loaded.source.text().to_owned(), loaded.source.file().to_owned());
    Ok(loaded.pipeline.map(|pipeline| Source { pipeline, text, file }))
}

/// The settings of the workspace: its `recflow.yaml`, if there is one. What is wrong with it is printed, and is an error.
pub(super) fn settings(workspace: &Workspace, err: &mut dyn Write, color: bool) -> Result<Settings, Failure> {
    let file = workspace.settings();
    let loaded = load_settings(&file).map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", file.display())))?;
    err.write_all(loaded.render(color).as_bytes())?;
    loaded.settings.ok_or_else(|| Failure::usage(format!("`{}` is not valid", file.display())))
}

/// `-p name=value` and `--params FILE`.
#[derive(Debug, Default, clap::Args)]
pub(super) struct ParamArgs {
    /// Value of a parameter; may be repeated. Wins over --params.
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// YAML or JSON file with values of parameters.
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
}

impl ParamArgs {
    /// The values for a pipeline's parameters: command line, then file, then defaults. `None` if the file is not
    /// valid; its diagnostics are printed.
    pub(super) fn resolve(&self, pipeline: &Pipeline, err: &mut dyn Write, color: bool) -> Result<Option<Map<String, Value>>, Failure> {
        let mut given: Vec<(String, ParamInput)> = Vec::new();
        if let Some(file) = &self.params {
            let loaded = load_values(file).map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", file.display())))?;
            err.write_all(loaded.render(color).as_bytes())?;
            let Some(values) = loaded.values else { return Ok(None) };
            given.extend(values.into_iter().map(|(name, value)| (name, ParamInput::Json(value))));
        }
        for pair in &self.param {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(Failure::usage(format!("`-p {pair}` has no `=`")).with_hint("write `-p name=value`"));
            };
            given.retain(|(other, _)| other != name);
            given.push((name.to_owned(), ParamInput::Text(value.to_owned())));
        }
        let resolved = pipeline.resolve_params(&given).map_err(|problems| {
            if let [problem] = problems.as_slice() {
                let failure = Failure::usage(problem.to_string());
                return match &problem.hint {
                    Some(hint) => failure.with_hint(hint),
                    None => failure,
                };
            }
            let hint = |problem: &ParamProblem| problem.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
            let lines: Vec<String> = problems.iter().map(|problem| format!("{problem}{}", hint(problem))).collect();
            Failure::usage(lines.join("\nerror: "))
        })?;
        Ok(Some(resolved))
    }
}
