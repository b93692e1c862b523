//! The link `current`: what it names, and replacing it in one step.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Result, StageError};
use crate::model::versions::CURRENT;
use crate::storage::Storage;

/// The folder of the records, beside the versions.
pub(super) const FOLDER: &str = ".promotions";

/// The link that is about to be renamed to `current`.
const NEXT: &str = ".current.next";

/// What `current` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// The version.
    pub version: String,
    /// The record of its promotion; none if a person made the link.
    pub record: Option<u64>,
}

impl Pointer {
    /// Reads the text of a link: `.promotions/7/version_…`, or a plain name.
    fn parse(target: &Path) -> Option<Self> {
        let text = target.to_str()?;
        let (record, version) = match text.strip_prefix(FOLDER) {
            Some(rest) => {
                let (number, version) = rest.strip_prefix('/')?.split_once('/')?;
                (Some(number.parse().ok()?), version)
            }
            None => (None, text),
        };
        let is_plain = !version.is_empty() && !version.starts_with('.') && !version.contains('/');
        is_plain.then(|| Self { version: version.to_owned(), record })
    }

    /// The text of the link. Relative, so that the folder of models may be moved.
    fn link_text(&self) -> PathBuf {
        match self.record {
            Some(number) => [FOLDER, &number.to_string(), &self.version].iter().collect(),
            None => PathBuf::from(&self.version),
        }
    }
}

/// What `current` in `models` names; `None` if nothing was promoted. Whether the version is there is not asked.
///
/// # Errors
/// It is no link, or leads elsewhere than to a version beside it.
pub fn read(models: &Path) -> Result<Option<Pointer>> {
    let link = models.join(CURRENT);
    let target = match fs::read_link(&link) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            let message = format!("`{}` is not a link", link.display());
            return Err(StageError::input(message).with_hint("move it away; `recflow models promote VERSION` makes the link"));
        }
        Err(error) => return Err(StageError::io("read", &link, &error)),
    };
    Pointer::parse(&target).map(Some).ok_or_else(|| {
        let message = format!("`{}` names `{}`, which is no version beside it", link.display(), target.display());
        StageError::input(message).with_hint("`recflow models promote VERSION` sets it right")
    })
}

/// Makes `current` name what `pointer` says: the commit point of a promotion. Durable when this returns. The caller holds the lock.
pub(super) fn switch(models: &Path, pointer: &Pointer, storage: &dyn Storage) -> Result<()> {
    let link = models.join(CURRENT);
    let temporary = models.join(NEXT);
    // A promoter that died may have left one.
    let _ = storage.remove_file(&temporary);
    let switched = storage.symlink(&pointer.link_text(), &temporary).and_then(|()| storage.rename(&temporary, &link));
    switched.and_then(|()| storage.sync_dir(models)).map_err(|error| {
        // After the rename there is nothing here; before it, what is left is of no use to anybody.
        let _ = storage.remove_file(&temporary);
        StageError::io("switch", &link, &error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_link_names_version_and_record() {
        for (text, record) in [(".promotions/7/version_1", Some(7)), ("version_1", None)] {
            let pointer = Pointer { version: "version_1".to_owned(), record };
            assert_eq!(Pointer::parse(Path::new(text)), Some(pointer.clone()));
            assert_eq!(pointer.link_text(), Path::new(text));
        }
        for wrong in ["../elsewhere", "/abs", "a/b", "", ".hidden", ".promotions/x/version_1", ".promotions/7", ".promotions/7/../v"] {
            assert_eq!(Pointer::parse(Path::new(wrong)), None, "{wrong}");
        }
    }
}
