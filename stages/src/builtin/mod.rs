//! The stages that are built into the binary, one file each.

mod noop;
mod shell;

pub use noop::Noop;
pub use shell::{Argument, Command, Shell, ShellInputs};

use crate::stage::AnyStage;

/// Every stage of this crate.
pub(crate) fn all() -> Vec<AnyStage> {
    vec![AnyStage::of::<Noop>(), AnyStage::of::<Shell>()]
}
