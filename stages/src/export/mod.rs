//! What recflow holds, for programs that know nothing of it: one plain file, complete or not there.
//!
//! How data moves: a [`source`] (recommendations, a model, a dataset) gives Arrow batches with the ids that the ratings came with →
//! [`table`] writes them as CSV or Parquet. A model can also be a NumPy archive, which `npy` and `zip` write. [`publish`](mod@publish) makes
//! the file visible in one step.
//!
//! | module | what it is for |
//! |---|---|
//! | [`source`] | what is exported, as batches |
//! | [`table`] | CSV and Parquet |
//! | [`npz`] | the arrays of a model in a `.npz` |
//! | `npy` | one array |
//! | `zip` | an archive of stored files |
//! | [`publish`](mod@publish) | one step from nothing to the whole file |

mod npy;
pub mod npz;
pub mod publish;
pub mod source;
pub mod table;
#[cfg(test)]
mod tests;
mod zip;
