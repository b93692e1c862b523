//! The stages that are built into the binary, one file each.

mod check;
mod create_futures;
mod detect_drift;
mod etl;
mod evaluate;
mod export;
mod find_model;
mod flow;
mod generate;
mod import;
mod merge;
mod noop;
mod process_stream;
mod promote;
mod recommend;
mod report;
mod shell;
mod train_als;
mod tune;

pub use check::{Check, CheckInputs, CheckOutput};
pub use create_futures::CreateFutures;
pub use detect_drift::{DataDrift, DetectDrift, DetectDriftInputs, DetectDriftOutput, ModelDrift};
pub use etl::Etl;
pub use evaluate::{Evaluate, EvaluateInputs};
pub use export::{Export, ExportInputs, ExportOutput, FileFormat};
pub use find_model::{FindModel, FindModelInputs, FindModelOutput};
pub use generate::Generate;
pub use import::{Import, ImportInputs, ImportOutput};
pub use merge::Merge;
pub use noop::Noop;
pub use process_stream::ProcessStream;
pub use promote::{Promote, PromoteInputs, PromoteOutput};
pub use recommend::{Recommend, RecommendInputs, RecommendOutput};
pub use report::{Report, ReportInputs, ReportOutput};
pub use shell::{Argument, Command, Shell, ShellInputs};
pub use train_als::{EarlyStopping, TrainAls, TrainAlsInputs, TrainAlsOutput};
pub use tune::{Tune, TuneInputs, TuneOutput};

use crate::stage::AnyStage;

/// Every stage of this crate.
pub(crate) fn all() -> Vec<AnyStage> {
    vec![
        AnyStage::of::<Check>(),
        AnyStage::of::<CreateFutures>(),
        AnyStage::of::<DetectDrift>(),
        AnyStage::of::<Etl>(),
        AnyStage::of::<Evaluate>(),
        AnyStage::of::<Export>(),
        AnyStage::of::<FindModel>(),
        AnyStage::of::<Generate>(),
        AnyStage::of::<Import>(),
        AnyStage::of::<Merge>(),
        AnyStage::of::<Noop>(),
        AnyStage::of::<ProcessStream>(),
        AnyStage::of::<Promote>(),
        AnyStage::of::<Recommend>(),
        AnyStage::of::<Report>(),
        AnyStage::of::<Shell>(),
        AnyStage::of::<TrainAls>(),
        AnyStage::of::<Tune>(),
    ]
}
