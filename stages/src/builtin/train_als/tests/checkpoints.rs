//! Trainings that are interrupted and go on.

use std::path::PathBuf;

use super::*;
use crate::clock::ManualClock;
use crate::storage::{Disk, FailAfter};

/// A training that can be interrupted, and what was said of it.
struct Crashing {
    folder: tempfile::TempDir,
    heard: Arc<Heard>,
    context: Context,
}

impl Crashing {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let heard = Arc::new(Heard::default());
        let mut context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
        context.reporter = heard.clone();
        Self { folder, heard, context }
    }

    /// Trains until the reporter hears of sweep `end`, if that comes.
    fn train_until(&mut self, end: u64, inputs: &TrainAlsInputs) -> Result<TrainAlsOutput> {
        let cancel = crate::CancelToken::new();
        self.heard = Arc::new(Heard { until: Some((end, cancel.clone())), ..Heard::default() });
        (self.context.cancel, self.context.reporter) = (cancel, self.heard.clone());
        train_and_publish(inputs, &inputs.params()?, held_out_data(), &self.context)
    }

    fn checkpoints(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.folder.path().join("models/.checkpoints")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn logged(&self) -> Vec<String> {
        let heard = self.heard.reports.lock().unwrap();
        let line = |report: &Report| match report {
            Report::Log { message, .. } => Some(message.clone()),
            _ => None,
        };
        heard.iter().filter_map(line).collect()
    }

    fn has_logged(&self, text: &str) -> bool {
        self.logged().iter().any(|line| line.contains(text))
    }
}

fn with_checkpoints() -> TrainAlsInputs {
    TrainAlsInputs { checkpoint_every: Some(4), max_iter: 12, holdout: Some(0.3), ..inputs() }
}

#[test]
fn a_training_goes_on_from_its_checkpoint_and_ends_bit_for_bit_as_if_nothing_had_happened() {
    let rule = Some(EarlyStopping { patience: 5, min_delta: 0.0 });
    let explicit = with_checkpoints();
    for inputs in [
        explicit.clone(),
        TrainAlsInputs { nonnegative: true, ..explicit.clone() },
        TrainAlsInputs { momentum: true, ..explicit.clone() },
        TrainAlsInputs { early_stopping: rule, reg: 0.01, max_iter: 40, ..explicit },
    ] {
        let (mut undisturbed, mut crashed) = (Crashing::new(), Crashing::new());
        let expected = undisturbed.train_until(u64::MAX, &inputs).unwrap();
        assert!(undisturbed.checkpoints().is_empty(), "the model is published");
        // With early stopping two sweeps after the best one, whose factors must come back too.
        let (every, end) = inputs.early_stopping.and(expected.best_iteration).map_or((4, 6), |best| (1, best + 2));
        let inputs = TrainAlsInputs { checkpoint_every: Some(every), ..inputs };
        crashed.train_until(end, &inputs).unwrap_err();
        assert_eq!(crashed.checkpoints().len(), 1);
        let found = crashed.train_until(u64::MAX, &inputs).unwrap();
        let resumed = format!("resumed from iteration {}", end / every * every);
        assert!(crashed.has_logged(&resumed), "{:?}", crashed.logged());
        assert_eq!(factor_files(crashed.folder.path(), &found), factor_files(undisturbed.folder.path(), &expected));
        assert_eq!(record(&found, &crashed.context).iterations, record(&expected, &undisturbed.context).iterations);
        assert_eq!((found.best_iteration, found.iterations), (expected.best_iteration, expected.iterations));
        assert!(crashed.checkpoints().is_empty());
        // The series of the second attempt is whole.
        let steps = |crashing: &Crashing| crashing.heard.series("loss");
        assert_eq!(steps(&crashed), steps(&undisturbed));
    }
}

