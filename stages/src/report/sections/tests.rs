//! Sections from data that lack parts, or hold any numbers.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::report::Section;
use crate::report::data::decode;
use crate::report::data::drift::{Class, DataDrift, Distance, Drift, Term};
use crate::report::data::evaluation::{Evaluation, RatingBin};
use crate::report::data::models::Version;
use crate::report::data::training::Training;
use crate::report::well_formed;

/// The text of a section, which is well-formed and shows no number that is none.
fn checked(section: &Section) -> &str {
    let text = section.body.as_str();
    well_formed::check(text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    assert!(!text.contains("NaN") && !text.contains("inf\""), "{text}");
    text
}

#[test]
fn a_decision_is_told_with_its_reasons_scores_and_whisker() {
    let output = json!({
        "drift_score": 1.69, "should_retrain": true, "reasons": ["score 1.69 > 1", "KL 0.103 over 0.1"], "subject": "data",
        "interval": { "lower": 1.5, "upper": 1.9, "confidence": 0.8, "resamples": 1000 },
        "data_drift": {
            "score": 1.69, "terms": [{ "metric": "kl", "value": 0.103, "threshold": 0.1, "weight": 0.5 }],
            "kl_divergence": 0.103, "kolmogorov_smirnov": { "statistic": 0.2, "p_value": 1e-9 },
            "histogram": [{ "value": 3.5, "original": 75, "current": 1 }, { "value": 4.0, "original": 25, "current": 3 }]
        },
        "model_drift": null, "rows": { "original_train": 100, "current_train": 4 }, "something": "new"
    });
    let section = drift::section(&decode(output, "drift", "detect_drift").unwrap());
    let text = checked(&section);
    for words in
        ["Retrain: score 1.69 &gt; 1", "<p>KL 0.103 over 0.1</p>", "0.103 over 0.1", "80 % interval 1.50 to 1.90", "p &lt; 0.001", "75.0 %"]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(text.contains(r#"class="whisker""#) && text.contains("now: 3 of 4 (75.0 %)"), "{text}");
    assert!(text.contains("No predictions were compared"), "what is missing is said");
}

#[test]
fn the_current_version_is_drawn_however_old_it_is() {
    let version =
        |number: usize| Version { name: format!("version_{number}"), is_current: number == 30, rmse: Some(0.9), ..Version::default() };
    let versions: Vec<Version> = (1..=31).map(version).collect();
    let section = models::section(&versions, "models/artifacts");
    let text = checked(&section);
    let chart = text.split("</figure>").next().unwrap();
    assert!(chart.contains("version_30") && chart.contains("0.9000, current") && !chart.contains("version_29"), "{chart}");
    assert!(chart.contains("10 older versions not drawn") && text.contains("version_29"), "{chart}");
}

#[test]
fn the_first_iteration_is_left_to_the_table_only_if_it_presses_the_others_flat() {
    let training = |values: &[f64]| Training {
        name: "t".to_owned(),
        best: None,
        series: [("loss".to_owned(), (1..).zip(values.iter().copied()).collect())].into_iter().collect(),
    };
    let markers = |values: &[f64]| {
        let section = training::section(&[training(values)]);
        (checked(&section).matches("<circle").count() - 1, checked(&section).contains("off the scale"))
    };
    assert_eq!(markers(&[100.0, 3.0, 2.0, 1.0]), (3, true));
    assert_eq!(markers(&[4.0, 3.0, 2.0, 1.0]), (4, false));
    assert!(checked(&training::section(&[training(&[4.0])])).contains("did not last long enough"));
}

proptest! {
    #[test]
    fn any_numbers_give_a_sound_section(
        numbers in prop::collection::vec(prop::option::of(any::<f64>()), 12),
        counts in prop::collection::vec((any::<f64>(), any::<u32>(), any::<u32>()), 0..40),
    ) {
        let at = |index: usize| numbers[index];
        let value = |index: usize| at(index).unwrap_or_default();
        let distance = Distance {
            kl_divergence: at(0),
            mean_original: at(1),
            mean_shift: at(2),
            histogram: counts.iter().map(|&(value, before, after)| Class { value, original: before.into(), current: after.into() }).collect(),
            ..Distance::default()
        };
        let term = Term { metric: "kl".to_owned(), value: value(3), threshold: value(4), weight: value(5) };
        let data = DataDrift { score: at(6), terms: vec![term], distance, ..DataDrift::default() };
        checked(&drift::section(&Drift { drift_score: at(7), data_drift: Some(data), ..Drift::default() }));

        let errors = Errors { rmse: at(8), mae: at(9), scored: 1, cold: 0 };
        let bins = counts.iter().map(|&(value, ratings, _)| RatingBin { rating_min: value, rating_max: value, ratings: ratings.into(), errors: errors.clone() });
        checked(&evaluation::section(&Evaluation { errors: errors.clone(), by_rating: bins.collect(), ..Evaluation::default() }));
        checked(&models::section(&[Version { rmse: at(10), mae: at(11), ..Version::default() }], "m"));
    }
}
