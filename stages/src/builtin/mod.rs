//! The stages that are built into the binary, one file each.

mod check;
mod create_futures;
mod etl;
mod evaluate;
mod find_model;
mod generate;
mod noop;
mod promote;
mod recommend;
mod shell;
mod train_als;

pub use check::{Check, CheckInputs, CheckOutput};
pub use create_futures::CreateFutures;
pub use etl::Etl;
pub use evaluate::{Evaluate, EvaluateInputs};
pub use find_model::{FindModel, FindModelInputs, FindModelOutput};
pub use generate::Generate;
pub use noop::Noop;
pub use promote::{Promote, PromoteInputs, PromoteOutput};
pub use recommend::{Recommend, RecommendInputs, RecommendOutput};
pub use shell::{Argument, Command, Shell, ShellInputs};
pub use train_als::{TrainAls, TrainAlsInputs, TrainAlsOutput};

use crate::stage::AnyStage;

/// Every stage of this crate.
pub(crate) fn all() -> Vec<AnyStage> {
    vec![
        AnyStage::of::<Check>(),
        AnyStage::of::<CreateFutures>(),
        AnyStage::of::<Etl>(),
        AnyStage::of::<Evaluate>(),
        AnyStage::of::<FindModel>(),
        AnyStage::of::<Generate>(),
        AnyStage::of::<Noop>(),
        AnyStage::of::<Promote>(),
        AnyStage::of::<Recommend>(),
        AnyStage::of::<Shell>(),
        AnyStage::of::<TrainAls>(),
    ]
}
