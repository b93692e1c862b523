//! What all readers of rating files share: which files, how they are packed, which values are accepted, and what becomes of
//! the lines that are not.
//!
//! A reader ([`netflix`](crate::netflix), [`import`](crate::import)) opens each file of an input, turns its lines into ratings or into
//! a [`Reject`] each, hands the rejects in file order to the collector, and asks for the verdict at the end.
//!
//! | module | what it is for |
//! |---|---|
//! | `files` | the inputs that are a path or a list of paths |
//! | `open` | one file: what it is, and what to say if it cannot be read |
//! | `packed` | `.gz` and `.zst`, unpacked piece by piece |
//! | `tolerance` | the `rating_range` and `max_bad_rows` inputs |
//! | `defect` | what can be wrong with a line |
//! | `rejects` | malformed lines: counts, examples, the rejects file |
//! | `verdict` | tells people of them, and whether there were too many |

mod defect;
mod files;
mod open;
mod packed;
mod rejects;
mod tolerance;
mod verdict;

pub use defect::Defect;
pub use files::Files;
pub(crate) use files::check_distinct;
pub(crate) use open::{Opened, broken, open};
pub(crate) use packed::{PIECE_BYTES, Packing, decoder};
pub(crate) use rejects::Collector;
pub use rejects::{Reject, Rejected};
pub use tolerance::{MaxBadRows, RatingRange};
pub(crate) use verdict::{Count, conclude, name};
