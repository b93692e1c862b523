//! Values along time, iterations or anything else that has an order, with thresholds across and marks on the way.

use super::canvas::{Anchor, Plot, TEXT, WIDTH, legend, line, svg, text, text_width, tooltip};
use super::scale::Scale;
use crate::report::markup::{Element, Markup, coordinate, element};
use crate::report::number::UNKNOWN;

const HEIGHT: f64 = 320.0;
/// More places than this get no markers: the line is enough.
const MARKERS_MAX: usize = 60;

/// Lines over evenly spaced places. Each line has a colour, a dash and a marker of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LineChart {
    /// What it shows, in a few words.
    pub title: String,
    /// What it shows, for those who cannot see it.
    pub description: String,
    /// The name of the horizontal axis.
    pub x_axis: String,
    /// The name of the vertical axis, with its unit.
    pub y_axis: String,
    /// A text for each place, from left to right: a date, a number. As many are shown as have room.
    pub labels: Vec<String>,
    /// The lines.
    pub lines: Vec<Line>,
    /// Lines across the whole chart.
    pub thresholds: Vec<Threshold>,
    /// Lines from top to bottom, such as those where a model was trained anew.
    pub marks: Vec<Mark>,
    /// Whether the vertical axis begins at 0. Otherwise it covers what there is.
    pub from_zero: bool,
}

/// One line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// A value for each place; it is interrupted where there is none.
    pub values: Vec<Option<f64>>,
}

/// A line across the chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Threshold {
    /// What it stands for.
    pub label: String,
    /// Where it lies.
    pub value: f64,
}

/// A line from top to bottom.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mark {
    /// Its place, from 0. One beyond the last is not drawn.
    pub place: usize,
    /// What happened there. Marks of the same label share one entry of the legend.
    pub label: String,
}

impl LineChart {
    /// Draws it.
    pub fn draw(&self) -> Markup {
        let values = self.lines.iter().flat_map(|line| line.values.iter().copied().flatten());
        let edges = self.thresholds.iter().map(|threshold| threshold.value).chain(self.from_zero.then_some(0.0));
        let scale = Scale::of(values.chain(edges), 5);
        let plot = Plot::beside(&scale, HEIGHT, true, 48.0);
        let scale = scale.between(plot.bottom, plot.top);
        let places = self.places(plot);
        let labels = places.iter().zip(&self.labels).map(|(&x, label)| (x, label.as_str())).collect::<Vec<_>>();

        svg(&self.title, &self.description, WIDTH, HEIGHT)
            .with(self.legend())
            .with(plot.vertical_axis(&scale, &self.y_axis))
            .with(plot.horizontal_axis(labels.into_iter(), &self.x_axis))
            .with_all(self.marks.iter().filter_map(|mark| Some(self.mark(mark, *places.get(mark.place)?, plot))))
            .with_all(
                self.thresholds.iter().filter(|threshold| threshold.value.is_finite()).map(|one| across(one, scale.at(one.value), plot)),
            )
            .with_all(self.lines.iter().enumerate().map(|(series, line)| self.line(line, series, &places, &scale)))
            .into()
    }

    /// The middle of each place.
    fn places(&self, plot: Plot) -> Vec<f64> {
        let count = self.lines.iter().map(|line| line.values.len()).max().unwrap_or(0).max(self.labels.len());
        let width = (plot.right - plot.left) / count.max(1) as f64;
        (0..count).map(|place| plot.left + width * (place as f64 + 0.5)).collect()
    }

    fn legend(&self) -> Markup {
        let mut entries: Vec<(&str, Element)> =
            self.lines.iter().enumerate().map(|(series, line)| (line.name.as_str(), sample(series))).collect();
        let mut happened: Vec<&str> = self.marks.iter().map(|mark| mark.label.as_str()).collect();
        happened.dedup();
        happened.sort_unstable();
        happened.dedup();
        entries.extend(
            happened.into_iter().map(|label| (label, element("g").with(line((9.0, -8.0), (9.0, 8.0), "mark")).with(flag(9.0, -8.0)))),
        );
        legend(entries, |sign, x, y| sign.attr("transform", format_args!("translate({} {})", coordinate(x), coordinate(y))))
    }

