//! A stream file on its way into datasets: found, claimed, read, split, published, archived.
//!
//! ```text
//! data/streaming/current.csv                          arrives: somebody renames it into place, or has stopped writing
//!            │ one atomic rename
//! data/streaming/.claimed/RUN+TASK+0.1/current.csv    claimed: nobody else reads it, and a new file may arrive
//!            │ read, split, ONE commit of train, test and batch/{train,test}
//!            │ one atomic move
//! data/streaming/archive/2026-11-23T172503Z-current.csv
//! ```
//! Each rating counts once whatever dies when, by three rules:
//!
//! 1. *A claim is recorded before the file moves* (`record`), in a folder beside the datasets, under the publish key of the work. So a
//!    claimed file is always found again.
//! 2. *One intake at a time for each output*: a lock that the system drops with its holder. So a claim that the holder finds is of a dead attempt, or
//!    its own from an earlier try.
//! 3. *Whether a claim was published is asked of the datasets*, whose manifests bear the publish key since the same instant as the ratings. If
//!    so, the file only has to be archived; if not, it is read (again) by whoever comes next, of the same run or not.
//!
//! | module | what it is for |
//! |---|---|
//! | `arrivals` | which files are there and complete |
//! | `intake` | claims: taking, adopting, finishing, giving back |
//! | `record` | what is written down of a claim, and the lock |
//! | `moves` | moving a file without replacing another |
//! | `csv` | the format: header and rows |
//! | `read` | all files of a claim: rows, rejected lines, verdict |
//! | `split` | which rating is for training and which for testing |
//! | [`scan`](mod@scan) | a stream file line by line, for who replays one |

mod arrivals;
mod csv;
mod intake;
mod moves;
mod read;
mod record;
pub mod scan;
mod split;

pub(crate) use arrivals::find;
pub(crate) use intake::{After, Intake};
pub(crate) use read::{FileRows, Limits, read};
pub(crate) use record::{Claim, ClaimedFile};
pub(crate) use split::split;
