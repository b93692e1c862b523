//! A bell at the door of a process: others ring it when the store holds something for it.
//!
//! A named pipe in `.recflow/bells/`, by the name of its owner. Whoever rings never waits: a bell that nobody hears is a pipe without a
//! reader, and the owner looks at the store by itself every now and then anyway.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A bell that hangs until it is dropped.
#[derive(Debug)]
pub struct Bell {
    path: PathBuf,
}

impl Bell {
    /// Hangs the bell `name` in `folder`. `heard` is called on a thread of its own after each ringing, or once for several.
    pub fn hang(folder: &Path, name: &str, heard: impl Fn() + Send + 'static) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(name);
        let _ = fs::remove_file(&path);
        make_fifo(&path)?;
        // For reading and writing, so that it opens at once and never ends for want of a writer.
        let mut pipe = OpenOptions::new().read(true).write(true).open(&path)?;
        std::thread::Builder::new().name("bell".to_owned()).spawn(move || {
            let mut buffer = [0; 64];
            while pipe.read(&mut buffer).is_ok_and(|read| read > 0) {
                heard();
            }
        })?;
        Ok(Self { path })
    }

    /// Rings the bell `name` in `folder`, if there is one.
    pub fn ring(folder: &Path, name: &str) {
        let open = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(folder.join(name));
        // Without a reader it does not open; a full pipe has been rung often enough.
        let _ = open.and_then(|mut pipe: File| pipe.write(&[1]));
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn make_fifo(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: a valid, terminated path; the call keeps no pointer.
    match unsafe { libc::mkfifo(path.as_ptr(), 0o600) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ringing_is_heard_and_ringing_where_nobody_is_costs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        Bell::ring(folder.path(), "nobody");
        let (heard, ears) = std::sync::mpsc::channel();
        let bell = Bell::hang(folder.path(), "x", move || {
            let _ = heard.send(());
        })
        .unwrap();
        Bell::ring(folder.path(), "x");
        ears.recv().unwrap();
        drop(bell);
        assert!(!folder.path().join("x").exists());
        // A dead process leaves its pipe behind.
        make_fifo(&folder.path().join("dead")).unwrap();
        Bell::ring(folder.path(), "dead");
    }
}
