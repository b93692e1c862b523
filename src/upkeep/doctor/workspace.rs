//! What people put into a workspace: settings, pipelines, datasets, models; and what was left over.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use recflow_stages::clock::Clock;
use recflow_stages::{Catalog, Context, dataset, model};

use super::Check;
use crate::pipeline::{load_file, load_settings};
use crate::workspace::Workspace;

/// Temporary files younger than this may be in use.
const LEFT_OVER_AFTER_S: i64 = 86_400;

pub(super) fn examine(workspace: &Workspace, models: &str, context: &Context, clock: &dyn Clock) -> Vec<Check> {
    let mut checks = vec![settings(workspace), pipelines(workspace), datasets(workspace, context)];
    checks.extend(versions(workspace, models, context));
    checks.push(left_overs(workspace, clock));
    checks
}

fn settings(workspace: &Workspace) -> Check {
    let file = workspace.settings();
    let remedy = "every verb that reads it says what is wrong and where";
    match load_settings(&file) {
        Err(error) => Check::error("settings", format!("cannot read `{}`: {error}", file.display()), remedy),
        Ok(loaded) if loaded.settings.is_none() => Check::error("settings", format!("`{}` is not valid", file.display()), remedy),
        Ok(_) if file.exists() => Check::ok("settings", "recflow.yaml is valid"),
        Ok(_) => Check::ok("settings", "no recflow.yaml: defaults"),
    }
}

fn pipelines(workspace: &Workspace) -> Check {
    let files = crate::pipeline::files_in(&workspace.root().join("pipelines")).unwrap_or_default();
    let is_valid = |file: &&PathBuf| load_file(file, Catalog::builtin()).is_ok_and(|loaded| loaded.is_ok());
    let invalid: Vec<String> = files.iter().filter(|file| !is_valid(file)).map(|file| shown(file, workspace)).collect();
    if invalid.is_empty() {
        return Check::ok("pipelines", format!("{} valid", files.len()));
    }
    let found = format!("{} of {} are not valid: {}", invalid.len(), files.len(), invalid.join(", "));
    Check::error("pipelines", found, format!("recflow validate {}", invalid.join(" ")))
}

fn datasets(workspace: &Workspace, context: &Context) -> Check {
    let found = match dataset::find(workspace.root(), context) {
        Ok(found) => found,
        Err(error) => return Check::error("datasets", error.to_string(), "look at the rights of that folder"),
    };
    match found.iter().find_map(|listed| Some((listed, listed.error.as_ref()?))) {
        None => Check::ok("datasets", format!("{} readable", found.len())),
        Some((listed, error)) => {
            let remedy = error.hint.clone().unwrap_or_else(|| format!("recflow data history {}", listed.path.display()));
            Check::error("datasets", format!("`{}` cannot be read: {error}", listed.path.display()), remedy)
        }
    }
}

fn versions(workspace: &Workspace, models: &str, context: &Context) -> Option<Check> {
    let folder = workspace.root().join(models);
    if !folder.is_dir() {
        return None;
    }
    Some(match model::catalog::list(&folder, context) {
        Ok(versions) => match versions.iter().find(|version| version.current) {
            Some(current) => Check::ok("models", format!("{} versions, current {}", versions.len(), current.version)),
            None => Check::ok("models", format!("{} versions, none promoted", versions.len())),
        },
        Err(error) => {
            let remedy = error.hint.clone().unwrap_or_else(|| "recflow models list".to_owned());
            Check::error("models", format!("`{models}` cannot be read: {error}"), remedy)
        }
    })
}

/// Files that a process which died left in recflow's own folder for temporary ones.
fn left_overs(workspace: &Workspace, clock: &dyn Clock) -> Check {
    let folder = workspace.home().join("tmp");
    let old = |entry: &fs::DirEntry| {
        let modified = entry.metadata().map_or(0, |metadata| metadata.mtime());
        clock.now().as_second() - modified > LEFT_OVER_AFTER_S
    };
    let count = fs::read_dir(&folder).into_iter().flatten().flatten().filter(old).count();
    if count == 0 {
        return Check::ok("left-overs", "none");
    }
    let found = format!("{count} temporary files older than a day in `{}`", shown(&folder, workspace));
    Check::warning("left-overs", found, "delete them while nothing runs")
}

fn shown(path: &Path, workspace: &Workspace) -> String {
    crate::pipeline::shown(&path.strip_prefix(workspace.root()).unwrap_or(path).display().to_string())
}
