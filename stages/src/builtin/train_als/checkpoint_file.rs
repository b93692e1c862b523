//! A checkpoint as a file.
//!
//! ```text
//! recflow checkpoint\n
//! {"format": 1, "identity": …, "seconds": …, "users": …, "items": …, "rank": …, "has_best": …, "iterations": […]}\n
//! factors of the users, of the items; with has_best those of the best sweep too: f32, little-endian, row by row
//! BLAKE3 of all that, 32 bytes
//! ```
//!
//! The length follows from the second line, so nothing is held of a file that is too short or too long; the hash tells the rest.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use blake3::{Hash, Hasher};
use serde::{Deserialize, Serialize};

use super::checkpoint::Identity;
use crate::als::Iteration;
use crate::error::{Result, StageError};
use crate::kernel::{Aligned, padded};
use crate::matrix::{Ids, RatingMatrix};
use crate::model::{AlsModel, Factors};
use crate::storage::{AtomicFile, Storage};

const MAGIC: &[u8] = b"recflow checkpoint\n";

/// The format this binary writes, and the only one that it reads.
const FORMAT: u32 = 1;

/// Longest second line that is read: a few hundred bytes an iteration are far less.
const HEADER_BYTES_MAX: u64 = 64 << 20;

/// What a training goes on from.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// The sweeps done; at least one.
    pub(super) iterations: Vec<Iteration>,
    /// Wall-clock seconds that they took.
    pub(super) seconds: f64,
    /// The factors after the last one.
    pub(super) model: AlsModel,
    /// Those of the best one, if they may be wanted back.
    pub(super) best: Option<AlsModel>,
    /// The users after the last sweep but one, if there is momentum to go on with.
    pub(super) previous: Option<Factors>,
}

/// The same, to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct StateRef<'a> {
    pub(super) iterations: &'a [Iteration],
    pub(super) seconds: f64,
    pub(super) model: &'a AlsModel,
    pub(super) best: Option<&'a AlsModel>,
    /// In padded rows.
    pub(super) previous: Option<&'a [f32]>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    identity: Identity,
    seconds: f64,
    users: usize,
    items: usize,
    rank: usize,
    has_best: bool,
    #[serde(default)]
    has_previous: bool,
    iterations: Vec<Iteration>,
}

/// Writes a checkpoint: the old one stands until the new one is complete.
///
/// # Errors
/// I/O trouble.
pub(super) fn write(path: &Path, identity: &Identity, state: StateRef<'_>, storage: &dyn Storage) -> Result<()> {
    let header = Header {
        format: FORMAT,
        identity: identity.clone(),
        seconds: state.seconds,
        users: state.model.users().ids().len(),
        items: state.model.items().ids().len(),
        rank: state.model.rank(),
        has_best: state.best.is_some(),
        has_previous: state.previous.is_some(),
        iterations: state.iterations.to_vec(),
    };
    let whole = || {
        let mut file = Hashing { inner: AtomicFile::create(storage, path)?, hasher: Hasher::new() };
        file.write_all(MAGIC)?;
        serde_json::to_writer(&mut file, &header)?;
        file.write_all(b"\n")?;
        for model in [Some(state.model), state.best].into_iter().flatten() {
            write_rows(model.users().padded_rows(), model.rank(), &mut file)?;
            write_rows(model.items().padded_rows(), model.rank(), &mut file)?;
        }
        if let Some(users) = state.previous {
            write_rows(users, state.model.rank(), &mut file)?;
        }
        let Hashing { inner: mut file, hasher } = file;
        file.write_all(hasher.finalize().as_bytes())?;
        file.publish()
    };
    whole().map_err(|error: io::Error| StageError::io("write", path, &error))
}

