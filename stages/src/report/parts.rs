//! What pages are put together from: figures with their values, tables, tiles, remarks.

use super::chart::Tone;
use super::markup::{Element, Markup, element};

/// A table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The names of the columns; those of numbers are aligned to the right.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    name: String,
    is_number: bool,
}

/// A column of words.
pub fn words(name: impl Into<String>) -> Column {
    Column { name: name.into(), is_number: false }
}

/// A column of numbers.
pub fn numbers(name: impl Into<String>) -> Column {
    Column { name: name.into(), is_number: true }
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// What it holds.
    pub content: Markup,
    /// Its colour, which the words must say too.
    pub tone: Tone,
}

impl<M: Into<Markup>> From<M> for Cell {
    fn from(content: M) -> Self {
        Self { content: content.into(), tone: Tone::Plain }
    }
}

impl Cell {
    /// In a colour.
    pub fn toned(content: impl Into<Markup>, tone: Tone) -> Self {
        Self { content: content.into(), tone }
    }
}

impl Table {
    /// As markup; wide ones scroll.
    pub fn draw(&self) -> Markup {
        let head =
            self.columns.iter().map(|column| aligned(element("th").attr("scope", "col"), column, Tone::Plain).with(column.name.as_str()));
        let rows = self.rows.iter().map(|row| {
            let cells =
                row.iter().zip(&self.columns).map(|(cell, column)| aligned(element("td"), column, cell.tone).with(cell.content.clone()));
            element("tr").with_all(cells)
        });
        let table = element("table").with(element("thead").with(element("tr").with_all(head))).with(element("tbody").with_all(rows));
        element("div").class("scroll").with(table).into()
    }
}

fn aligned(cell: Element, column: &Column, tone: Tone) -> Element {
    let tone = if tone == Tone::Plain { "" } else { tone.class() };
    match (column.is_number, tone) {
        (false, "") => cell,
        (true, "") => cell.class("number"),
        (false, tone) => cell.class(tone),
        (true, tone) => cell.class(format_args!("number {tone}")),
    }
}

/// A chart with what it shows in words above, and its values in a folded table below.
pub fn figure(title: &str, explanation: &str, chart: Markup, values: &Table) -> Markup {
    let values = if values.rows.is_empty() { Markup::new() } else { folded("Values", values.draw()).into() };
    framed("scroll", title, explanation, chart, values)
}

/// A chart with what it shows in words above; its values stand elsewhere on the page.
pub fn titled_figure(title: &str, explanation: &str, chart: Markup) -> Markup {
    framed("scroll", title, explanation, chart, Markup::new())
}

/// The same of a graph, which is as wide as it needs to be.
pub fn graph(title: &str, explanation: &str, drawing: Markup) -> Markup {
    framed("scroll graph", title, explanation, drawing, Markup::new())
}

fn framed(class: &str, title: &str, explanation: &str, chart: Markup, below: Markup) -> Markup {
    let caption = element("figcaption").with(element("h3").with(title)).with(element("p").with(explanation));
    element("figure").with(caption).with(element("div").class(class).with(chart)).with(below).into()
}

/// Something that is shown when asked for.
pub fn folded(summary: &str, inside: impl Into<Markup>) -> Element {
    element("details").with(element("summary").with(summary)).with(inside)
}

/// A card.
pub fn card(inside: impl Into<Markup>) -> Markup {
    element("div").class("card").with(inside).into()
}

/// A card with a heading and a line of words.
pub fn titled_card(title: &str, explanation: &str, inside: impl Into<Markup>) -> Markup {
    let head = element("h3").with(title);
    let words = element("p").class("note").with(explanation);
    element("div").class("card").with(head).with(words).with(inside).into()
}

/// A remark that should not be overlooked: a heading, and a list of lines.
pub fn callout(tone: Tone, title: &str, lines: &[String]) -> Markup {
    let mut callout = element("div").class(format_args!("card callout {}", tone.class())).with(element("h3").with(title));
    match lines {
        [] => {}
        [line] => callout = callout.with(element("p").with(line.as_str())),
        lines => callout = callout.with(element("ul").with_all(lines.iter().map(|line| element("li").with(line.as_str())))),
    }
    callout.into()
}

/// Says that something is not known, and what to do to get it.
pub fn missing(what: &str, remedy: &str) -> Markup {
    card(element("p").class("note").with(what).with(". ").with(remedy))
}

/// A number that matters, large.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tile {
    /// What it is.
    pub name: String,
    /// The number.
    pub value: String,
    /// A word beside it.
    pub note: String,
    /// Its colour, which the words must say too.
    pub tone: Tone,
}

/// Numbers that matter, side by side.
pub fn tiles(tiles: &[Tile]) -> Markup {
    let tile = |Tile { name, value, note, tone }: &Tile| {
        element("div")
            .class(format_args!("tile {}", tone.class()))
            .with(element("div").class("name").with(name.as_str()))
            .with(element("div").class("value").with(value.as_str()))
            .with(element("div").class("note").with(note.as_str()))
    };
    element("div").class("tiles").with_all(tiles.iter().map(tile)).into()
}
