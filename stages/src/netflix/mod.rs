//! The Netflix Prize text format: a header line `MovieID:`, then its rows `CustID,Rating,YYYY-MM-DD`.
//!
//! ```text
//! 8:
//! 1744889,1,2005-03-14
//! 1395430,2.5,2005-05-15
//! 2043:
//! 306466,4,2004-08-24
//! ```
//!
//! How data moves: [`read()`] maps each file into memory (or unpacks it piece by piece), `blocks` cuts it at newlines, and `parse` reads a wave of
//! blocks in parallel. A row belongs to the last header above it, wherever the file was cut: before a wave is
//! parsed, the last header of each of its blocks is looked up, which gives every block the movie it starts with.
//! Lines that cannot be read go in file order to [`intake`](crate::intake), which counts them, keeps the first ten, writes all to a file
//! and decides whether there were too many.
//!
//! | module | what it is for |
//! |---|---|
//! | `line` | one line: header, row or what is wrong with it |
//! | `blocks` | where to cut the text |
//! | `parse` | the parallel parser, over bytes in memory |
//! | `input` | one file on disk: memory map or decoder |
//! | `read` | all files of an input: progress, cancellation, verdict |

mod blocks;
mod input;
mod line;
#[cfg(test)]
mod originals;
mod parse;
mod read;

pub use crate::intake::{Defect, Files, MaxBadRows, RatingRange, Reject, Rejected};
pub(crate) use line::{stars, whole};
pub use parse::{Parsed, parse};
pub use read::{Source, read, read_in_blocks, read_in_waves};
