//! What all processes of a history share: the store, the clock, who lives, the files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use recflow::engine::owner::{Liveness, Owners};
use recflow::pipeline::{EventSource, Limits, Loaded, Pipeline, load};
use recflow::scheduler::events::Found;
use recflow::scheduler::world::World;
use recflow::workspace::Workspace;
use recflow_stages::Catalog;
use recflow_stages::clock::ManualClock;
use recflow_state::{Fault, Run, Store, VersionId};

use crate::dice::Ids;
use crate::faults::Faults;
use crate::pipelines::Setting;

/// What all processes share. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    pub(crate) store: Arc<Store>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) village: Arc<Village>,
    pub(crate) files: Arc<Files>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) setting: Arc<Setting>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) workspace: Workspace,
    /// Seeds what attempts do.
    pub(crate) outcomes: u64,
    versions: Arc<Mutex<BTreeMap<VersionId, Arc<Pipeline>>>>,
}

impl Common {
    pub(crate) fn new(clock: ManualClock, ids: Ids, setting: Setting, limits: Limits, outcomes: u64) -> Self {
        let faults = Arc::new(Faults::new());
        let of_store = faults.clone();
        let store = Store::in_memory_with(Fault::new(move |moment| of_store.of_store(moment))).expect("memory");
        Self {
            store: Arc::new(store),
            faults,
            clock: Arc::new(clock),
            village: Arc::default(),
            files: Arc::default(),
            ids: Arc::new(ids),
            setting: Arc::new(setting),
            limits: Arc::new(limits),
            workspace: Workspace::new(std::path::Path::new("/nowhere"), None).expect("a name"),
            outcomes,
            versions: Arc::default(),
        }
    }

    /// The pinned definition of a run.
    pub(crate) fn definition(&self, run: &Run) -> Arc<Pipeline> {
        let mut versions = self.versions.lock().expect("nothing panics while it is held");
        let found = versions.entry(run.version).or_insert_with(|| {
            let text = self.store.read(|view| view.pipeline_text(run.version)).expect("kept");
            Arc::new(checked(&text.text, &run.pipeline).pipeline.expect("valid"))
        });
        found.clone()
    }
}

/// A pipeline's text, read as the daemon reads it.
pub(crate) fn checked(text: &str, name: &str) -> Loaded {
    let loaded = load(text, &format!("{name}.yaml"), Catalog::builtin());
    assert!(loaded.pipeline.is_some(), "{}\n{text}", loaded.render(false));
    loaded
}

/// Owners that live until they die.
#[derive(Debug, Default)]
pub(crate) struct Village(Mutex<BTreeSet<String>>);

impl Village {
    pub(crate) fn is_born(&self, owner: &str) {
        self.0.lock().expect("nothing panics while it is held").insert(owner.to_owned());
    }

    pub(crate) fn dies(&self, owner: &str) {
        self.0.lock().expect("nothing panics while it is held").remove(owner);
    }

    pub(crate) fn lives(&self, owner: Option<&str>) -> bool {
        owner.is_some_and(|owner| self.0.lock().expect("nothing panics while it is held").contains(owner))
    }
}

impl Owners for Village {
    fn liveness(&self, id: &str) -> Liveness {
        if self.lives(Some(id)) { Liveness::Alive { pid: Some(7) } } else { Liveness::Dead }
    }
}

/// Files and datasets, each in a folder by the name of the pipeline that watches it.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<BTreeMap<String, BTreeMap<String, String>>>);

impl Files {
    /// A new file, or a new snapshot of a dataset.
    pub(crate) fn add(&self, folder: &str, name: &str) {
        let mut files = self.0.lock().expect("nothing panics while it is held");
        files.entry(folder.to_owned()).or_default().insert(format!("{folder}/{name}"), "1".to_owned());
    }

    /// The names in a folder.
    pub(crate) fn of(&self, folder: &str) -> BTreeMap<String, String> {
        self.0.lock().expect("nothing panics while it is held").get(folder).cloned().unwrap_or_default()
    }
}

/// [`Files`] as triggers see them.
#[derive(Debug, Clone)]
pub(crate) struct Eyes(pub(crate) Arc<Files>);

impl World for Eyes {
    fn look(&self, source: &EventSource) -> Found {
        match source {
            EventSource::Pipeline { .. } => Found::default(),
            EventSource::Dataset { path } => Found { snapshot: self.0.of(path).into_keys().next_back(), files: BTreeMap::new() },
            EventSource::File { pattern } => {
                let folder = pattern.rsplit_once('/').map_or("", |(folder, _)| folder);
                Found { snapshot: None, files: self.0.of(folder) }
            }
        }
    }
}
