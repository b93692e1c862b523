//! Drift: the decision, what it rests on, and how the ratings and predictions differ.

use super::{cells, columns, stars};
use crate::report::Section;
use crate::report::chart::{Bar, BarChart, Form, Group, Row, RowChart, Tone};
use crate::report::data::drift::{Class, DataDrift, Distance, Drift, ModelDrift, Term};
use crate::report::markup::Markup;
use crate::report::number::{count, counted, figure, percent, signed};
use crate::report::parts::{self, Cell, Table, Tile, callout, missing, tiles, words};

/// Above this score a retrain is considered.
const LIMIT: f64 = 1.0;

/// The section.
pub fn section(drift: &Drift) -> Section {
    let mut body = verdict(drift);
    body.push(key_figures(drift));
    match &drift.data_drift {
        Some(data) => {
            body.push(score(drift, data));
            body.push(histogram("Ratings", "ratings", &data.distance.histogram));
        }
        None => body.push(missing(
            "No new ratings were compared",
            "They arrive by `process_stream`, or in the datasets that `detect_drift` was given.",
        )),
    }
    match &drift.model_drift {
        Some(model) if !model.distance.histogram.is_empty() => {
            body.push(histogram("Predictions", "predictions, rounded to the scale", &model.distance.histogram));
        }
        Some(_) => body.push(missing(
            "The model could predict nothing on one of the test sets",
            "Their users or items are unknown to it; `cold_start: mean` would predict the mean for them.",
        )),
        None if drift.data_drift.is_some() => {
            body.push(missing(
                "No predictions were compared: no test ratings arrived",
                "`process_stream` sets some aside unless `train_ratio` is 1.",
            ));
        }
        None => {}
    }
    if let Some(data) = &drift.data_drift {
        body.push(statistics(data, drift.model_drift.as_ref()));
        body.push(who_and_what(data));
    }
    Section { id: "drift".to_owned(), title: "Drift".to_owned(), body }
}

fn verdict(drift: &Drift) -> Markup {
    let (tone, decision) = if drift.should_retrain { (Tone::Warning, "Retrain") } else { (Tone::Good, "No retrain") };
    match drift.reasons.split_first() {
        Some((first, why)) => callout(tone, &format!("{decision}: {first}"), why),
        None if drift.reason.is_empty() => callout(tone, decision, &[]),
        None => callout(tone, &format!("{decision}: {}", drift.reason), &[]),
    }
}

fn key_figures(drift: &Drift) -> Markup {
    let tile = |name: &str, value: String, note: String, tone| Tile { name: name.to_owned(), value, note, tone };
    let interval = drift.interval.as_ref().map(|interval| {
        let ends = [interval.lower, interval.upper].map(|end| figure(Some(end), 2));
        format!("{} interval {} to {}", percent_word(interval.confidence), ends[0], ends[1])
    });
    let tone = if drift.should_retrain { Tone::Warning } else { Tone::Plain };
    let data = drift.data_drift.as_ref().and_then(|data| data.score);
    let model = drift.model_drift.as_ref();
    let counts = match model {
        Some(model) if !model.takes_part => "reported, does not count: too few predictions",
        Some(_) => "of the predictions",
        None => "no predictions",
    };
    tiles(&[
        tile("Drift score", figure(drift.drift_score, 2), interval.unwrap_or_default(), tone),
        tile("Score of the data", figure(data, 2), "of the ratings".to_owned(), Tone::Plain),
        tile("Score of the model", figure(model.and_then(|model| model.score), 2), counts.to_owned(), Tone::Plain),
        tile(
            "New ratings",
            count(drift.rows.current_train + drift.rows.current_test),
            format!(
                "{} to train, {} to test; {} before",
                count(drift.rows.current_train),
                count(drift.rows.current_test),
                count(drift.rows.original_train)
            ),
            Tone::Plain,
        ),
    ])
}

fn percent_word(share: f64) -> String {
    percent(Some(share)).replace(".0 %", " %")
}

