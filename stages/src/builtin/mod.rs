//! The stages that are built into the binary, one file each.

mod evaluate;
mod find_model;
mod noop;
mod shell;
mod train_als;

pub use evaluate::{Evaluate, EvaluateInputs};
pub use find_model::{FindModel, FindModelInputs, FindModelOutput};
pub use noop::Noop;
pub use shell::{Argument, Command, Shell, ShellInputs};
pub use train_als::{TrainAls, TrainAlsInputs, TrainAlsOutput};

use crate::stage::AnyStage;

/// Every stage of this crate.
pub(crate) fn all() -> Vec<AnyStage> {
    vec![
        AnyStage::of::<Evaluate>(),
        AnyStage::of::<FindModel>(),
        AnyStage::of::<Noop>(),
        AnyStage::of::<Shell>(),
        AnyStage::of::<TrainAls>(),
    ]
}
