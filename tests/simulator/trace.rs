//! What happened in a history: its fingerprint always, its text where somebody wants to read it.

use std::fmt::{Arguments, Write as _};
use std::sync::{Arc, Mutex, MutexGuard};

/// Takes notes. Cheap to clone: all clones write the same trace.
#[derive(Debug, Clone)]
pub(crate) struct Trace(Arc<Mutex<Notes>>);

#[derive(Debug)]
struct Notes {
    fingerprint: blake3::Hasher,
    line: String,
    /// The last lines, where they are wanted.
    text: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(keep_text: bool) -> Self {
        Self(Arc::new(Mutex::new(Notes { fingerprint: blake3::Hasher::new(), line: String::new(), text: keep_text.then(Vec::new) })))
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().expect("nothing panics while it is held")
    }

    pub(crate) fn note(&self, what: Arguments<'_>) {
        let notes = &mut *self.notes();
        notes.line.clear();
        let _ = notes.line.write_fmt(what);
        notes.fingerprint.update(notes.line.as_bytes());
        if let Some(text) = &mut notes.text {
            text.push(notes.line.clone());
        }
    }

    /// The fingerprint of all notes so far.
    pub(crate) fn fingerprint(&self) -> blake3::Hash {
        self.notes().fingerprint.finalize()
    }

    /// The text, where it was kept.
    pub(crate) fn text(&self) -> String {
        self.notes().text.as_deref().unwrap_or_default().join("\n")
    }
}