    fn mark(&self, mark: &Mark, x: f64, plot: Plot) -> Element {
        let place = self.labels.get(mark.place).map_or("", String::as_str);
        element("g")
            .with(tooltip(&format!("{place}: {}", mark.label)))
            .with(line((x, plot.top), (x, plot.bottom), "mark"))
            .with(flag(x, plot.top))
    }

    fn line(&self, line: &Line, series: usize, places: &[f64], scale: &Scale) -> Element {
        let points: Vec<Option<(f64, f64)>> =
            line.values.iter().zip(places).map(|(value, &x)| Some((x, scale.at(value.filter(|value| value.is_finite())?)))).collect();
        let mut drawn = element("g").class(format_args!("series s{}", series % 4 + 1));
        for run in points.split(Option::is_none).filter(|run| run.len() > 1) {
            let path: Vec<String> = run.iter().flatten().map(|(x, y)| format!("{},{}", coordinate(*x), coordinate(*y))).collect();
            drawn = drawn.with(element("polyline").class("line").attr("points", path.join(" ")));
        }
        for (place, point) in points.iter().enumerate() {
            let alone = |other: Option<usize>| other.and_then(|other| points.get(other)?.as_ref()).is_none();
            let is_alone = alone(place.checked_sub(1)) && alone(place.checked_add(1));
            if let Some((x, y)) = point.filter(|_| places.len() <= MARKERS_MAX || is_alone) {
                let value = line.values[place].map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.4}"));
                let label = self.labels.get(place).map_or("", String::as_str);
                drawn = drawn.with(marker(series, x, y).with(tooltip(&format!("{label}: {} {value}", line.name))));
            }
        }
        drawn
    }
}

/// A threshold with its words at the right, on whichever side of it there is room.
fn across(threshold: &Threshold, y: f64, plot: Plot) -> Element {
    let above = if y - plot.top > TEXT + 8.0 { y - 6.0 } else { y + TEXT + 4.0 };
    let room = text_width(&threshold.label, TEXT) + 8.0;
    let back = element("rect").class("paper").attr("rx", 3).at([
        ("x", plot.right - room),
        ("y", above - TEXT),
        ("width", room),
        ("height", TEXT + 4.0),
    ]);
    element("g").with(line((plot.left, y), (plot.right, y), "threshold")).with(back).with(text(
        plot.right - 4.0,
        above,
        Anchor::End,
        "threshold-name",
        threshold.label.as_str(),
    ))
}

/// The little flag on a mark.
fn flag(x: f64, y: f64) -> Element {
    let points = [(x, y), (x + 8.0, y + 4.0), (x, y + 8.0)].map(|(x, y)| format!("{},{}", coordinate(x), coordinate(y)));
    element("polygon").class("flag").attr("points", points.join(" "))
}

/// A short line with its marker.
fn sample(series: usize) -> Element {
    let group = element("g").class(format_args!("series s{}", series % 4 + 1));
    group.with(element("polyline").class("line").attr("points", "0,0 18,0")).with(marker(series, 9.0, 0.0))
}

/// Circle, square, diamond or triangle.
fn marker(series: usize, x: f64, y: f64) -> Element {
    let polygon = |points: &[(f64, f64)]| {
        let points: Vec<String> = points.iter().map(|(dx, dy)| format!("{},{}", coordinate(x + dx), coordinate(y + dy))).collect();
        element("polygon").attr("points", points.join(" "))
    };
    match series % 4 {
        0 => element("circle").at([("cx", x), ("cy", y), ("r", 3.5)]),
        1 => polygon(&[(-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5)]),
        2 => polygon(&[(0.0, -5.0), (5.0, 0.0), (0.0, 5.0), (-5.0, 0.0)]),
        _ => polygon(&[(0.0, -4.5), (4.5, 3.5), (-4.5, 3.5)]),
    }
    .class("marker")
}
