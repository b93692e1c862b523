//! The stages that are built into the binary, one file each.

mod create_futures;
mod etl;
mod evaluate;
mod find_model;
mod generate;
mod noop;
mod recommend;
mod shell;
mod train_als;
mod tune;

pub use create_futures::CreateFutures;
pub use etl::Etl;
pub use evaluate::{Evaluate, EvaluateInputs};
pub use find_model::{FindModel, FindModelInputs, FindModelOutput};
pub use generate::Generate;
pub use noop::Noop;
pub use recommend::{Recommend, RecommendInputs, RecommendOutput};
pub use shell::{Argument, Command, Shell, ShellInputs};
pub use train_als::{TrainAls, TrainAlsInputs, TrainAlsOutput};
pub use tune::{Tune, TuneInputs, TuneOutput};

use crate::stage::AnyStage;

/// Every stage of this crate.
pub(crate) fn all() -> Vec<AnyStage> {
    vec![
        AnyStage::of::<CreateFutures>(),
        AnyStage::of::<Etl>(),
        AnyStage::of::<Evaluate>(),
        AnyStage::of::<FindModel>(),
        AnyStage::of::<Generate>(),
        AnyStage::of::<Noop>(),
        AnyStage::of::<Recommend>(),
        AnyStage::of::<Shell>(),
        AnyStage::of::<TrainAls>(),
        AnyStage::of::<Tune>(),
    ]
}
