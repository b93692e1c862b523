//! Whether a task fits into the memory of the machine: told before it starts, from its inputs as they are now.
//!
//! `recflow run` and `recflow plan` estimate a whole run before it begins; what a daemon starts nobody has looked at, and files may have grown since
//! the text was written. So there each task is estimated when its turn has come: what can never fit fails with the remedy, instead of having the
//! kernel kill it, or something beside it.

use recflow_stages::estimate::Forecast;
use recflow_stages::{Catalog, StageError};
use serde_json::Value;

use super::driver::Driver;
use crate::executor::Work;

impl Driver {
    /// Why a task cannot start here, if its stage can tell what it would need and that is more than [`Options::memory`](super::Options::memory).
    ///
    /// No more is read than sizes of files and manifests: milliseconds.
    pub(super) fn does_not_fit(&self, task: &str, work: &Work) -> Option<StageError> {
        let (memory, Work::Child { stage, inputs }) = (self.options.memory?, work) else { return None };
        let stage = Catalog::builtin().get(stage)?;
        let estimate = stage.estimate(&Value::Object(inputs.clone()), &mut Forecast::new(self.workspace.root()))?;
        estimate.misfit(task, memory)
    }
}
