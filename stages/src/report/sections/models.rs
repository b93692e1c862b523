//! Models: the versions there are, their errors, and which one serves.

use crate::report::Section;
use crate::report::chart::{Form, Row, RowChart, Tone};
use crate::report::data::models::Version;
use crate::report::markup::Markup;
use crate::report::number::{UNKNOWN, count, counted, figure};
use crate::report::parts::{self, Cell, Table, missing, numbers, words};

use super::stars;

/// So many versions are drawn; the table has all of them.
const DRAWN_MAX: usize = 20;

/// The section; `versions` are newest first, `folder` is where they lie, as people write it.
pub fn section(versions: &[Version], folder: &str) -> Section {
    let body = match versions {
        [] => missing(&format!("There is no version in `{folder}`"), "`train_als` publishes one."),
        versions => [errors(versions), parts::titled_card("Versions", &format!("In {folder}, the newest first."), table(versions).draw())]
            .into_iter()
            .collect(),
    };
    Section { id: "models".to_owned(), title: "Models".to_owned(), body }
}

fn errors(versions: &[Version]) -> Markup {
    let measured: Vec<&Version> = versions.iter().filter(|version| version.rmse.is_some()).collect();
    if measured.is_empty() {
        return missing("No version's RMSE on a test set is known", "`promote` keeps it, and `evaluate` with `record: true`.");
    }
    // The current one is drawn however old it is.
    let (mut drawn, left_out) = measured.split_at(measured.len().min(DRAWN_MAX));
    let current: Vec<&Version>;
    if let Some(serving) = left_out.iter().find(|version| version.is_current) {
        current = drawn.iter().copied().chain([*serving]).collect();
        drawn = &current;
    }
    let row = |version: &&Version| Row {
        label: version.name.clone(),
        value: version.rmse,
        figure: format!("{}{}", figure(version.rmse, 4), if version.is_current { ", current" } else { "" }),
        tone: if version.is_current { Tone::Good } else { Tone::Plain },
        is_strong: version.is_current,
        ..Row::default()
    };
    let serving = drawn.iter().find(|version| version.is_current).and_then(|version| version.rmse);
    let chart = RowChart {
        title: "RMSE by version".to_owned(),
        description: drawn.iter().map(|version| format!("{}: {}. ", version.name, figure(version.rmse, 4))).collect(),
        axis: "RMSE in stars; the further left, the better".to_owned(),
        form: Form::Dots,
        threshold: serving.map(|rmse| (rmse, "current".to_owned())),
        rows: drawn.iter().map(row).collect(),
    };
    let mut words = match test_sets(drawn.iter().copied()).as_slice() {
        [one] => format!("On the test set {one}, as it was when each was measured."),
        _ => "Each on the test set that it was last measured on: see the table.".to_owned(),
    };
    let hidden = measured.len() - drawn.len();
    if hidden > 0 {
        words.push_str(&format!(" {} not drawn.", counted(hidden as u64, "older version")));
    }
    parts::titled_figure("RMSE by version", &words, chart.draw())
}

/// The test sets that versions were measured on.
fn test_sets<'v>(versions: impl Iterator<Item = &'v Version>) -> Vec<&'v str> {
    let mut sets: Vec<&str> = versions.filter_map(|version| version.measured_on.as_deref()).collect();
    sets.sort_unstable();
    sets.dedup();
    sets
}

fn table(versions: &[Version]) -> Table {
    let row = |version: &Version| -> Vec<Cell> {
        vec![
            version.name.clone().into(),
            if version.is_current { Cell::toned("current", Tone::Good) } else { "".into() },
            version.created_at.as_deref().map_or_else(|| UNKNOWN.to_owned(), minute).into(),
            version.rank.to_string().into(),
            version.reg.map_or_else(|| UNKNOWN.to_owned(), stars).into(),
            version.ratings.map_or_else(|| UNKNOWN.to_owned(), count).into(),
            figure(version.train_rmse, 4).into(),
            figure(version.rmse, 4).into(),
            figure(version.mae, 4).into(),
        ]
    };
    let mut columns = vec![
        words("Version"),
        words(""),
        words("Published (UTC)"),
        numbers("Rank"),
        numbers("Reg"),
        numbers("Ratings"),
        numbers("Train RMSE"),
        numbers("RMSE"),
        numbers("MAE"),
    ];
    let mut rows: Vec<Vec<Cell>> = versions.iter().map(row).collect();
    if test_sets(versions.iter()).len() > 1 {
        columns.push(words("Measured on"));
        rows.iter_mut().zip(versions).for_each(|(row, version)| row.push(version.measured_on.clone().unwrap_or_default().into()));
    }
    Table { columns, rows }
}

/// `2026-11-23 18:30` of an instant in RFC 3339; it is not broken into lines.
fn minute(instant: &str) -> String {
    instant.get(..16).map_or_else(|| instant.to_owned(), |minute| minute.replace('T', "\u{a0}"))
}
