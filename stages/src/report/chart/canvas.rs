//! What all charts share: the frame, axes, a legend and text.

use super::scale::{Scale, Tick};
use crate::report::markup::{Element, Markup, coordinate, element};

/// Width of a drawing, in its own units; a page shows it as wide as there is room.
pub(super) const WIDTH: f64 = 720.0;
/// Size of the text on axes.
pub(super) const TEXT: f64 = 12.0;
/// Room above the plot for one line of a legend.
const LEGEND: f64 = 26.0;

/// The room that a text of this size takes, about: charts leave some more.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if c.is_ascii() || c.is_alphabetic() && (c as u32) < 0x1100 { 0.58 } else { 0.92 }).sum::<f64>() * size
}

/// The text, cut to the room with an ellipsis.
pub(super) fn shortened(text: &str, room: f64, size: f64) -> String {
    if text_width(text, size) <= room {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        if text_width(&short, size) + 2.0 * size > room {
            break;
        }
        short.push(c);
    }
    format!("{}…", short.trim_end())
}

/// The element around a chart, with its name and what it shows.
pub(super) fn svg(title: &str, description: &str, width: f64, height: f64) -> Element {
    element("svg")
        .at([("width", width), ("height", height)])
        .attr("viewBox", format!("0 0 {} {}", coordinate(width), coordinate(height)))
        .attr("role", "img")
        .attr("aria-label", title)
        .with(element("title").with(title))
        .with(element("desc").with(description))
}

/// Where a text is fixed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

pub(super) fn text(x: f64, y: f64, anchor: Anchor, class: &str, words: impl Into<Markup>) -> Element {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    element("text").at([("x", x), ("y", y)]).attr("text-anchor", anchor).class(class).with(words)
}

pub(super) fn line(from: (f64, f64), to: (f64, f64), class: &str) -> Element {
    element("line").at([("x1", from.0), ("y1", from.1), ("x2", to.0), ("y2", to.1)]).class(class)
}

/// A tooltip.
pub(super) fn tooltip(words: &str) -> Element {
    element("title").with(words)
}

/// The plot's edges.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Plot {
    /// The edges of a plot whose vertical axis is `values`: room on the left for its numbers, above for the legend.
    pub(super) fn beside(values: &Scale, height: f64, has_legend: bool, below: f64) -> Self {
        let widest = values.ticks().map(|tick| text_width(&tick.text, TEXT)).fold(0.0, f64::max);
        let top = 34.0 + if has_legend { LEGEND } else { 0.0 };
        Self { left: widest + 16.0, right: WIDTH - 16.0, top, bottom: height - below }
    }

    /// The numbers of the vertical axis with a line across the plot at each, and the axis' name above them.
    pub(super) fn vertical_axis(&self, scale: &Scale, name: &str) -> Markup {
        let lines = scale.ticks().map(|Tick { at, text: number }| {
            let number = text(self.left - 8.0, at + 4.0, Anchor::End, "tick", number);
            let class = if (at - self.bottom).abs() < 0.01 { "axis" } else { "grid" };
            element("g").with(line((self.left, at), (self.right, at), class)).with(number)
        });
        lines.chain([element("g").with(text(0.0, self.top - 16.0, Anchor::Start, "axis-name", name))]).collect()
    }

    /// Texts below the plot at places from left to right, as many as do not touch; and the axis' name.
    pub(super) fn horizontal_axis<'t>(&self, labels: impl ExactSizeIterator<Item = (f64, &'t str)> + Clone, name: &str) -> Markup {
        let gap = labels.clone().zip(labels.clone().skip(1)).map(|((a, _), (b, _))| b - a).fold(f64::INFINITY, f64::min);
        let widest = labels.clone().map(|(_, label)| text_width(label, TEXT)).fold(0.0, f64::max);
        let every = round_count(((widest + 8.0) / gap).ceil());
        let inside = |x: f64, label: &str| {
            let half = text_width(label, TEXT) / 2.0;
            x.min(WIDTH - half).max(half)
        };
        let shown = labels.enumerate().filter(|(number, _)| number % every == 0);
        let texts = shown.map(|(_, (x, label))| text(inside(x, label), self.bottom + 18.0, Anchor::Middle, "tick", label));
        let name = text((self.left + self.right) / 2.0, self.bottom + 38.0, Anchor::Middle, "axis-name", name);
        texts.chain([name]).collect()
    }
}

/// The smallest of 1, 2, 5, 10, 20, … that is not below `least`.
fn round_count(least: f64) -> usize {
    let mut power = 1_usize;
    loop {
        for factor in [1, 2, 5] {
            // A chart of more than a million places shows the first label alone.
            if factor * power >= 1_000_000 || (factor * power) as f64 >= least {
                return factor * power;
            }
        }
        power *= 10;
    }
}

/// A legend above the plot: a sign for each entry, drawn around the place it is given, and its name.
pub(super) fn legend<'n>(entries: impl IntoIterator<Item = (&'n str, Element)>, sign: impl Fn(Element, f64, f64) -> Element) -> Markup {
    let mut x = 0.0;
    let mut markup = Markup::new();
    for (name, drawn) in entries {
        let name = shortened(name, 300.0, TEXT);
        markup.push(sign(drawn, x, 12.0));
        markup.push(text(x + 26.0, 16.0, Anchor::Start, "legend", name.as_str()));
        x += 26.0 + text_width(&name, TEXT) + 22.0;
    }
    markup
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_its_room() {
        assert_eq!(shortened("short", 100.0, 12.0), "short");
        let cut = shortened("a very long name of a thing", 100.0, 12.0);
        assert!(cut.ends_with('…') && text_width(&cut, 12.0) <= 100.0, "{cut}");
    }

    #[test]
    fn labels_that_touch_are_thinned_in_round_steps() {
        assert_eq!([0.2, 1.0, 1.1, 3.0, 6.0, 11.0, 21.0].map(round_count), [1, 1, 2, 5, 10, 20, 50]);
        assert_eq!(round_count(f64::NAN), 1_000_000);
    }
}
