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
    let caption = element("figcaption").with(element("h3").with(title)).with(element("p").with(prose(explanation)));
    element("figure").with(caption).with(element("div").class(class).with(chart)).with(below).into()
}

/// Something that is shown when asked for.
pub fn folded(summary: &str, inside: impl Into<Markup>) -> Element {
    element("details").with(element("summary").with(summary)).with(inside)
}

/// Words in which names stand between backticks, as everywhere in recflow.
pub fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick without a partner is one.
    let is_paired = parts.len() % 2 == 1;
    let part = |(number, part): (usize, &str)| -> Markup {
        match number % 2 {
            1 if is_paired => element("code").with(part).into(),
            0 if is_paired || number == 0 => part.into(),
            _ => format!("`{part}").into(),
        }
    };
    parts.into_iter().enumerate().map(part).collect()
}

/// A card.
pub fn card(inside: impl Into<Markup>) -> Markup {
    element("div").class("card").with(inside).into()
}

/// A card with a heading and a line of words.
pub fn titled_card(title: &str, explanation: &str, inside: impl Into<Markup>) -> Markup {
    let head = element("h3").with(title);
    let words = element("p").class("note").with(prose(explanation));
    element("div").class("card").with(head).with(words).with(inside).into()
}

/// A remark that should not be overlooked: a heading, and a list of lines.
pub fn callout(tone: Tone, title: &str, lines: &[String]) -> Markup {
    let mut callout = element("div").class(format_args!("card callout {}", tone.class())).with(element("h3").with(title));
    match lines {
        [] => {}
        [line] => callout = callout.with(element("p").with(prose(line))),
        lines => callout = callout.with(element("ul").with_all(lines.iter().map(|line| element("li").with(prose(line))))),
    }
    callout.into()
}

/// Says that something is not known, and what to do to get it.
pub fn missing(what: &str, remedy: &str) -> Markup {
    card(element("p").class("note").with(prose(what)).with(". ").with(prose(remedy)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_between_backticks_are_code_and_a_lone_backtick_is_one() {
        assert_eq!(prose("give `<a>` and `b`").as_str(), "give <code>&lt;a&gt;</code> and <code>b</code>");
        assert_eq!(prose("a ` b").as_str(), "a ` b");
        assert_eq!(prose("a `b` ` c").as_str(), "a `b` ` c");
        assert_eq!(prose("").as_str(), "");
    }

    #[test]
    fn a_table_aligns_numbers_and_has_a_cell_for_each_column() {
        let table = Table { columns: vec![words("Name"), numbers("Count")], rows: vec![vec!["a".into(), Cell::toned("1", Tone::Bad)]] };
        let drawn = table.draw();
        assert!(drawn.as_str().contains(r#"<td>a</td><td class="number bad">1</td>"#), "{drawn}");
        assert!(drawn.as_str().contains(r#"<th scope="col" class="number">Count</th>"#), "{drawn}");
    }
}
