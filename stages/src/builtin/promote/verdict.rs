//! Who won, and the reason in words: a function of figures alone.

use crate::model::promotion::Comparison;

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// Whether the challenger becomes current.
    pub(super) promoted: bool,
    /// Why, with figures.
    pub(super) reason: String,
}

impl Verdict {
    fn promoted(reason: String) -> Self {
        Self { promoted: true, reason }
    }

    fn kept(reason: String) -> Self {
        Self { promoted: false, reason }
    }
}

/// Judges a comparison. `no_champion` says why nobody defends, where that is so; `min_coverage` is the share of the test set that a
/// challenger must be able to score.
pub(super) fn judge(comparison: &Comparison, min_coverage: f64, no_champion: Option<&str>) -> Verdict {
    let Comparison { metric, tolerance, pairs, champion, challenger, .. } = comparison;
    let title = metric.title();
    let count = if *pairs == 1 { "1 pair".to_owned() } else { format!("{pairs} pairs") };
    if challenger.coverage < min_coverage {
        let (found, least) = (percent(challenger.coverage), percent(min_coverage));
        return Verdict::kept(format!("the challenger can score {found} of the test ratings, less than the {least} asked for"));
    }
    let Some(champion) = champion else {
        let why = no_champion.unwrap_or("there is no champion");
        return match challenger.value {
            Some(value) => Verdict::promoted(format!("{why}; {title} {} on {count}", number(value))),
            None => Verdict::kept(format!("{why}, but the challenger's {title} is no number on the {count} that it can score")),
        };
    };
    let name = &champion.version;
    if *pairs == 0 {
        return Verdict::kept(format!("no test rating is of a user and an item that both {name} and the challenger know"));
    }
    let (theirs, ours) = match (champion.value, challenger.value) {
        (Some(theirs), Some(ours)) => (theirs, ours),
        (_, None) => return Verdict::kept(format!("the challenger's {title} is no number on the {count} that both can score")),
        (None, Some(ours)) => {
            let figures = format!("{title} {} on {count}", number(ours));
            return Verdict::promoted(format!("{figures}, where that of {name} is no number"));
        }
    };
    // How much better the challenger is, in the unit of the metric.
    let gain = if metric.is_error() { theirs - ours } else { ours - theirs };
    let unit = if metric.is_error() { " stars" } else { "" };
    let figures = format!("{title} {} against {} of {name} on {count}", number(ours), number(theirs));
    let size = number(gain.abs());
    if gain > 0.0 {
        Verdict::promoted(format!("{figures}: better by {size}{unit}"))
    } else if gain == 0.0 {
        Verdict::promoted(format!("{figures}: no worse"))
    } else if -gain <= *tolerance {
        Verdict::promoted(format!("{figures}: worse by {size}{unit}, within the tolerance of {tolerance}"))
    } else {
        Verdict::kept(format!("{figures}: worse by {size}{unit}, beyond the tolerance of {tolerance}"))
    }
}

