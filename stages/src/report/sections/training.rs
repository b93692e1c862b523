//! Training: the objective and the errors, sweep by sweep. Also any other series that a task reported.

use std::collections::BTreeMap;

use super::columns;
use crate::report::Section;
use crate::report::chart::{Line, LineChart, Mark};
use crate::report::data::training::Training;
use crate::report::markup::Markup;
use crate::report::number::figure;
use crate::report::parts::{self, Cell, Table, missing};

/// The section of one training or several.
pub fn section(trainings: &[Training]) -> Section {
    let body = trainings.iter().map(charts).collect::<Markup>();
    let title = if trainings.len() == 1 { format!("Training: {}", trainings[0].name) } else { "Training".to_owned() };
    Section { id: "training".to_owned(), title, body }
}

/// One chart for all errors, which have a common unit, and one for each other series.
pub fn charts(training: &Training) -> Markup {
    let drawn: BTreeMap<&str, &Points> =
        training.series.iter().map(|(name, points)| (name.as_str(), points)).filter(|(_, points)| points.len() > 1).collect();
    if drawn.is_empty() {
        return missing(
            &format!("{} did not last long enough to draw it", training.name),
            "It takes two iterations at least: see `max_iter`.",
        );
    }
    let (errors, others): (Vec<_>, Vec<_>) = drawn.into_iter().partition(|(name, _)| name.ends_with("rmse"));
    let mut charts = Markup::new();
    for (name, points) in others {
        charts.push(chart(training, &title(name), "", &[(name, points)]));
    }
    if !errors.is_empty() {
        charts.push(chart(training, "RMSE", "stars", &errors));
    }
    charts
}

type Points = Vec<(u64, f64)>;

fn chart(training: &Training, title_of: &str, unit: &str, series: &[(&str, &Points)]) -> Markup {
    let mut steps: Vec<u64> = series.iter().flat_map(|(_, points)| points.iter().map(|(step, _)| *step)).collect();
    steps.sort_unstable();
    steps.dedup();
    let mut lines: Vec<Line> = series
        .iter()
        .map(|(name, points)| {
            let of_step: BTreeMap<u64, f64> = points.iter().copied().collect();
            Line { name: title(name), values: steps.iter().map(|step| of_step.get(step).copied()).collect() }
        })
        .collect();
    let hidden = hide_the_first(&mut lines);
    let ends = |points: &Points| points.first().zip(points.last()).map(|(first, last)| (first.1, last.1));
    let told = series.iter().filter_map(|(name, points)| Some((title(name), ends(points)?)));
    let description =
        told.map(|(name, (first, last))| format!("{name} from {} to {}. ", figure(Some(first), 4), figure(Some(last), 4))).collect();
    let best = training.best.filter(|_| series.iter().any(|(name, _)| *name == "holdout_rmse"));
    let best = best.and_then(|best| steps.iter().position(|step| *step == best));
    let chart = LineChart {
        title: format!("{title_of} by iteration"),
        description,
        x_axis: "iteration".to_owned(),
        y_axis: if unit.is_empty() { title_of.to_owned() } else { format!("{title_of}, {unit}") },
        labels: steps.iter().map(u64::to_string).collect(),
        marks: best.map(|place| Mark { place, label: "best on held-out ratings".to_owned() }).into_iter().collect(),
        lines,
        ..LineChart::default()
    };
    let of = |points: &Points, step: u64| points.iter().find(|(number, _)| *number == step).map(|(_, value)| *value);
    let rows = steps.iter().map(|step| -> Vec<Cell> {
        [step.to_string()].into_iter().chain(series.iter().map(|(_, points)| figure(of(points, *step), 6))).map(Cell::from).collect()
    });
    let mut table = Table { columns: columns("Iteration", []), rows: rows.collect() };
    table.columns.extend(chart.lines.iter().map(|line| parts::numbers(line.name.as_str())));
    let words = match title_of {
        "Objective" => "What training minimises, regularisation included, after each iteration.",
        "RMSE" => "Over the ratings trained on and, if some were held out, over those.",
        _ => "As it was reported.",
    };
    let off = if hidden { " The first iteration lies far above, off the scale: see the values." } else { "" };
    parts::figure(&format!("{title_of} by iteration"), &format!("{words}{off}"), chart.draw(), &table)
}

/// Takes the first point of each line away if it would press all others flat: ALS begins at random and gets most of the way in one sweep.
fn hide_the_first(lines: &mut [Line]) -> bool {
    let spread = |from: usize| {
        let values = lines.iter().flat_map(|line| line.values.iter().skip(from).flatten()).copied().filter(|value| value.is_finite());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        high - low
    };
    let places = lines.iter().map(|line| line.values.len()).max().unwrap_or(0);
    let hides = places > 3 && spread(1) < 0.2 * spread(0);
    if hides {
        lines.iter_mut().filter_map(|line| line.values.first_mut()).for_each(|first| *first = None);
    }
    hides
}

/// A series as people call it.
fn title(name: &str) -> String {
    match name {
        "loss" => "Objective".to_owned(),
        "train_rmse" => "Training RMSE".to_owned(),
        "holdout_rmse" => "Held-out RMSE".to_owned(),
        other => other.replace('_', " "),
    }
}
