//! All decisions that took effect: the chain that begins at the link, and the challengers that lost.

use std::fs;
use std::io;
use std::path::Path;

use super::pointer::{self, FOLDER, Pointer};
use super::record::{Decision, Promotion};
use crate::context::{Context, PublishKey};
use crate::error::{Result, StageError};

/// What was decided about the versions of a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// What `current` names now.
    pub pointer: Option<Pointer>,
    /// The decisions that took effect, newest first.
    pub decisions: Vec<Promotion>,
    /// The promoting record at the head of the chain, if only a guess leads there: a person made the link.
    guessed: Option<u64>,
    /// The next free number.
    pub(super) next: u64,
}

impl History {
    /// Reads the history of `models`. A record that cannot be read is left out, with a warning that says why.
    ///
    /// # Errors
    /// `current` is no link or leads elsewhere; the folder of records cannot be listed.
    pub fn read(models: &Path, context: &Context) -> Result<Self> {
        let pointer = pointer::read(models)?;
        let numbers = numbers(models)?;
        let mut records = Vec::with_capacity(numbers.len());
        for &number in numbers.iter().rev() {
            match Promotion::read(models, number) {
                Ok(record) => records.extend(record),
                Err(error) => context.warn(format!("a decision about models is passed over: {error}")),
            }
        }
        let newest = || records.iter().find(|record| record.promoted).map(|record| record.number);
        let (head, guessed) = match &pointer {
            None => (None, None),
            Some(Pointer { record: Some(number), .. }) => (Some(*number), None),
            Some(Pointer { record: None, .. }) => (newest(), newest()),
        };
        let decisions = in_effect(records, head);
        Ok(Self { pointer, decisions, guessed, next: numbers.last().map_or(1, |last| last + 1) })
    }

    /// The decision that is the result of the work `key` names. One that only a guess says took effect does not count: repeating it
    /// does no harm, believing it might.
    pub fn by_key(&self, key: &PublishKey) -> Option<&Promotion> {
        self.decisions.iter().find(|record| record.publish_key == *key && Some(record.number) != self.guessed)
    }

    /// The promotion that made the current version current; none if a person made the link.
    pub fn current(&self) -> Option<&Promotion> {
        self.get(self.pointer.as_ref()?.record?)
    }

    /// The name of the current version.
    pub fn current_version(&self) -> Option<&str> {
        self.pointer.as_ref().map(|pointer| pointer.version.as_str())
    }

    /// The promoting record at the head of the chain.
    pub(super) fn head(&self) -> Option<&Promotion> {
        self.current().or_else(|| self.get(self.guessed?))
    }

    fn get(&self, number: u64) -> Option<&Promotion> {
        self.decisions.iter().find(|record| record.number == number)
    }

    /// What a rollback goes back to: the version that was current before, and the record of its promotion where one is known. After
    /// a rollback it is the one before that, so rolling back again goes further. Versions for which `is_there` is false are passed over.
    pub fn before(&self, is_there: impl Fn(&str) -> bool) -> Option<(String, Option<u64>)> {
        let current = self.current_version();
        let fits = |version: &str| Some(version) != current && is_there(version);
        let mut record = self.head()?;
        if self.guessed.is_some() && fits(&record.version) {
            return Some((record.version.clone(), Some(record.number)));
        }
        loop {
            let origin = self.origin(record)?;
            let previous = origin.previous.as_deref()?;
            let its_record = origin.replaces.and_then(|number| self.get(number));
            if fits(previous) {
                let known = its_record.filter(|record| record.version == previous);
                return Some((previous.to_owned(), known.map(|record| record.number)));
            }
            // Numbers only fall on the way back, so that a damaged chain ends too.
            record = its_record.filter(|older| older.number < record.number)?;
        }
    }

    /// The promotion whose content a record stands for: of a rollback, the one that it went back to; none where that is not known.
    fn origin<'h>(&'h self, mut record: &'h Promotion) -> Option<&'h Promotion> {
        while record.decision == Decision::Rollback {
            record = self.get(record.restores?).filter(|older| older.number < record.number)?;
        }
        Some(record)
    }
}

/// Of `records`, newest first, those that took effect: challengers that lost, and the chain of promotions from `head` on.
fn in_effect(records: Vec<Promotion>, head: Option<u64>) -> Vec<Promotion> {
    let mut link = head;
    records
        .into_iter()
        .filter(|record| {
            let is_link = record.promoted && link == Some(record.number);
            if is_link {
                link = record.replaces;
            }
            is_link || !record.promoted
        })
        .collect()
}

/// The numbers of the records, ascending; those that were never finished too.
fn numbers(models: &Path) -> Result<Vec<u64>> {
    let folder = models.join(FOLDER);
    let failed = |error| StageError::io("list", &folder, &error);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