/// Each metric over its threshold, and the scores that they add up to.
fn score(drift: &Drift, data: &DataDrift) -> Markup {
    let interval = |subject: &str| {
        let is_subject = drift.subject.as_deref() == Some(subject);
        drift.interval.as_ref().filter(|_| is_subject).map(|interval| (interval.lower, interval.upper))
    };
    let total = |name: &str, score: f64, subject: &str| Row {
        label: name.to_owned(),
        value: Some(score),
        interval: interval(subject),
        figure: format!("{} {}", figure(Some(score), 2), if score > LIMIT { "above 1" } else { "up to 1" }),
        tone: if score > LIMIT { Tone::Bad } else { Tone::Plain },
        is_strong: true,
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut values = Table { columns: columns("Metric", ["Value", "Threshold", "Weight", "Adds to the score"]), rows: Vec::new() };
    let sides =
        [("data", data.score, &data.terms)].into_iter().chain(drift.model_drift.iter().map(|model| ("model", model.score, &model.terms)));
    for (subject, score, terms) in sides {
        let Some(score) = score else { continue };
        rows.push(total(&format!("Score of the {subject}"), score, subject));
        for term in terms.iter().filter(|term| term.threshold > 0.0) {
            rows.push(of_term(term));
            let adds = term.weight * term.value / term.threshold;
            let name = format!("{}, {subject}", title(&term.metric));
            values.rows.push(cells(
                &name,
                [figure(Some(term.value), 4), figure(Some(term.threshold), 2), figure(Some(term.weight), 2), figure(Some(adds), 3)],
            ));
        }
    }
    let chart = RowChart {
        title: "Drift metrics against their thresholds".to_owned(),
        description: rows.iter().map(|row| format!("{}: {}. ", row.label, row.figure)).collect(),
        axis: "times the threshold".to_owned(),
        form: Form::Bars,
        threshold: Some((LIMIT, "threshold".to_owned())),
        rows,
    };
    let words = "Each metric over its threshold; a score is their weighted sum. A retrain needs a score above 1, with the lower end of its interval too.";
    parts::figure("Metrics against their thresholds", words, chart.draw(), &values)
}

fn of_term(term: &Term) -> Row {
    let is_over = term.value > term.threshold;
    Row {
        label: title(&term.metric),
        value: Some(term.value / term.threshold),
        figure: format!("{} {} {}", figure(Some(term.value), 3), if is_over { "over" } else { "of" }, stars(term.threshold)),
        tone: if is_over { Tone::Bad } else { Tone::Plain },
        ..Row::default()
    }
}

/// A metric as people call it.
fn title(metric: &str) -> String {
    match metric {
        "kl" => "KL divergence",
        "mean" => "Mean shift",
        "median" => "Median shift",
        "psi" => "PSI",
        "jensen_shannon" => "Jensen-Shannon distance",
        "rmse_increase" => "RMSE increase",
        "mae_increase" => "MAE increase",
        other => other,
    }
    .to_owned()
}

/// Both histograms side by side, as shares: there are many more old ratings than new ones.
fn histogram(title: &str, what: &str, classes: &[Class]) -> Markup {
    let total = |of: fn(&Class) -> u64| classes.iter().map(of).sum::<u64>();
    let (before, after) = (total(|class| class.original), total(|class| class.current));
    let bar = |name: &str, class: &Class, count_of: u64, total: u64| {
        let share = count_of as f64 / total.max(1) as f64;
        let label = figure(Some(share * 100.0), if share < 0.0995 { 1 } else { 0 });
        Some(Bar {
            value: share * 100.0,
            label,
            note: format!("{} {name}: {} of {} ({})", stars(class.value), count(count_of), count(total), percent(Some(share))),
        })
    };
    let group = |class: &Class| Group {
        label: stars(class.value),
        bars: vec![bar("before", class, class.original, before), bar("now", class, class.current, after)],
    };
    let chart = BarChart {
        title: format!("{title} before and now"),
        description: format!("Shares of {what} by stars: {} before and {} that arrived since.", count(before), count(after)),
        x_axis: "stars".to_owned(),
        y_axis: format!("% of {what}"),
        series: vec![format!("before ({})", count(before)), format!("now ({})", count(after))],
        groups: classes.iter().map(group).collect(),
    };
    let share = |count: u64, total: u64| percent(Some(count as f64 / total.max(1) as f64));
    let rows = classes.iter().map(|class| {
        cells(
            &stars(class.value),
            [count(class.original), share(class.original, before), count(class.current), share(class.current, after)],
        )
    });
    let values = Table { columns: columns("Stars", ["Before", "Share", "Now", "Share"]), rows: rows.collect() };
    parts::figure(title, &format!("Shares of {what}, before and now."), chart.draw(), &values)
}

fn statistics(data: &DataDrift, model: Option<&ModelDrift>) -> Markup {
    let of = |distance: &Distance| {
        let test = |test: &crate::report::data::drift::Test| format!("{} (p {})", figure(test.statistic, 3), p_value(test.p_value));
        let from_to = |before, after, shift| format!("{} → {} ({})", figure(before, 2), figure(after, 2), signed(shift, 2));
        [
            figure(distance.kl_divergence, 4),
            figure(distance.psi, 4),
            figure(distance.jensen_shannon, 4),
            test(&distance.kolmogorov_smirnov),
            test(&distance.chi_square),
            figure(distance.wasserstein, 3),
            from_to(distance.mean_original, distance.mean_current, distance.mean_shift),
            from_to(distance.median_original, distance.median_current, distance.median_shift),
        ]
    };
    let names = [
        "KL divergence, nats",
        "PSI",
        "Jensen-Shannon distance",
        "Kolmogorov-Smirnov",
        "Chi-square",
        "Wasserstein distance, stars",
        "Mean, stars",
        "Median, stars",
    ];
    let (data, predictions) = (of(&data.distance), model.map(|model| of(&model.distance)));
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        let of_model = predictions.as_ref().map_or_else(String::new, |values| values[number].clone());
        rows.push(cells(name, [data[number].clone(), of_model]));
    }
    if let Some(model) = model {
        let risen =
            |before: Option<f64>, after: Option<f64>, by| format!("{} → {} ({})", figure(before, 4), figure(after, 4), signed(by, 4));
        rows.push(cells(
            "RMSE on the test sets, stars",
            [String::new(), risen(model.original.rmse, model.current.rmse, model.rmse_increase)],
        ));
        rows.push(cells("MAE on the test sets, stars", [String::new(), risen(model.original.mae, model.current.mae, model.mae_increase)]));
    }
    let table = Table { columns: columns("", ["Ratings", "Predictions"]), rows };
    parts::titled_card("All distances", "Before against now. A shift is positive if the value rose.", table.draw())
}

