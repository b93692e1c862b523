//! Evaluation: how good a model is, beside simple predictors, and for whom.

use super::{cells, columns, error_bars, error_series, stars};
use crate::report::Section;
use crate::report::chart::{BarChart, Form, Row, RowChart, Tone};
use crate::report::data::evaluation::{Baselines, Errors, Evaluation, Ranking, RatingBin, Segment, Segments};
use crate::report::markup::Markup;
use crate::report::number::{count, counted, figure, percent};
use crate::report::parts::{self, Cell, Table, Tile, missing, tiles};

/// How to get what only a training set gives.
const GIVE_TRAIN: &str = "Give `evaluate` the training set: train: data/processed/parquet/train";

/// The section.
pub fn section(evaluation: &Evaluation) -> Section {
    let mut body = key_figures(evaluation);
    match &evaluation.baselines {
        Some(baselines) => body.push(errors(evaluation, baselines)),
        None => body.push(missing("There is nothing to compare with", GIVE_TRAIN)),
    }
    body.push(rankings(evaluation));
    match evaluation.by_rating.as_slice() {
        [] => body.push(missing("Errors by rating are not known", "An `evaluate` of this recflow reports them: run it again")),
        bins => body.push(by_rating(bins)),
    }
    match &evaluation.segments {
        Some(segments) => {
            body.push(by_activity(segments));
            body.push(segment_table(segments));
        }
        None => body.push(missing("Errors by activity of users are not known", GIVE_TRAIN)),
    }
    Section { id: "evaluation".to_owned(), title: "Evaluation".to_owned(), body }
}

fn key_figures(evaluation: &Evaluation) -> Markup {
    let Evaluation { errors, k, baselines, .. } = evaluation;
    let biases = baselines.as_ref().and_then(|baselines| baselines.biases.rmse);
    let (against, tone) = match errors.rmse.zip(biases) {
        Some((model, biases)) if model <= biases => {
            (format!("{} better than user and item biases", percent(Some(1.0 - model / biases))), Tone::Good)
        }
        Some((model, biases)) => (format!("{} worse than user and item biases", percent(Some(model / biases - 1.0))), Tone::Warning),
        None => ("stars".to_owned(), Tone::Plain),
    };
    let ranking = evaluation.unseen_items.as_ref().unwrap_or(&evaluation.all_items);
    let of = if evaluation.unseen_items.is_some() { "of the items not rated in training" } else { "of all items" };
    let tile = |name: String, value: String, note: String, tone| Tile { name, value, note, tone };
    tiles(&[
        tile("RMSE".to_owned(), figure(errors.rmse, 4), against, tone),
        tile("MAE".to_owned(), figure(errors.mae, 4), "stars".to_owned(), Tone::Plain),
        tile(format!("NDCG@{k}"), figure(ranking.ndcg_at_k, 4), of.to_owned(), Tone::Plain),
        tile(
            "Test ratings scored".to_owned(),
            count(errors.scored),
            format!("{} of unknown users or items", count(errors.cold)),
            Tone::Plain,
        ),
    ])
}

/// The model's errors beside those of simple predictors.
fn errors(evaluation: &Evaluation, baselines: &Baselines) -> Markup {
    let all = [("Model", &evaluation.errors), ("User and item biases", &baselines.biases), ("Global mean", &baselines.global_mean)];
    let row = |(name, errors): &(&str, &Errors)| Row {
        label: (*name).to_owned(),
        value: errors.rmse,
        figure: figure(errors.rmse, 4),
        tone: if *name == "Model" { Tone::Plain } else { Tone::Muted },
        is_strong: *name == "Model",
        ..Row::default()
    };
    let chart = RowChart {
        title: "RMSE beside simple predictors".to_owned(),
        description: all.iter().map(|(name, errors)| format!("{name}: {}. ", figure(errors.rmse, 4))).collect(),
        axis: "RMSE in stars; the further left, the better".to_owned(),
        form: Form::Dots,
        rows: all.iter().map(row).collect(),
        ..RowChart::default()
    };
    let rows = all.iter().map(|(name, errors)| cells(name, [figure(errors.rmse, 4), figure(errors.mae, 4), count(errors.scored)]));
    let values = Table { columns: columns("Predictor", ["RMSE", "MAE", "Ratings"]), rows: rows.collect() };
    parts::figure("RMSE beside simple predictors", "All of them predict the same test ratings.", chart.draw(), &values)
}

