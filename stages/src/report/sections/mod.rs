//! What pages tell, one file a subject: data in, a [`Section`](super::Section) out.
//!
//! A section that lacks a part says what it lacks and what to do to get it.

pub mod drift;
pub mod evaluation;
pub mod models;
pub mod training;

#[cfg(test)]
mod tests;

use super::chart::{Bar, Group};
use super::data::evaluation::Errors;
use super::number::figure;
use super::parts::{Cell, numbers, words};

/// A class with its RMSE and MAE as bars.
fn error_bars(label: &str, errors: &Errors, what: &str) -> Group {
    let bar = |name: &str, value: Option<f64>| {
        value.map(|value| Bar {
            value,
            label: figure(Some(value), 2),
            note: format!("{label}: {name} {} over {what}", figure(Some(value), 4)),
        })
    };
    Group { label: label.to_owned(), bars: vec![bar("RMSE", errors.rmse), bar("MAE", errors.mae)] }
}

/// The names of the bars of [`error_bars`].
fn error_series() -> Vec<String> {
    vec!["RMSE".to_owned(), "MAE".to_owned()]
}

/// A row of words and right-aligned numbers.
fn cells<const N: usize>(name: &str, values: [String; N]) -> Vec<Cell> {
    [name.into()].into_iter().chain(values.map(Cell::from)).collect()
}

/// A column of words, then columns of numbers.
fn columns<const N: usize>(name: &str, of: [&str; N]) -> Vec<super::parts::Column> {
    [words(name)].into_iter().chain(of.map(numbers)).collect()
}

/// A rating as people write it: `4`, `3.5`.
fn stars(rating: f64) -> String {
    let text = figure(Some(rating), 2);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
