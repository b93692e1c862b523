//! A row a thing: bars that reach or miss a threshold, or dots on a common scale.

use super::Tone;
use super::canvas::{Anchor, TEXT, WIDTH, line, shortened, svg, text, text_width, tooltip};
use super::scale::{Scale, Tick};
use crate::report::markup::{Element, Markup, element};

/// Height of a row.
const ROW: f64 = 30.0;
/// The names of rows take at most so much of the width.
const NAMES_MAX: f64 = 250.0;

/// Horizontal rows with a name at the left and a figure at the right.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowChart {
    /// What it shows, in a few words.
    pub title: String,
    /// What it shows, for those who cannot see it.
    pub description: String,
    /// The name of the axis, with its unit.
    pub axis: String,
    /// How values are drawn.
    pub form: Form,
    /// A line across all rows, and what it stands for.
    pub threshold: Option<(f64, String)>,
    /// The rows, from top to bottom.
    pub rows: Vec<Row>,
}

/// How the values of rows are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As bars from 0.
    #[default]
    Bars,
    /// As dots on a scale that begins near the lowest.
    Dots,
}

/// A row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// Its name.
    pub label: String,
    /// Its value; nothing is drawn without one.
    pub value: Option<f64>,
    /// Between which values it may lie.
    pub interval: Option<(f64, f64)>,
    /// The figure at the right, in words.
    pub figure: String,
    /// Its colour. What it means must be in the words too.
    pub tone: Tone,
    /// Whether it matters more than the others.
    pub is_strong: bool,
}

impl RowChart {
    /// Draws it.
    pub fn draw(&self) -> Markup {
        let widest = |texts: &mut dyn Iterator<Item = &String>| texts.map(|words| text_width(words, TEXT)).fold(0.0, f64::max);
        // What is strong is bold, which is wider.
        let bold = if self.rows.iter().any(|row| row.is_strong) { 1.15 } else { 1.0 };
        let left = (bold * widest(&mut self.rows.iter().map(|row| &row.label))).min(NAMES_MAX) + 14.0;
        let right = WIDTH - (bold * widest(&mut self.rows.iter().map(|row| &row.figure))).min(NAMES_MAX) - 20.0;
        let (top, height) = (if self.threshold.is_some() { 26.0 } else { 8.0 }, ROW * self.rows.len() as f64);
        let bottom = top + height;

        let values =
            self.rows.iter().flat_map(|row| row.value.into_iter().chain(row.interval.into_iter().flat_map(|(low, high)| [low, high])));
        let zero = (self.form == Form::Bars).then_some(0.0);
        let values = values.chain(zero).chain(self.threshold.as_ref().map(|(value, _)| *value));
        let scale = Scale::of(values, 5).between(left, right);

        let ticks = scale.ticks().map(|Tick { at, text: number }| {
            element("g").with(line((at, top), (at, bottom), "grid")).with(text(at, bottom + 18.0, Anchor::Middle, "tick", number))
        });
        let rows = self.rows.iter().enumerate().map(|(number, row)| self.row(row, top + ROW * (number as f64 + 0.5), left, right, &scale));
        svg(&self.title, &self.description, WIDTH, bottom + 44.0)
            .with_all(ticks)
            .with(text((left + right) / 2.0, bottom + 38.0, Anchor::Middle, "axis-name", self.axis.as_str()))
            .with_all(rows)
            .with_all(
                self.threshold
                    .iter()
                    .filter(|(value, _)| value.is_finite())
                    .map(|(value, words)| across(scale.at(*value), words, top, bottom)),
            )
            .into()
    }

    fn row(&self, row: &Row, y: f64, left: f64, right: f64, scale: &Scale) -> Element {
        let class = format!("row {}{}", row.tone.class(), if row.is_strong { " strong" } else { "" });
        let label = shortened(&row.label, NAMES_MAX / if row.is_strong { 1.15 } else { 1.0 }, TEXT);
        let mut drawn = element("g")
            .class(class)
            .with(tooltip(&format!("{}: {}", row.label, row.figure)))
            .with(text(left - 12.0, y + 4.0, Anchor::End, "row-name", label))
            .with(text(right + 12.0, y + 4.0, Anchor::Start, "row-figure", shortened(&row.figure, NAMES_MAX, TEXT)));
        if let Some(value) = row.value.filter(|value| value.is_finite()) {
            drawn = drawn.with(self.value(scale.at(value), y, scale));
        }
        if let Some((low, high)) = row.interval.filter(|(low, high)| low.is_finite() && high.is_finite()) {
            drawn = drawn.with(whisker(scale.at(low), scale.at(high), y));
        }
        drawn
    }

    fn value(&self, x: f64, y: f64, scale: &Scale) -> Element {
        match self.form {
            Form::Bars => {
                let zero = scale.at(0.0);
                let place = [("x", x.min(zero)), ("y", y - 8.0), ("width", (x - zero).abs()), ("height", 16.0)];
                element("rect").class("value").at(place).attr("rx", 2)
            }
            Form::Dots => element("circle").class("value").at([("cx", x), ("cy", y), ("r", 6.0)]),
        }
    }
}

/// The line of the threshold, its words above.
fn across(x: f64, words: &str, top: f64, bottom: f64) -> Element {
    let half = text_width(words, TEXT) / 2.0;
    let middle = x.max(half).min(WIDTH - half);
    element("g").with(line((x, top - 6.0), (x, bottom), "threshold")).with(text(
        middle,
        top - 12.0,
        Anchor::Middle,
        "threshold-name",
        words,
    ))
}

/// From the lower to the upper end of an interval.
fn whisker(low: f64, high: f64, y: f64) -> Element {
    element("g").class("whisker").with(line((low, y), (high, y), "stem")).with(line((low, y - 5.0), (low, y + 5.0), "end")).with(line(
        (high, y - 5.0),
        (high, y + 5.0),
        "end",
    ))
}
