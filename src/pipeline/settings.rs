//! What holds for a whole workspace: its file `recflow.yaml`, read with the same care as a pipeline.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use super::diagnostic::{Diagnostic, Findings};
use super::document::settings::read;
use super::load::Loaded;
use super::model::Pipeline;
use super::source::Source;
use super::suggest;
use super::yaml::{self, MAX_BYTES};

/// Settings of a workspace. Without a file, all are their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// How much may be under way at once.
    pub limits: Limits,
    /// What is kept of runs that are over.
    pub retention: Retention,
}

/// What is kept of runs that are over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Runs that ended longer ago are deleted.
    pub older_than: Duration,
    /// Of each pipeline so many runs are kept.
    pub runs: u32,
    /// Logs of runs that ended longer ago are deleted.
    pub logs: Duration,
    /// Bytes that all logs together may take; beyond it the oldest go.
    pub max_size: u64,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self { older_than: 90 * DAY, runs: 1_000, logs: 30 * DAY, max_size: 5_000_000_000 }
    }
}

/// How much may be under way at once, over all processes of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Most tasks at once; no bound if not given.
    pub max_parallel_tasks: Option<u32>,
    /// Slots by pool.
    pub pools: BTreeMap<String, u32>,
}

impl Limits {
    /// Why a pipeline cannot run under these limits, each at its place: it names a pool that there is not, or wants more slots of one
    /// than it has.
    pub fn check(&self, pipeline: &Pipeline) -> Vec<Diagnostic> {
        pipeline.tasks.iter().filter_map(|task| self.check_task(task)).collect()
    }

    fn check_task(&self, task: &super::Task) -> Option<Diagnostic> {
        let pool = task.pool.as_ref()?;
        let name = &pool.value;
        match self.pools.get(name) {
            Some(slots) if task.pool_slots > *slots => {
                let message = format!("task `{}` wants {} slots of the pool `{name}`, which has {slots}", task.id, task.pool_slots);
                Some(
                    Diagnostic::error("unknown-pool", pool.span, message)
                        .hint("raise the pool's slots in recflow.yaml, or lower `pool_slots`"),
                )
            }
            Some(_) => None,
            None => {
                let known = self.pools.keys().map(String::as_str);
                let hint = match suggest::closest(name, known.clone()) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None if self.pools.is_empty() => format!("add `pools: {{ {name}: 1 }}` to recflow.yaml in the workspace"),
                    None => format!("recflow.yaml has {}", known.collect::<Vec<_>>().join(", ")),
                };
                Some(Diagnostic::error("unknown-pool", pool.span, format!("there is no pool `{name}`")).hint(hint))
            }
        }
    }

    /// Adds what [`Limits::check`] finds to a loaded pipeline, which is then not valid.
    pub fn apply(&self, loaded: &mut Loaded) {
        let found = loaded.pipeline.as_ref().map(|pipeline| self.check(pipeline)).unwrap_or_default();
        if !found.is_empty() {
            loaded.pipeline = None;
            loaded.diagnostics.extend(found);
        }
    }
}

/// What came of a file of settings.
#[derive(Debug)]
pub struct LoadedSettings {
    /// The settings; `None` if and only if an error is among the diagnostics.
    pub settings: Option<Settings>,
    diagnostics: Vec<Diagnostic>,
    source: Source,
}

impl LoadedSettings {
    /// The diagnostics with their source lines.
    pub fn render(&self, colour: bool) -> String {
        let loaded = Loaded { pipeline: None, diagnostics: self.diagnostics.clone(), source: self.source.clone() };
        if self.diagnostics.is_empty() { String::new() } else { loaded.render(colour) }
    }
}

/// Reads the settings of a workspace; where there is no such file, the defaults.
///
/// # Errors
/// If the file cannot be read or is not UTF-8. What else is wrong with it is in [`LoadedSettings`].
pub fn load_settings(path: &Path) -> io::Result<LoadedSettings> {
    let mut text = String::new();
    // Neither a folder nor a pipe, for whose writer a daemon would wait for ever.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    match File::open(path) {
        Ok(file) => drop(file.take(MAX_BYTES as u64 + 1).read_to_string(&mut text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if text.len() > MAX_BYTES {
        return Err(io::Error::other(format!("the file is larger than {} KiB", MAX_BYTES >> 10)));
    }
    let source = Source::new(&path.display().to_string(), &text);
    let mut findings = Findings::default();
    let settings = yaml::parse(&source, &mut findings).map(|root| read(&root, &mut findings)).unwrap_or_default();
    let settings = (!findings.has_errors()).then_some(settings);
    Ok(LoadedSettings { settings, diagnostics: findings.into_sorted(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &str) -> LoadedSettings {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recflow.yaml");
        std::fs::write(&path, text).unwrap();
        load_settings(&path).unwrap()
    }

    #[test]
    fn settings_are_read_and_mistakes_are_shown_at_their_places() {
        let good = loaded("max_parallel_tasks: 8\npools: { gpu: 2, db: 10 }\n").settings.unwrap();
        assert_eq!(good.limits.max_parallel_tasks, Some(8));
        assert_eq!(good.limits.pools.into_iter().collect::<Vec<_>>(), [("db".to_owned(), 10), ("gpu".to_owned(), 2)]);
        let kept = loaded("retention: { older_than: 7d, runs: 50, max_size: 2GB }\n").settings.unwrap().retention;
        let seven_days = Duration::from_secs(7 * 86_400);
        assert_eq!(kept, Retention { older_than: seven_days, runs: 50, max_size: 2_000_000_000, ..Retention::default() });
        let bad = loaded("retention: { older_than: 7, runs: 0, max_size: much }\n");
        assert!(bad.settings.is_none() && bad.render(false).matches("error").count() >= 3, "{}", bad.render(false));
        assert_eq!(loaded("# nothing yet\n").settings, Some(Settings::default()));
        assert_eq!(load_settings(Path::new("/nonexistent/recflow.yaml")).unwrap().settings, Some(Settings::default()));

        let bad = loaded("max_paralel_tasks: 8\npools: { gpu: 0, '9': 1 }\n");
        let shown = bad.render(false);
        assert!(bad.settings.is_none());
        for expected in ["unknown key `max_paralel_tasks`", "did you mean `max_parallel_tasks`?", "`gpu` is the number 0", "`9` cannot be"]
        {
            assert!(shown.contains(expected), "{expected}\n{shown}");
        }
        assert!(loaded("- a\n").render(false).contains("a map"));
    }

    #[test]
    fn a_pool_that_there_is_not_is_an_error_at_its_place() {
        let text =
            "tasks:\n  a: { stage: noop, pool: gpuu }\n  b: { stage: noop, pool: gpu, pool_slots: 3 }\n  c: { stage: noop, pool: gpu }\n";
        let mut pipeline = crate::pipeline::load(text, "p.yaml", recflow_stages::Catalog::builtin());
        let limits = Limits { max_parallel_tasks: None, pools: [("gpu".to_owned(), 2)].into() };
        limits.apply(&mut pipeline);
        let shown = pipeline.render(false);
        assert!(!pipeline.is_ok() && pipeline.diagnostics.len() == 2, "{shown}");
        assert!(
            shown.contains("there is no pool `gpuu`") && shown.contains("did you mean `gpu`?") && shown.contains("p.yaml:2:"),
            "{shown}"
        );
        assert!(shown.contains("wants 3 slots of the pool `gpu`, which has 2"), "{shown}");
    }
}
