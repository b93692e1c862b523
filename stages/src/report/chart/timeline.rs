//! When each of several things went on: a Gantt chart.

use super::Tone;
use super::canvas::{Anchor, TEXT, WIDTH, line, shortened, svg, text, text_width, tooltip};
use super::scale::{Scale, Tick};
use crate::report::markup::{Element, Markup, element};

/// Height of a lane.
const LANE: f64 = 26.0;
/// The names of lanes take at most so much of the width.
const NAMES_MAX: f64 = 220.0;
/// What took no time to speak of is drawn all the same.
const SHORTEST: f64 = 2.0;

/// Lanes over a common time, in seconds from a common start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// What it shows, in a few words.
    pub title: String,
    /// What it shows, for those who cannot see it.
    pub description: String,
    /// The lanes, from top to bottom.
    pub lanes: Vec<Lane>,
}

/// One thing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lane {
    /// Its name.
    pub label: String,
    /// What stands at the right, such as how long it took.
    pub figure: String,
    /// Its colour, which the figure must say in words too.
    pub tone: Tone,
    /// When it went on.
    pub spans: Vec<Span>,
}

/// A time in which a thing went on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Span {
    /// From so many seconds after the common start.
    pub from: f64,
    /// To so many.
    pub to: f64,
    /// Its colour.
    pub tone: Tone,
    /// The tooltip.
    pub note: String,
}

impl Timeline {
    /// Draws it.
    pub fn draw(&self) -> Markup {
        let widest = |texts: &mut dyn Iterator<Item = &String>| texts.map(|words| text_width(words, TEXT)).fold(0.0, f64::max);
        let left = widest(&mut self.lanes.iter().map(|lane| &lane.label)).min(NAMES_MAX) + 14.0;
        let right = WIDTH - widest(&mut self.lanes.iter().map(|lane| &lane.figure)).min(NAMES_MAX) - 20.0;
        let (top, bottom) = (8.0, 8.0 + LANE * self.lanes.len() as f64);
        let ends = self.lanes.iter().flat_map(|lane| &lane.spans).map(|span| span.to).filter(|to| to.is_finite()).fold(0.0, f64::max);
        let (unit, seconds) = unit(ends);
        let scale = Scale::of([0.0, ends / seconds], 6).between(left, right);

        let ticks = scale.ticks().map(|Tick { at, text: number }| {
            element("g").with(line((at, top), (at, bottom), "grid")).with(text(at, bottom + 18.0, Anchor::Middle, "tick", number))
        });
        let lanes = self.lanes.iter().enumerate().map(|(number, lane)| {
            let y = top + LANE * (number as f64 + 0.5);
            element("g")
                .class(format_args!("row {}", lane.tone.class()))
                .with(text(left - 12.0, y + 4.0, Anchor::End, "row-name", shortened(&lane.label, NAMES_MAX, TEXT)))
                .with(text(right + 12.0, y + 4.0, Anchor::Start, "row-figure", shortened(&lane.figure, NAMES_MAX, TEXT)))
                .with_all(lane.spans.iter().filter_map(|span| draw(span, y, &scale, seconds)))
        });
        svg(&self.title, &self.description, WIDTH, bottom + 44.0)
            .with_all(ticks)
            .with(text((left + right) / 2.0, bottom + 38.0, Anchor::Middle, "axis-name", format!("{unit} since the start")))
            .with_all(lanes)
            .into()
    }
}

/// The unit in which a time of so many seconds is told, and how many of them it has.
fn unit(seconds: f64) -> (&'static str, f64) {
    match seconds {
        seconds if seconds < 180.0 => ("seconds", 1.0),
        seconds if seconds < 3.0 * 3600.0 => ("minutes", 60.0),
        seconds if seconds < 3.0 * 86_400.0 => ("hours", 3600.0),
        _ => ("days", 86_400.0),
    }
}

fn draw(span: &Span, y: f64, scale: &Scale, seconds: f64) -> Option<Element> {
    if !(span.from.is_finite() && span.to.is_finite()) {
        return None;
    }
    let (from, to) = (scale.at(span.from / seconds), scale.at(span.to / seconds));
    let place = [("x", from), ("y", y - 8.0), ("width", (to - from).max(SHORTEST)), ("height", 16.0)];
    let bar = element("rect").class("value").at(place).attr("rx", 2).with(tooltip(&span.note));
    Some(element("g").class(format_args!("span {}", span.tone.class())).with(bar))
}