/// The checkpoint at `path`, if there is a file; or why it is of no use to a training of `identity` on `matrix`.
pub(super) fn read(path: &Path, identity: &Identity, matrix: &RatingMatrix, rank: usize) -> Result<Option<State>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let torn = |error: io::Error| format!("it is incomplete or damaged ({error})");
    let bytes = file.metadata().map_err(torn)?.len();
    let mut file = Hashing { inner: BufReader::with_capacity(1 << 18, file), hasher: Hasher::new() };
    let (header, header_bytes) = read_header(&mut file)?;
    let differences = header.identity.differences(identity);
    if !differences.is_empty() {
        return Err(format!("it is of another training, with another {}", differences.join(", ")));
    }
    if (header.users, header.items, header.rank) != (matrix.users().len(), matrix.items().len(), rank) || header.iterations.is_empty() {
        return Err("it is of a training of another shape".to_owned());
    }
    let models = if header.has_best { 2 } else { 1 };
    let floats = ((header.users + header.items) * models + if header.has_previous { header.users } else { 0 }) * rank;
    let expected = header_bytes + 4 * floats as u64 + 32;
    if bytes != expected {
        return Err(format!("it is incomplete or damaged ({bytes} bytes, {expected} expected)"));
    }
    let mut model = || -> io::Result<AlsModel> {
        let users = read_rows(matrix.users(), rank, &mut file)?;
        Ok(AlsModel::new(users, read_rows(matrix.items(), rank, &mut file)?))
    };
    let current = model().map_err(torn)?;
    let best = if header.has_best { Some(model().map_err(torn)?) } else { None };
    let previous = if header.has_previous { Some(read_rows(matrix.users(), rank, &mut file).map_err(torn)?) } else { None };
    let found = file.hasher.finalize();
    let mut stored = [0; 32];
    file.inner.read_exact(&mut stored).map_err(torn)?;
    if found != Hash::from_bytes(stored) {
        return Err("it is damaged (its checksum does not agree)".to_owned());
    }
    Ok(Some(State { iterations: header.iterations, seconds: header.seconds, model: current, best, previous }))
}

/// The first two lines, and how long they are.
fn read_header(file: &mut Hashing<BufReader<File>>) -> Result<(Header, u64), String> {
    let damaged = |why: &dyn std::fmt::Display| format!("it is incomplete or damaged ({why})");
    let mut magic = vec![0; MAGIC.len()];
    file.read_exact(&mut magic).map_err(|error| damaged(&error))?;
    if magic != MAGIC {
        return Err("it is no checkpoint".to_owned());
    }
    let mut line = Vec::new();
    file.inner.by_ref().take(HEADER_BYTES_MAX).read_until(b'\n', &mut line).map_err(|error| damaged(&error))?;
    file.hasher.update(&line);
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let Version { format } = serde_json::from_slice(&line).map_err(|error| damaged(&error))?;
    if format != FORMAT {
        return Err(format!("it has format {format}, and this recflow knows format {FORMAT}"));
    }
    let header = serde_json::from_slice(&line).map_err(|error| damaged(&error))?;
    Ok((header, (MAGIC.len() + line.len()) as u64))
}

/// The first `rank` floats of each padded row.
fn write_rows(rows: &[f32], rank: usize, to: &mut impl Write) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * rank);
    for row in rows.chunks_exact(padded(rank)) {
        bytes.clear();
        row[..rank].iter().for_each(|x| bytes.extend_from_slice(&x.to_le_bytes()));
        to.write_all(&bytes)?;
    }
    Ok(())
}

fn read_rows(ids: &Ids, rank: usize, from: &mut impl Read) -> io::Result<Factors> {
    let mut bytes = vec![0; 4 * rank];
    let mut rows = Aligned::zeroed(ids.len() * padded(rank));
    for row in rows.as_mut_slice().chunks_exact_mut(padded(rank)) {
        from.read_exact(&mut bytes)?;
        for (x, bytes) in row[..rank].iter_mut().zip(bytes.as_chunks::<4>().0) {
            *x = f32::from_le_bytes(*bytes);
        }
    }
    Ok(Factors::from_padded(ids.clone(), rank, rows))
}

/// Hashes what passes through.
struct Hashing<T> {
    inner: T,
    hasher: Hasher,
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.hasher.update(&bytes[..read]);
        Ok(read)
    }
}
