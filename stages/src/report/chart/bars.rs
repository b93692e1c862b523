//! Groups of bars: histograms side by side, errors by class.

use super::canvas::{Anchor, Plot, TEXT, WIDTH, legend, svg, text, text_width, tooltip};
use super::scale::Scale;
use crate::report::markup::{Element, Markup, element};

const HEIGHT: f64 = 300.0;
/// Size of the numbers above bars.
const NUMBER: f64 = 11.0;
/// A bar is at most so wide.
const BAR: f64 = 48.0;

/// Bars in groups: a group a class, in it a bar a series, from 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BarChart {
    /// What it shows, in a few words.
    pub title: String,
    /// What it shows, for those who cannot see it.
    pub description: String,
    /// The name of the horizontal axis.
    pub x_axis: String,
    /// The name of the vertical axis, with its unit.
    pub y_axis: String,
    /// The names of the series. The first is drawn filled, the second outlined, and so on.
    pub series: Vec<String>,
    /// The classes, from left to right.
    pub groups: Vec<Group>,
}

/// The bars of one class.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    /// The class.
    pub label: String,
    /// A bar for each series, in their order; none where there is no value.
    pub bars: Vec<Option<Bar>>,
}

/// A bar.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bar {
    /// How high it is. Not drawn unless a number.
    pub value: f64,
    /// The number above it, shown if all of them have room.
    pub label: String,
    /// The tooltip.
    pub note: String,
}

impl BarChart {
    /// Draws it.
    pub fn draw(&self) -> Markup {
        let bars = self.groups.iter().flat_map(|group| group.bars.iter().flatten());
        let scale = Scale::of(bars.map(|bar| bar.value).chain([0.0]), 5);
        let plot = Plot::beside(&scale, HEIGHT, true, 48.0);
        let scale = scale.between(plot.bottom, plot.top);
        let layout = Layout::of(self, plot);

        let centres = self.groups.iter().enumerate().map(|(number, group)| (layout.centre(number), group.label.as_str()));
        let centres: Vec<(f64, &str)> = centres.collect();
        let mut drawing = svg(&self.title, &self.description, WIDTH, HEIGHT)
            .with(self.legend())
            .with(plot.vertical_axis(&scale, &self.y_axis))
            .with(plot.horizontal_axis(centres.into_iter(), &self.x_axis));
        for (number, group) in self.groups.iter().enumerate() {
            for (series, bar) in group.bars.iter().enumerate() {
                if let Some(bar) = bar.as_ref().filter(|bar| bar.value.is_finite()) {
                    drawing = drawing.with(layout.bar(bar, number, series, &scale));
                }
            }
        }
        drawing.into()
    }

    fn legend(&self) -> Markup {
        let entries = self.series.iter().enumerate().map(|(series, name)| (name.as_str(), fill(series)));
        legend(entries, |swatch, x, y| swatch.at([("x", x), ("y", y - 7.0), ("width", 18.0), ("height", 12.0)]).attr("rx", 2))
    }
}

/// A rectangle in the look of a series.
fn fill(series: usize) -> Element {
    element("rect").class(format_args!("bar s{}", series % 4 + 1))
}

/// Where bars stand.
struct Layout {
    plot: Plot,
    /// Width of a group with the gap to the next.
    group: f64,
    /// Width of a bar.
    bar: f64,
    /// Bars in a group.
    series: usize,
    /// Whether there is room for the numbers above bars.
    has_numbers: bool,
}

impl Layout {
    fn of(chart: &BarChart, plot: Plot) -> Self {
        let series = chart.groups.iter().map(|group| group.bars.len()).max().unwrap_or(0).max(1);
        let group = (plot.right - plot.left) / chart.groups.len().max(1) as f64;
        let bar = (group * 0.76 / series as f64).min(BAR);
        let labels = chart.groups.iter().flat_map(|group| group.bars.iter().flatten()).map(|bar| text_width(&bar.label, NUMBER));
        Self { plot, group, bar, series, has_numbers: labels.fold(0.0, f64::max) <= bar + 2.0 }
    }

    fn centre(&self, group: usize) -> f64 {
        self.plot.left + self.group * (group as f64 + 0.5)
    }

    fn bar(&self, bar: &Bar, group: usize, series: usize, scale: &Scale) -> Element {
        let left = self.centre(group) + self.bar * (series as f64 - self.series as f64 / 2.0);
        let (zero, end) = (scale.at(0.0), scale.at(bar.value));
        // Neighbours keep a gap, unless bars are so thin that it would be all there is.
        let gap = if self.bar > 6.0 { 1.0 } else { 0.0 };
        let place = [("x", left + gap), ("y", end.min(zero)), ("width", self.bar - 2.0 * gap), ("height", (zero - end).abs())];
        let drawn = element("g").with(fill(series).at(place).with(tooltip(&bar.note)));
        if !self.has_numbers || bar.label.is_empty() {
            return drawn;
        }
        let above = if bar.value < 0.0 { end + TEXT } else { end - 4.0 };
        drawn.with(text(left + self.bar / 2.0, above, Anchor::Middle, "number", bar.label.as_str()))
    }
}
