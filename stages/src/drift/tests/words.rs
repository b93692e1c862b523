//! What people read of a decision.

use super::bootstrap::Interval;
use super::decision::{Decision, Evidence, Subject};
use super::score::Figures;
use super::*;

fn evidence(figures: Figures, lower: f64) -> Evidence {
    let interval = Interval { lower, upper: 2.0, confidence: 0.8, resamples: 1000 };
    Evidence { rows: 800, min_rows: 100, subject: Subject::Data, figures, interval }
}

#[test]
fn a_retrain_names_the_score_and_each_metric_over_its_threshold() {
    let figures = Figures { kl: 0.131, mean: 0.31, median: 0.5, ..Figures::default() };
    let decision = Decision::of(&evidence(figures, 1.01), &Rules::default());
    assert!(decision.should_retrain);
    assert_eq!(decision.reasons, ["score 1.32 > 1", "KL 0.131 over 0.1", "mean shift 0.31 over 0.2"]);
    assert_eq!(decision.line(), "score 1.32 > 1: KL 0.131 over 0.1; mean shift 0.31 over 0.2");
    let of_model = Evidence { subject: Subject::Model, ..evidence(figures, 1.01) };
    assert_eq!(Decision::of(&of_model, &Rules::default()).reasons[1], "KL of the predictions 0.131 over 0.1");
}

#[test]
fn what_keeps_from_a_retrain_is_named() {
    let figures = Figures { kl: 0.131, mean: 0.31, median: 0.5, ..Figures::default() };
    let rules = Rules::default();
    let by_chance = Decision::of(&evidence(figures, 0.7), &rules);
    assert!(!by_chance.should_retrain);
    assert_eq!(by_chance.reasons[0], "score 1.32 > 1, but by chance it could be 0.70: the 80% interval is 0.70 to 2.00");
    let few = Decision::of(&Evidence { rows: 50, ..evidence(figures, 1.2) }, &rules);
    assert_eq!((few.should_retrain, few.line().as_str()), (false, "not enough data: 50 of 100 rows"));
    let small = Figures { kl: 0.02, mean: 0.1, ..Figures::default() };
    let none = Decision::of(&evidence(small, 0.1), &rules);
    assert_eq!((none.should_retrain, none.line().as_str()), (false, "score 0.25 <= 1"));
    assert_eq!(Decision::no("no streaming ratings").line(), "no streaming ratings");
}

#[test]
fn rounding_never_moves_a_value_to_the_other_side_of_its_threshold() {
    let rules = Rules { weights: Weights { kl: 1.0, mean: 0.0, median: 0.0, ..Weights::default() }, ..Rules::default() };
    let told = |kl: f64| Decision::of(&evidence(Figures { kl, ..Figures::default() }, 1.0001), &rules).line();
    assert_eq!(told(0.10004), "score 1.0004 > 1: KL 0.10004 over 0.1");
    assert_eq!(told(0.1), "score 1.00 <= 1");
    assert_eq!(told(0.09996), "score 1.00 <= 1");
}

#[test]
fn weights_that_add_to_the_model_s_score_are_named_even_below_their_thresholds() {
    let weights = Weights { rmse_increase: 1.0, ..Weights::default() };
    let figures = Figures { kl: 0.09, mean: 0.1, rmse_increase: 0.09, ..Figures::default() };
    let of_model = Evidence { subject: Subject::Model, ..evidence(figures, 1.1) };
    let decision = Decision::of(&of_model, &Rules { weights, ..Rules::default() });
    assert_eq!(decision.reasons.len(), 5, "{decision:?}");
    assert_eq!(decision.reasons[4], "RMSE increase of the predictions 0.09 of 0.1");
}

#[test]
fn weights_must_sum_to_one() {
    let with = |kl, mean, median| Weights { kl, mean, median, ..Weights::default() }.check();
    with(0.5, 0.3, 0.2).unwrap();
    with(0.1, 0.2, 0.7).unwrap();
    Weights { rmse_increase: 4.0, ..Weights::default() }.check().unwrap();
    let error = with(0.5, 0.3, 0.3).unwrap_err();
    assert_eq!(error.message, "the weights sum to 1.1, not to 1: KL 0.5, mean shift 0.3, median shift 0.3");
    assert!(error.hint.is_some());
    assert_eq!(with(0.0, 0.0, 0.0).unwrap_err().message, "the weights sum to 0, not to 1: none is above 0");
    assert!(with(1.5, -0.5, 0.0).unwrap_err().message.contains("mean shift is -0.5"));
    assert!(with(f64::NAN, 0.5, 0.5).is_err());
}