fn rankings(evaluation: &Evaluation) -> Markup {
    let Evaluation { k, unseen_items, test_items, baselines, .. } = evaluation;
    let popular = baselines.as_ref().map(|baselines| &baselines.most_popular);
    let all: Vec<(&str, &Ranking)> = [
        ("Model, unseen items", unseen_items.as_ref()),
        ("Most popular, unseen items", popular.and_then(|popular| popular.unseen_items.as_ref())),
        ("Model, all items", Some(&evaluation.all_items)),
        ("Most popular, all items", popular.and_then(|popular| popular.all_items.as_ref())),
        ("Model, own test items", test_items.as_ref()),
    ]
    .into_iter()
    .filter_map(|(name, ranking)| Some((name, ranking?)))
    .collect();
    let row = |(name, ranking): &(&str, &Ranking)| Row {
        label: (*name).to_owned(),
        value: ranking.ndcg_at_k,
        figure: figure(ranking.ndcg_at_k, 4),
        tone: if name.starts_with("Model") { Tone::Plain } else { Tone::Muted },
        is_strong: name.starts_with("Model"),
        ..Row::default()
    };
    let chart = RowChart {
        title: format!("NDCG at {k}"),
        description: all.iter().map(|(name, ranking)| format!("{name}: {}. ", figure(ranking.ndcg_at_k, 4))).collect(),
        axis: format!("NDCG@{k}; the longer, the better"),
        form: Form::Bars,
        rows: all.iter().map(row).collect(),
        ..RowChart::default()
    };
    let names = [format!("P@{k}"), format!("R@{k}"), format!("NDCG@{k}"), format!("MAP@{k}"), format!("Hit rate@{k}"), "Users".to_owned()];
    let rows = all.iter().map(|(name, ranking)| {
        let shares = [ranking.precision_at_k, ranking.recall_at_k, ranking.ndcg_at_k, ranking.map_at_k, ranking.hit_rate_at_k]
            .map(|share| figure(share, 4));
        let [precision, recall, ndcg, map, hits] = shares;
        cells(name, [precision, recall, ndcg, map, hits, count(ranking.ranked_users)])
    });
    let values = Table { columns: columns("Lists", names.each_ref().map(String::as_str)), rows: rows.collect() };
    let threshold = evaluation.rating_threshold.map(stars).unwrap_or_else(|| "the threshold".to_owned());
    let words = format!(
        "Lists of {k}. An item is relevant to a user who rated it {threshold} or more; unseen items are those not rated in training. Models trained on stars often rank worse than popularity."
    );
    parts::figure("Ranked lists", &words, chart.draw(), &values)
}

fn by_rating(bins: &[RatingBin]) -> Markup {
    let label = |bin: &RatingBin| {
        if bin.rating_min == bin.rating_max {
            stars(bin.rating_min)
        } else {
            format!("{}–{}", stars(bin.rating_min), stars(bin.rating_max))
        }
    };
    let chart = BarChart {
        title: "Errors by rating".to_owned(),
        description: "RMSE and MAE of the test ratings of each value.".to_owned(),
        x_axis: "stars given".to_owned(),
        y_axis: "stars off".to_owned(),
        series: error_series(),
        groups: bins.iter().map(|bin| error_bars(&label(bin), &bin.errors, &counted(bin.ratings, "rating"))).collect(),
    };
    let rows = bins.iter().map(|bin| cells(&label(bin), [count(bin.ratings), figure(bin.errors.rmse, 4), figure(bin.errors.mae, 4)]));
    let values = Table { columns: columns("Stars", ["Ratings", "RMSE", "MAE"]), rows: rows.collect() };
    parts::figure("Errors by rating", "A model that predicts the mean for everything is far off at both ends.", chart.draw(), &values)
}

fn by_activity(segments: &Segments) -> Markup {
    let quarters = segments.user_activity.values().filter(|quarter| quarter.count > 0);
    let groups = quarters.clone().map(|quarter| {
        let what = format!("{} of {}", counted(quarter.errors.scored, "rating"), counted(quarter.count, "user"));
        error_bars(&ratings_range(quarter), &quarter.errors, &what)
    });
    let chart = BarChart {
        title: "Errors by activity of users".to_owned(),
        description: "RMSE and MAE for users in quarters by the number of ratings that they were trained on, the least active at the left."
            .to_owned(),
        x_axis: "ratings of the user in the training set".to_owned(),
        y_axis: "stars off".to_owned(),
        series: error_series(),
        groups: groups.collect(),
    };
    let rows = quarters.map(|quarter| {
        let ndcg = quarter.unseen_items.as_ref().and_then(|ranking| ranking.ndcg_at_k);
        cells(
            &ratings_range(quarter),
            [
                count(quarter.count),
                count(quarter.errors.scored),
                figure(quarter.errors.rmse, 4),
                figure(quarter.errors.mae, 4),
                figure(ndcg, 4),
            ],
        )
    });
    let values = Table {
        columns: columns("Ratings trained on", ["Users", "Test ratings", "RMSE", "MAE", "NDCG, unseen items"]),
        rows: rows.collect(),
    };
    parts::figure("Errors by activity of users", "Quarters of the test users, from the least active to the most.", chart.draw(), &values)
}

/// How many ratings its users, or items, have: `20–57`.
fn ratings_range(segment: &Segment) -> String {
    match (segment.ratings_min, segment.ratings_max) {
        (low, high) if low == high => count(low),
        (low, high) => format!("{}–{}", count(low), count(high)),
    }
}

fn segment_table(segments: &Segments) -> Markup {
    let popularity = &segments.item_popularity;
    let all = [
        ("Users trained on", &segments.known_users, ""),
        ("Users not trained on", &segments.new_users, ""),
        ("Items trained on", &segments.known_items, ""),
        ("Items not trained on", &segments.new_items, ""),
        ("Popular items (head)", &popularity.head, "has"),
        ("Items in between (torso)", &popularity.torso, "has"),
        ("All other items (tail)", &popularity.tail, "has"),
    ];
    let rows = all.into_iter().map(|(name, segment, has_range)| -> Vec<Cell> {
        let range = if has_range.is_empty() || segment.count == 0 { String::new() } else { ratings_range(segment) };
        let Errors { rmse, mae, scored, cold } = &segment.errors;
        cells(name, [count(segment.count), range, count(*scored), count(*cold), figure(*rmse, 4), figure(*mae, 4)])
    });
    let names = ["Count", "Ratings each", "Scored", "Left out", "RMSE", "MAE"];
    let table = Table { columns: columns("", names), rows: rows.collect() };
    let words = "Head, torso and tail stand on a third of the training ratings each. What the model does not know is left out, unless `cold_start` is `mean`.";
    parts::titled_card("Known and new, popular and rare", words, table.draw())
}
