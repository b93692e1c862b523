//! What is in datasets, counted once a snapshot: a snapshot never changes, and counting reads all of it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use recflow_stages::dataset::{self, Dataset, Overview};
use recflow_stages::{Context, Result};

/// Overviews kept at once.
const KEPT_MAX: usize = 200;

/// What was counted, for the next who asks.
#[derive(Debug, Default)]
pub struct Overviews(Mutex<HashMap<(PathBuf, String), Overview>>);

impl Overviews {
    /// What is in a dataset, at its snapshot.
    ///
    /// # Errors
    /// A file that cannot be read; cancellation.
    pub fn of(&self, dataset: &Dataset, context: &Context) -> Result<Overview> {
        // The fingerprint, too: a plain folder that another program writes keeps its name.
        let key = (dataset.dir().to_owned(), dataset.fingerprint().to_owned());
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let counted = dataset::overview(dataset, context)?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, counted.clone());
        Ok(counted)
    }
}
