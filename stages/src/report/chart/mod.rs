//! Charts as inline SVG: plain data in, [`Markup`](super::markup::Markup) out.
//!
//! | module | what it draws |
//! |---|---|
//! | [`bars`] | groups of bars: histograms side by side, errors by class |
//! | [`lines`] | values along time or iterations, with thresholds and marks |
//! | [`rows`] | a row a thing: bars against a threshold, or dots on a scale |
//! | [`timeline`] | when each of several things went on |
//! | [`graph`] | what depends on what |
//! | `scale` | from values to places, with round ticks |
//! | `canvas` | what all of them share: frame, axes, legend, text |
//!
//! All of them take any values: what is no number is left out, one value or none gives an empty chart with its axes. Colours come from the
//! page's style sheet by class, so a chart is light or dark with the page; a series is also told by its form (filled or outlined, marker,
//! dash). Each chart has a title and a description for those who cannot see it, each value a tooltip (`<title>`), and pages
//! put the same values in a table beside.

pub mod bars;
mod canvas;
pub mod graph;
pub mod lines;
pub mod rows;
mod scale;
pub mod timeline;

#[cfg(test)]
mod tests;

pub use bars::{Bar, BarChart, Group};
pub use graph::{Graph, Node};
pub use lines::{Line, LineChart, Mark, Threshold};
pub use rows::{Form, Row, RowChart};
pub use timeline::{Lane, Span, Timeline};

/// What a thing is, told by colour and, beside it, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Something to look at.
    Warning,
    /// Something is wrong, or speaks for an intervention.
    Bad,
    /// Did not take part.
    Muted,
}

impl Tone {
    /// The class in the style sheet.
    pub(in crate::report) fn class(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Good => "good",
            Tone::Warning => "warning",
            Tone::Bad => "bad",
            Tone::Muted => "muted",
        }
    }
}
