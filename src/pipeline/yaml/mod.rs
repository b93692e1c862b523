//! YAML text to a tree of nodes that know where they stand.
//!
//! The subset is YAML 1.2 with the core schema, one document a file, and budgets, so that no input can make the
//! reader slow or large: see [`parse`]. What differs from other readers, on purpose:
//!
//! - `no`, `on`, `yes` are strings (YAML 1.2); so is `010`, which is 8 in one version of YAML and 10 in another;
//! - the same key twice in a map is an error, and so are merge keys (`<<`), tags other than `!!str`, and keys that
//!   are not text; plain aliases work, within a budget.

mod build;
mod key;
mod node;
mod scalar;
mod syntax;

pub(crate) use build::parse;
pub(crate) use node::{Entry, Kind, Node};

/// Largest file that is read at all, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests;
