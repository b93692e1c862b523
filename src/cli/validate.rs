//! `recflow validate`: every mistake of every file, at its place.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use recflow_stages::Catalog;

use super::load;
use crate::pipeline::{self, FileReport, Loaded, Severity};
use crate::workspace::Workspace;

const EXAMPLES: &str = "Examples:
  recflow validate pipelines/*.yaml
  recflow validate --json etl.yaml | jq '.[].diagnostics[].message'
  generate-pipeline | recflow validate -

Exit code 2 if any file is invalid; warnings do not count.";

/// Check pipelines and report every mistake at its place.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Pipeline files, or names as `recflow run` takes them; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the diagnostics as JSON: a list of {file, ok, diagnostics}.
    #[arg(long)]
    json: bool,
}

/// Checks all files, whatever is wrong with some. Diagnostics go to `err`, verdicts or JSON to `out`.
pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write, err: &mut dyn Write, colour: bool) -> anyhow::Result<u8> {
    let mut loaded: Vec<Loaded> = args.files.iter().map(|file| read(file, workspace)).collect();
    // Settings that are not valid are told when a pipeline runs; they are not what was asked about.
    let settings = pipeline::load_settings(&workspace.settings()).ok().and_then(|loaded| loaded.settings);
    if let Some(settings) = settings {
        loaded.iter_mut().for_each(|loaded| settings.limits.apply(loaded));
    }
    let invalid = loaded.iter().filter(|loaded| !loaded.is_ok()).count();
    if args.json {
        let reports: Vec<FileReport> = loaded.iter().map(Loaded::report).collect();
        serde_json::to_writer_pretty(&mut *out, &reports)?;
        writeln!(out)?;
    } else {
        for loaded in &loaded {
            err.write_all(loaded.render(colour).as_bytes())?;
            err.flush()?;
            writeln!(out, "{}", verdict(loaded))?;
        }
    }
    Ok(if invalid == 0 { 0 } else { 2 })
}

/// Loads the file that a verb was given, or the pipeline of that name. A file that cannot be read is a mistake like any
/// other.
pub(super) fn read(file: &Path, workspace: &Workspace) -> Loaded {
    if load::is_bare(file)
        && let Ok(loaded) = load::find(file, workspace)
    {
        return loaded;
    }
    let loaded = if file == Path::new("-") {
        pipeline::load_from(&mut io::stdin().lock(), "<stdin>", Catalog::builtin())
    } else {
        pipeline::load_file(file, Catalog::builtin())
    };
    loaded.unwrap_or_else(|error| Loaded::unreadable(&file.display().to_string(), &error))
}

fn verdict(loaded: &Loaded) -> String {
    let file = loaded.source.file();
    let warnings = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning).count();
    let count = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let warned = if warnings == 0 { String::new() } else { format!(", {}", count(warnings, "warning")) };
    match &loaded.pipeline {
        Some(pipeline) => format!("{file}: ok, {}{warned}", count(pipeline.tasks.len(), "task")),
        None => format!("{file}: {}{warned}", count(loaded.diagnostics.len() - warnings, "error")),
    }
}