/// A p-value; one that rounds to nothing is said to be small.
fn p_value(value: Option<f64>) -> String {
    match value {
        Some(value) if value < 0.001 => "< 0.001".to_owned(),
        value => figure(value, 3),
    }
}

fn who_and_what(data: &DataDrift) -> Markup {
    let unseen = |name: &str, one: &str, unseen: &crate::report::data::drift::Unseen| -> Vec<Cell> {
        vec![
            name.into(),
            format!("{}, {} of those that came", counted(unseen.count, one), percent(unseen.share)).into(),
            format!("{} of the new ratings", percent(unseen.share_of_ratings)).into(),
        ]
    };
    let popularity = &data.item_popularity;
    let shift: Vec<Cell> = vec![
        "Popularity of items".into(),
        format!("Jensen-Shannon distance {}", figure(popularity.jensen_shannon, 3)).into(),
        format!("{} by chance alone", figure(popularity.by_chance, 3)).into(),
    ];
    let rows =
        vec![unseen("Users not trained on", "user", &data.unseen_users), unseen("Items not trained on", "item", &data.unseen_items), shift];
    let table = Table { columns: vec![words(""), words("How much"), words("In proportion")], rows };
    parts::titled_card("New users and items", "What the model has not seen is not in its score.", table.draw())
}
