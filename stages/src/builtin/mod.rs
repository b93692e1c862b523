//! The stages that are built into the binary, one file each.

mod create_futures;
mod etl;
mod generate;
mod noop;
mod shell;

pub use create_futures::CreateFutures;
pub use etl::Etl;
pub use generate::Generate;
pub use noop::Noop;
pub use shell::{Command, Shell, ShellInputs};

use crate::stage::AnyStage;

/// Every stage of this crate.
pub(crate) fn all() -> Vec<AnyStage> {
    vec![
        AnyStage::of::<CreateFutures>(),
        AnyStage::of::<Etl>(),
        AnyStage::of::<Generate>(),
        AnyStage::of::<Noop>(),
        AnyStage::of::<Shell>(),
    ]
}
