//! Deletes what a plan says.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::Duration;

use recflow_state::{Kept, Result, RunId, Store};
use serde::Serialize;

use super::files::{FileOf, Kind};
use super::plan::Plan;

/// Runs that one transaction deletes: a few milliseconds, even for runs of hundreds of tasks.
const RUNS_AT_ONCE: usize = 16;
/// Pages that one transaction gives back to the disk.
const PAGES_AT_ONCE: u32 = 256;
/// Between two transactions: who waits for the write lock asks for it in steps of this order, and would otherwise never find it free.
const PAUSE: Duration = Duration::from_millis(2);

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Runs deleted.
    pub runs: usize,
    /// Files and folders of logs deleted, with their runs or alone.
    pub files: usize,
    /// Bytes of these.
    pub bytes: u64,
    /// Records of slots deleted.
    pub slots: usize,
    /// Texts of pipelines deleted.
    pub texts: usize,
    /// Pages of the store given back to the disk.
    pub pages: u64,
    /// What could not be deleted, and why.
    pub problems: Vec<String>,
}

impl Swept {
    /// Whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Carries a plan out. What was resumed since it was made stays; a file that cannot be deleted is reported and keeps nothing else.
///
/// # Errors
/// If the store cannot be written; what was deleted until then is gone, and the next sweep goes on.
pub fn carry_out(plan: &Plan, store: &Store) -> Result<Swept> {
    let mut swept = Swept::default();
    let doomed: HashSet<&RunId> = plan.runs.iter().collect();
    let mut gone: HashSet<RunId> = HashSet::new();
    for runs in plan.runs.chunks(RUNS_AT_ONCE) {
        gone.extend(store.write(|tx| {
            let mut deleted = Vec::new();
            for run in runs {
                if tx.delete_run(run)? {
                    deleted.push(run.clone());
                }
            }
            Ok::<_, recflow_state::Error>(deleted)
        })?);
        std::thread::sleep(PAUSE);
    }
    swept.runs = gone.len();
    for file in &plan.files {
        let may_go = if doomed.contains(&file.run) { gone.contains(&file.run) } else { !is_under_way(file, store)? };
        if may_go {
            remove(file, &mut swept);
        }
    }
    for pipeline in &plan.pipelines {
        swept.slots += store.write(|tx| {
            Ok::<_, recflow_state::Error>(
                tx.delete_slots(pipeline, plan.slots_before, 1)? + tx.delete_slots(pipeline, plan.surplus_slots_before, plan.keep)?,
            )
        })?;
    }
    swept.texts = store.write(|tx| tx.delete_unused_texts(plan.slots_before))?;
    loop {
        let pages = store.give_back(PAGES_AT_ONCE)?;
        if pages == 0 {
            break;
        }
        swept.pages += u64::from(pages);
        std::thread::sleep(PAUSE);
    }
    Ok(swept)
}

/// Whether a run has been taken up again since the plan was made.
fn is_under_way(file: &FileOf, store: &Store) -> Result<bool> {
    Ok(store.read(|view| view.kept(&file.run))? == Kept::UnderWay)
}

fn remove(file: &FileOf, swept: &mut Swept) {
    let removed = match file.kind {
        Kind::Logs => fs::remove_dir_all(&file.path),
        Kind::Report | Kind::Rejects => fs::remove_file(&file.path),
    };
    match removed {
        Ok(()) => {
            swept.files += 1;
            swept.bytes += file.bytes;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => swept.problems.push(format!("cannot delete `{}`: {error}", file.path.display())),
    }
}
