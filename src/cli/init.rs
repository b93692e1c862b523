//! `recflow init`: writes a workspace with the shipped pipelines, and the schema that editors check them with.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use recflow_stages::Catalog;

use super::exit::{Exit, Failure};
use crate::pipeline::schema;
use crate::shipped;

/// Arguments of `recflow init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Files that are there already are left as they are.

Examples:
  recflow init
  recflow init movies && cd movies && recflow run quickstart")]
pub(super) struct Args {
    /// The folder, created if it is not there; by default the workspace.
    dir: Option<PathBuf>,
}

const GITIGNORE: &str = "# recflow's own files, data and models are not source.\n/.recflow/\n/data/\n/models/\n";

/// Writes into the folder that is named, else into `workspace` as it was typed.
pub(super) fn run(args: Args, workspace: &Path, out: &mut dyn Write) -> Result<Exit, Failure> {
    let dir = args.dir.as_deref().unwrap_or(workspace);
    let here = dir == Path::new(".");
    let dir = if here { Path::new("") } else { dir };
    let pipelines = dir.join("pipelines");
    fs::create_dir_all(&pipelines).map_err(|error| cannot(&pipelines, &error))?;
    for pipeline in shipped::ALL {
        write_new(&pipelines.join(pipeline.name).with_extension("yaml"), pipeline.text, out)?;
    }
    write_new(&pipelines.join(shipped::SCHEMA_FILE), &schema::file_text(Catalog::builtin()), out)?;
    write_new(&dir.join(".gitignore"), GITIGNORE, out)?;
    writeln!(out, "\nnext: {}recflow run quickstart", if here { String::new() } else { format!("cd {} && ", dir.display()) })?;
    Ok(Exit::Success)
}

fn write_new(path: &Path, text: &str, out: &mut dyn Write) -> Result<(), Failure> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes()).map_err(|error| cannot(path, &error))?;
            writeln!(out, "wrote {}", path.display())?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => writeln!(out, "kept  {}", path.display())?,
        Err(error) => return Err(cannot(path, &error)),
    }
    Ok(())
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot write `{}`: {error}", path.display()))
}