#[test]
fn a_torn_or_foreign_checkpoint_is_ignored_with_the_reason() {
    let inputs = with_checkpoints();
    let expected = Crashing::new().train_until(u64::MAX, &inputs).unwrap();
    let again = |spoil: &dyn Fn(&Path), inputs: &TrainAlsInputs| {
        let mut crashed = Crashing::new();
        crashed.train_until(6, &with_checkpoints()).unwrap_err();
        spoil(&crashed.checkpoints()[0]);
        let found = crashed.train_until(u64::MAX, inputs).unwrap();
        assert!(!crashed.has_logged("resumed"), "{:?}", crashed.logged());
        let warning = crashed.logged().into_iter().find(|line| line.contains("is ignored")).unwrap();
        (found.loss, warning.split_once(": ").unwrap().1.to_owned())
    };
    let change = |how: fn(&mut Vec<u8>)| {
        move |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            how(&mut bytes);
            fs::write(path, bytes).unwrap();
        }
    };
    let torn = again(&change(|bytes| bytes.truncate(bytes.len() - 7)), &inputs);
    assert!(torn.0 == expected.loss && torn.1.starts_with("it is incomplete or damaged ("), "{torn:?}");
    let flipped = again(&change(|bytes| *bytes.iter_mut().rev().nth(200).unwrap() ^= 1), &inputs);
    assert_eq!(flipped, (expected.loss, "it is damaged (its checksum does not agree)".to_owned()));
    assert_eq!(again(&change(|bytes| bytes[0] = b'R'), &inputs).1, "it is no checkpoint");
    assert!(again(&change(Vec::clear), &inputs).1.starts_with("it is incomplete or damaged ("));
    let other = TrainAlsInputs { reg: 0.2, seed: 7, duplicates: Duplicates::All, ..inputs };
    assert_eq!(again(&|_| {}, &other).1, "it is of another training, with another params, duplicates");
}

#[test]
fn without_a_number_a_checkpoint_is_kept_once_a_minute_and_0_means_none() {
    /// Each sweep that is reported takes 25 seconds.
    struct Slow(Arc<ManualClock>);
    impl Reporter for Slow {
        fn report(&self, report: Report) {
            if matches!(report, Report::Progress(_)) {
                self.0.advance_ms(25_000);
            }
        }
    }
    for (every, kept) in [(None, true), (Some(0), false)] {
        let mut crashing = Crashing::new();
        let clock = Arc::new(ManualClock::new("2025-03-01T03:15:00Z".parse().unwrap()));
        (crashing.context.clock, crashing.context.reporter) = (clock.clone(), Arc::new(Slow(clock)));
        let models = crashing.folder.path().join("models");
        let identity = |context: &Context| Identity {
            publish_key: context.publish_key.clone(),
            dataset: String::new(),
            validation: None,
            holdout: None,
            early_stopping: None,
            params: AlsParams { rank: 4, ..AlsParams::default() },
            recency_half_life: None,
            warm_start: None,
            duplicates: Duplicates::Latest,
            instruction_set: String::new(),
            binary_version: String::new(),
        };
        let matrix = RatingMatrix::build(&ratings(), Duplicates::Latest).unwrap();
        let params = AlsParams { rank: 4, max_iter: 2, ..AlsParams::default() }.check().unwrap();
        let fit = |max_iter: usize| {
            let params = AlsParams { max_iter, ..params.get().clone() }.check().unwrap();
            let mut checkpoint = Checkpoint::new(&models, identity(&crashing.context), every, &crashing.context);
            let fitting = Fitting {
                params: &params,
                matrix: &matrix,
                holdout: None,
                warm_start: None,
                early_stopping: None,
                context: &crashing.context,
            };
            fitting.run(&mut checkpoint).unwrap();
        };
        fit(2);
        assert!(crashing.checkpoints().is_empty(), "50 seconds have passed");
        fit(3);
        assert_eq!(crashing.checkpoints().len(), usize::from(kept), "75 seconds have passed");
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_costs_a_warning_and_an_old_one_goes() {
    let mut crashing = Crashing::new();
    let folder = crashing.folder.path().join("models/.checkpoints");
    fs::create_dir_all(&folder).unwrap();
    let old = folder.join("of-another-run.ckpt");
    fs::write(&old, "x").unwrap();
    let week = std::time::Duration::from_secs(8 * 24 * 3600);
    fs::File::options().write(true).open(&old).unwrap().set_modified(std::time::SystemTime::now() - week).unwrap();
    let young = folder.join("of-a-live-run.ckpt");
    fs::write(&young, "x").unwrap();
    crashing.context.storage = Arc::new(FailAfter::new(Disk, 0, std::io::ErrorKind::StorageFull));
    // The disk is full: publishing fails too, but not before the last sweep.
    let error = crashing.train_until(u64::MAX, &with_checkpoints()).unwrap_err();
    assert!(error.message.starts_with("cannot create"), "{error}");
    assert!(crashing.has_logged("no checkpoint after iteration 4; the training goes on: cannot write"), "{:?}", crashing.logged());
    assert!(!old.exists() && young.exists());
}
