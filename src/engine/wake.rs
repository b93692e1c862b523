//! Wakes an owner of runs at once, from any process: a datagram to the socket beside its lock file.
//!
//! What is wanted stands in the store, and owners look there once a second anyway: a datagram that gets lost costs a second, no more.
//! A socket rather than a FIFO, which would hang whoever reads all files of a workspace.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// What the names of the sockets end with.
const SUFFIX: &str = ".wake";
const LOOK: u8 = b'!';
const END: u8 = b'.';

/// Wakes the owner `id`, if it listens. Says whether it does.
pub fn wake(folder: &Path, id: &str) -> bool {
    let send = || {
        let socket = UnixDatagram::unbound()?;
        // An owner with a full inbox has enough to read.
        socket.set_nonblocking(true)?;
        socket.send_to(&[LOOK], path_of(folder, id))
    };
    send().is_ok()
}

/// Whether a file of this name belongs to an owner that has another, its lock file.
pub(super) fn owner_of(name: &str) -> Option<&str> {
    name.strip_suffix(SUFFIX)
}

fn path_of(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}{SUFFIX}"))
}

/// Listens until it is dropped.
#[derive(Debug)]
pub(super) struct Listener {
    path: PathBuf,
    /// Leads to the socket also once its name is gone.
    to_self: UnixDatagram,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Calls `on_wake` on a thread of its own whenever somebody wakes the owner `id`. Fails where the path is too long for a socket.
    pub(super) fn start(folder: &Path, id: &str, on_wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let path = path_of(folder, id);
        let socket = UnixDatagram::bind(&path)?;
        let to_self = UnixDatagram::unbound()?;
        to_self.connect(&path)?;
        let listen = move || {
            let mut bytes = [0];
            while socket.recv(&mut bytes).is_ok() && bytes != [END] {
                on_wake();
            }
        };
        let thread = std::thread::Builder::new().name("wake".to_owned()).spawn(listen)?;
        Ok(Self { path, to_self, thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        if self.to_self.send(&[END]).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_datagram_wakes_the_owner_until_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!wake(folder.path(), "ab"), "nobody listens yet");
        let (outbox, inbox) = channel();
        let listener = Listener::start(folder.path(), "ab", move || outbox.send(()).unwrap()).unwrap();
        assert!(wake(folder.path(), "ab"));
        inbox.recv_timeout(Duration::from_secs(60)).unwrap();
        drop(listener);
        assert!(!wake(folder.path(), "ab"));
        assert!(inbox.recv().is_err(), "the thread has ended");
    }
}
