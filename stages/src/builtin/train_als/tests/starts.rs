//! Trainings that start from an older model, and trainings that prefer recent ratings.

use super::*;

fn folder() -> (tempfile::TempDir, impl Fn(u32) -> Context) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, move |number| Context::plain(&path, PublishKey::new("run", &format!("train{number}"), 1)))
}

fn train_with(inputs: &TrainAlsInputs, context: &Context) -> Result<TrainAlsOutput> {
    train_and_publish(inputs, &inputs.params()?, data(ratings()), context)
}

fn record_of(output: &TrainAlsOutput, context: &Context) -> model::ModelRecord {
    model::ModelRecord::read(&context.workspace.join(&output.path)).unwrap().unwrap()
}

#[test]
fn one_sweep_from_the_latest_model_is_as_good_as_all_of_its_own_and_is_recorded() {
    let (_folder, context) = folder();
    let long = TrainAlsInputs { max_iter: 30, warm_start: Some("latest".to_owned()), ..inputs() };
    // There is no model yet: it starts from random factors.
    let first = train_with(&long, &context(1)).unwrap();
    assert_eq!(record_of(&first, &context(1)).warm_start, None);
    for which in ["latest".to_owned(), first.version.clone(), first.path.clone()] {
        let short = TrainAlsInputs { max_iter: 1, warm_start: Some(which), ..inputs() };
        let again = train_with(&short, &context(2 + short.warm_start.as_ref().map_or(0, String::len) as u32)).unwrap();
        assert!(again.loss <= first.loss * (1.0 + 1e-5), "{} after {}", again.loss, first.loss);
    }
    let cold = train_with(&TrainAlsInputs { max_iter: 1, ..inputs() }, &context(99)).unwrap();
    assert!(first.loss < 0.9 * cold.loss);
    let latest = model::versions::find(&context(1).workspace.join("models"), &model::Which::Latest, &context(1)).unwrap();
    assert_eq!(latest.name, cold.version);
    let warm = train_with(&TrainAlsInputs { max_iter: 1, warm_start: Some(first.version.clone()), ..inputs() }, &context(100)).unwrap();
    assert_eq!(record_of(&warm, &context(1)).warm_start, Some(first.version));
}

#[test]
fn a_model_whose_factors_mean_something_else_is_no_start() {
    let (_folder, context) = folder();
    let older = train_with(&inputs(), &context(1)).unwrap().version;
    let refused = |change: fn(&mut TrainAlsInputs)| {
        let mut inputs = TrainAlsInputs { warm_start: Some(older.clone()), ..inputs() };
        change(&mut inputs);
        let error = train_with(&inputs, &context(2)).unwrap_err();
        assert!(error.hint.is_some());
        error.message.replace(&older, "OLDER")
    };
    assert_eq!(refused(|inputs| inputs.rank = 5), "the training cannot start from OLDER: its rank is 4, that of the training 5");
    assert_eq!(refused(|inputs| inputs.implicit = true), "the training cannot start from OLDER: its objective is the explicit one");
    assert_eq!(refused(|inputs| inputs.nonnegative = true), "the training cannot start from OLDER: its factors may be negative");
    // Two factors and two for biases are four floats too.
    assert_eq!(
        refused(|inputs| (inputs.rank, inputs.biases) = (2, true)),
        "the training cannot start from OLDER: it was trained without biases"
    );
    assert!(refused(|inputs| inputs.warm_start = Some("version_x".to_owned())).starts_with("there is no model version `version_x`"));
}

#[test]
fn a_half_life_changes_what_is_learned_and_is_recorded() {
    let (_folder, context) = folder();
    // Users rated on days 0 to 11: the last ones weigh 2000 times as much as the first.
    let recent = TrainAlsInputs { recency_half_life: Some(1.0), ..inputs() };
    let (all, recent) = (train_with(&inputs(), &context(1)).unwrap(), train_with(&recent, &context(2)).unwrap());
    // The loss counts what each rating weighs: some two of twelve days' worth.
    assert!(recent.loss < 0.5 * all.loss && recent.train_rmse != all.train_rmse);
    assert_eq!((record_of(&all, &context(1)).recency_half_life, record_of(&recent, &context(1)).recency_half_life), (None, Some(1.0)));
    for days in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = TrainAlsInputs { recency_half_life: Some(days), ..inputs() }.params().unwrap_err();
        assert!(error.message.starts_with("`recency_half_life` must be a number of days above 0") && error.hint.is_some());
    }
}
