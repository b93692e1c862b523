//! A dataset at another place with the same content, for work that must not touch the original.

use std::path::Path;

use super::keep::keep_all;
use super::manifest::Manifest;
use super::open::Dataset;
use super::slot::Outcome;
use super::transaction::{Begin, Transaction};
use crate::context::Context;
use crate::error::Result;

/// Publishes the content of `source` as the next snapshot of the dataset at `to`, with hard links to its files (copies on another file system). The
/// two have nothing in common from then on: files of a snapshot never change. The context's publish key must be of this one fork; if it
/// was used before, there is nothing to do.
///
/// # Errors
/// I/O trouble; cancellation. Then nothing is visible at `to`.
pub fn fork(source: &Dataset, to: &Path, context: &Context) -> Result<()> {
    let Begin::Open(mut transaction) = Transaction::begin(&[to], context)? else { return Ok(()) };
    transaction.fork(0, source)?;
    transaction.commit(&serde_json::Value::Null)
}

impl Transaction<'_> {
    /// Makes the next snapshot of dataset `index` one with the files of `source`, another dataset.
    fn fork(&mut self, index: usize, source: &Dataset) -> Result<()> {
        let (context, slot) = (self.context, &mut self.slots[index]);
        keep_all(source, &slot.location.root.join(".next"), context)?;
        let manifest = Manifest { snapshot: slot.next, mode: None, restores: None, ..source.manifest().clone() };
        slot.outcome = Some(Outcome::Next(Box::new(manifest)));
        Ok(())
    }
}