/// Four decimals; more where they would all be zero.
fn number(value: f64) -> String {
    if value == 0.0 || value.abs() >= 5e-4 { format!("{value:.4}") } else { format!("{value:.1e}") }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::Metric;
    use crate::model::promotion::Standing;
    use crate::model::record::DatasetRecord;

    fn standing(version: &str, value: Option<f64>) -> Standing {
        let version = version.to_owned();
        Standing { version, value, rmse: value, mae: value, scored: 90, coverage: 0.9, own_rmse: value, own_mae: value }
    }

    fn comparison(metric: Metric, champion: Option<Option<f64>>, challenger: Option<f64>) -> Comparison {
        Comparison {
            ratings: DatasetRecord { path: "test".to_owned(), fingerprint: "f".to_owned(), rows: 100 },
            metric,
            tolerance: 0.01,
            pairs: 80,
            champion: champion.map(|value| standing("version_1", value)),
            challenger: standing("version_2", challenger),
        }
    }

    #[track_caller]
    fn judged(comparison: &Comparison, promoted: bool, reason: &str) {
        assert_eq!(judge(comparison, 0.0, None), Verdict { promoted, reason: reason.to_owned() });
    }

    #[test]
    fn the_reason_says_who_won_by_how_much_and_on_how_many_pairs() {
        let rmse = |champion: f64, challenger: f64| comparison(Metric::Rmse, Some(Some(champion)), Some(challenger));
        judged(&rmse(0.95, 0.925), true, "RMSE 0.9250 against 0.9500 of version_1 on 80 pairs: better by 0.0250 stars");
        judged(&rmse(0.95, 0.95), true, "RMSE 0.9500 against 0.9500 of version_1 on 80 pairs: no worse");
        let within = "RMSE 0.9550 against 0.9500 of version_1 on 80 pairs: worse by 0.0050 stars, within the tolerance of 0.01";
        judged(&rmse(0.95, 0.955), true, within);
        let beyond = "RMSE 0.9625 against 0.9500 of version_1 on 80 pairs: worse by 0.0125 stars, beyond the tolerance of 0.01";
        judged(&rmse(0.95, 0.9625), false, beyond);
        judged(&rmse(1.0, 1.0 - 2e-6), true, "RMSE 1.0000 against 1.0000 of version_1 on 80 pairs: better by 2.0e-6 stars");
    }

    #[test]
    fn of_a_ranking_more_is_better() {
        let ndcg = |champion: f64, challenger: f64| comparison(Metric::NdcgAtK, Some(Some(champion)), Some(challenger));
        judged(&ndcg(0.1, 0.15), true, "NDCG at K 0.1500 against 0.1000 of version_1 on 80 pairs: better by 0.0500");
        let beyond = "NDCG at K 0.1000 against 0.1500 of version_1 on 80 pairs: worse by 0.0500, beyond the tolerance of 0.01";
        judged(&ndcg(0.15, 0.1), false, beyond);
    }

    #[test]
    fn without_a_champion_the_challenger_wins_and_what_is_no_number_never_does() {
        judged(&comparison(Metric::Rmse, None, Some(0.9)), true, "there is no champion; RMSE 0.9000 on 80 pairs");
        let nothing = "there is no champion, but the challenger's RMSE is no number on the 80 pairs that it can score";
        judged(&comparison(Metric::Rmse, None, None), false, nothing);
        let no_number = "the challenger's RMSE is no number on the 80 pairs that both can score";
        judged(&comparison(Metric::Rmse, Some(Some(0.9)), None), false, no_number);
        judged(&comparison(Metric::Rmse, Some(None), None), false, no_number);
        judged(&comparison(Metric::Rmse, Some(None), Some(0.9)), true, "RMSE 0.9000 on 80 pairs, where that of version_1 is no number");
        let strangers = Comparison { pairs: 0, ..comparison(Metric::Rmse, Some(None), None) };
        judged(&strangers, false, "no test rating is of a user and an item that both version_1 and the challenger know");
    }

    #[test]
    fn a_challenger_that_knows_too_little_of_the_test_set_is_not_promoted_however_good() {
        let good = comparison(Metric::Rmse, Some(Some(0.9)), Some(0.1));
        let verdict = judge(&good, 0.95, None);
        assert_eq!(verdict.reason, "the challenger can score 90.0 % of the test ratings, less than the 95.0 % asked for");
        assert!(!verdict.promoted && judge(&good, 0.9, None).promoted);
    }

    proptest! {
        #[test]
        fn a_challenger_is_promoted_if_and_only_if_it_is_worse_by_no_more_than_the_tolerance(
            champion in 0.1_f64..3.0, difference in -0.5_f64..0.5, tolerance in 0.0_f64..0.3, ranking: bool,
        ) {
            let metric = if ranking { Metric::HitRateAtK } else { Metric::Mae };
            let worse = if ranking { champion - difference } else { champion + difference };
            let comparison = Comparison { tolerance, ..comparison(metric, Some(Some(champion)), Some(worse)) };
            // At the very border rounding decides.
            prop_assume!((difference - tolerance).abs() > 1e-9);
            prop_assert_eq!(judge(&comparison, 0.0, None).promoted, difference <= tolerance);
        }
    }
}
