//! Reports: the pages that `recflow report` wrote about runs, and those that tasks with the stage `report` wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use recflow_state::{Result, RunId, UnixMs, View};
use schemars::JsonSchema;
use serde::Serialize;

use super::units::time;
use crate::workspace::Workspace;

/// Tasks whose pages are looked for: the newest.
const TASKS_MAX: u32 = 1_000;

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReportFact {
    /// Names it in calls.
    pub id: String,
    /// Where it lies in the workspace, or in recflow's own folder.
    pub path: String,
    /// The run that it is about, or that wrote it last.
    pub run: Option<String>,
    /// The task that wrote it; null for a page about a whole run.
    pub task: Option<String>,
    /// What it is called.
    pub title: String,
    /// When it was written, RFC 3339.
    pub at: String,
    /// Its size.
    pub bytes: u64,
}

/// All pages that are there, newest first.
///
/// # Errors
/// If the store cannot be read. A folder that is not there has none.
pub fn reports(view: &View<'_>, workspace: &Workspace) -> Result<Vec<ReportFact>> {
    let mut found: Vec<(UnixMs, ReportFact)> = all(view, workspace)?.into_values().collect();
    found.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.path.cmp(&other.path)));
    Ok(found.into_iter().map(|(_, report)| report).collect())
}

/// Where the page with that id lies, if it is one of [`reports`].
///
/// # Errors
/// If the store cannot be read.
pub fn find(id: &str, view: &View<'_>, workspace: &Workspace) -> Result<Option<PathBuf>> {
    Ok(all(view, workspace)?.into_iter().find(|(_, (_, report))| report.id == id).map(|(path, _)| path))
}

fn all(view: &View<'_>, workspace: &Workspace) -> Result<BTreeMap<PathBuf, (UnixMs, ReportFact)>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(workspace.home().join("reports")).into_iter().flatten().flatten() {
        let path = entry.path();
        let run = entry.file_name().to_str().and_then(|name| name.strip_suffix(".html")).and_then(|stem| RunId::parse(stem).ok());
        let Some(run) = run else { continue };
        let title = match view.run(&run) {
            Ok(row) => format!("Run {run} of {}", row.pipeline),
            Err(_) => format!("Run {run}"),
        };
        found.extend(described(path, workspace, Some(run.to_string()), None, title));
    }
    // Newest first: of several tasks that wrote one file, the last one counts.
    for written in view.report_outputs(TASKS_MAX)? {
        let Some(path) = written.output["path"].as_str().and_then(|text| inside(text, workspace)) else { continue };
        if found.contains_key(&path) {
            continue;
        }
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let title = format!("{stem} ({})", written.pipeline);
        found.extend(described(path, workspace, Some(written.run.to_string()), Some(written.task), title));
    }
    Ok(found)
}

/// An HTML file of the workspace that an output names; none elsewhere.
fn inside(text: &str, workspace: &Workspace) -> Option<PathBuf> {
    let path = workspace.root().join(text);
    let below = path.strip_prefix(workspace.root()).ok()?;
    let is_plain = below.components().all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
    let is_page = path.extension().is_some_and(|extension| extension == "html");
    (is_plain && is_page).then_some(path)
}

fn described(
    path: PathBuf,
    workspace: &Workspace,
    run: Option<String>,
    task: Option<String>,
    title: String,
) -> Option<(PathBuf, (UnixMs, ReportFact))> {
    let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let shown = path.strip_prefix(workspace.root()).unwrap_or(&path).display().to_string();
    let fact = ReportFact { id: id_of(&path), path: shown, run, task, title, at: time(at), bytes: metadata.len() };
    Some((path, (at, fact)))
}

/// An id that says nothing of the path and fits into a URL.
fn id_of(path: &Path) -> String {
    blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex()[..20].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_outside_of_the_workspace_is_none() {
        let workspace = Workspace::new(Path::new("/w"), None).unwrap();
        assert_eq!(inside("reports/a.html", &workspace), Some(PathBuf::from("/w/reports/a.html")));
        assert_eq!(inside("/w/a.html", &workspace), Some(PathBuf::from("/w/a.html")));
        for text in ["/etc/a.html", "../a.html", "reports/../../a.html", "reports/a.txt", ".recflow/state.db"] {
            assert_eq!(inside(text, &workspace), None, "{text}");
        }
    }
}
