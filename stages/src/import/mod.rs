//! Ratings from tables: CSV and its relatives, and Parquet, with any column names.
//!
//! How data moves: `paths` turns inputs into files → [`sniff`](mod@sniff) looks at the start of each: Parquet or text, how it is separated,
//! whether it has a header, which columns are which, and so which well-known layout it is → `text` or `parquet` streams its rows
//! as four `cell`s each → `rows` makes ratings of them, or a defect, and numbers the ids that are not numbers. Of a file no more is
//! in memory than one record or one batch; the ratings themselves are, 16 bytes each, until they are published.
//!
//! | module | what it is for |
//! |---|---|
//! | `options` | what a person may say about the files |
//! | `paths` | folders and wildcards |
//! | `sniff` | what a file is |
//! | `shape` | separators, header, columns, layouts |
//! | `known` | column names and what they mean |
//! | `cell`, `time` | one value, whatever its type |
//! | `text`, `parquet` | the rows of a file |
//! | `rows` | rows into ratings |
//! | `read` | all files of an input: progress, cancellation, verdict |

mod cell;
mod known;
mod options;
mod parquet;
mod paths;
mod read;
mod rows;
mod shape;
mod sniff;
mod text;
mod time;

pub use options::{ColumnRef, Columns, Delimiter, Format, IdMode, Options};
pub use paths::expand;
pub(crate) use paths::files_at;
pub use read::{Imported, Source, guess_ids, read};
pub use rows::{IdKinds, Seen};
