//! Ratings as hive-partitioned Parquet, published as snapshots.
//!
//! Any engine sees a plain folder `train/year=2005/month=12/part-00000.parquet` with the columns `MOVIE_ID`, `CUST_ID` (int32), `RATING`
//! (int32, or float32 for half stars) and `DATE` (date32). In truth `train` is a symbolic link to the current of several *snapshots* beside it
//! (`location` draws the picture). A publisher writes the next snapshot, with hard links to the files of partitions that do not change, and switches by
//! replacing the link; a reader resolves the link once and stays there.
//!
//! How data moves: `Ratings` in any order -> `months` scatters them by month, packed -> `new_rows` keeps them, on disk beyond a limit ->
//! `snapshot` joins each month with what the base holds (`row` sorts, one row a key), writes it (`parquet_file`) or links it ->
//! `transaction` stamps the `manifest` and has the `journal` switch all datasets of the publication at one commit point.
//!
//! | module | what it is for |
//! |---|---|
//! | `options` | modes, rating types, file layout: what stages take as inputs |
//! | `open` | [`Dataset`]: reading |
//! | `transaction`, `slot` | [`Transaction`]: publishing one or more datasets, exactly once |
//! | `manifest` | what a snapshot contains and where it came from |
//! | `snapshot`, `keep` | writing one: what changes is written, the rest linked or copied |
//! | `overview` | what people want to know of a dataset, its history, the datasets of a folder |
//! | `fork` | the same content at another place |
//! | `rollback` | going back to an older snapshot |
//! | `adopt` | folders that Spark wrote |
//! | `ids` | the original ids, where they are not numbers |
//! | `added` | columns that others added, carried along |
//! | `unchanged` | work that found nothing to change |
//! | `journal`, `record` | commit point, crash recovery; says where the commit file lies |
//! | `location`, `lock`, `prune` | paths, one publisher at a time, old snapshots |
//! | `months`, `new_rows` | what is to be written, by month, within a limit of memory |
//! | `partition`, `row`, `packed`, `fingerprint`, `parquet_file` | months, sorted rows in 16 or 8 bytes, their hash, their files |
//!
//! What survives: after [`Transaction::commit`] returned, the datasets are on stable storage. A process or machine that dies earlier leaves
//! all of them at the old or all at the new snapshot.

mod added;
mod adopt;
mod fingerprint;
mod fork;
mod ids;
mod journal;
mod keep;
mod location;
mod lock;
mod manifest;
mod months;
mod new_rows;
mod open;
mod options;
mod overview;
mod packed;
mod parquet_file;
mod partition;
mod prune;
mod record;
mod rollback;
mod row;
mod slot;
mod snapshot;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;
mod unchanged;

pub use fork::fork;
pub use ids::{ListEntry, MappedIds};
pub(crate) use lock::wait_for;
pub use manifest::{Column, FileEntry, Manifest, PartitionEntry};
pub use new_rows::NewRows;
pub use open::{Dataset, history};
pub use options::{Compression, Layout, Mode, RatingType, RatingTypeChoice, Statistics, WriteOptions};
pub use overview::{IdCounts, Listed, MonthRows, Overview, RatingRows, SnapshotInfo, find, overview, snapshots};
pub use partition::Partition;
pub use prune::{Pruned, SNAPSHOTS_KEPT, prune_snapshots};
pub use rollback::{RolledBack, rollback};
pub use transaction::{Begin, Change, Transaction, Written, published};
