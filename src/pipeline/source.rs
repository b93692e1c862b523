//! The text of a pipeline file and places in it.
//!
//! Everything that is read keeps its [`Span`], so that each mistake can be shown where it stands.

use serde::Serialize;

/// A range of bytes in the file. `start <= end`; both lie on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// Whether it holds no byte at all, as the span of an empty value does.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A place as an editor counts it: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// The text of a pipeline file under the name that messages print.
#[derive(Debug, Clone)]
pub struct Source {
    file: String,
    text: String,
    /// Byte offset at which each line begins.
    line_starts: Vec<usize>,
}

/// The name of a file as people may see it: it must not steer their terminal. Anybody who may add a file chose it.
pub fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

impl Source {
    /// The source `text`, shown as `file`.
    pub fn new(file: &str, text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset + 1);
        Self { file: shown(file), text: text.to_owned(), line_starts: std::iter::once(0).chain(newlines).collect() }
    }

    /// The name that messages print.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span; empty if the span does not lie within the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// Where a byte stands.
    pub fn position(&self, offset: usize) -> Position {
        let line = self.line_index(offset);
        let start = self.line_starts[line];
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        Position { line: line + 1, column: before.chars().count() + 1 }
    }

    /// The line that a byte belongs to, from 0.
    pub fn line_index(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The bytes of the lines `first..=last` (from 0), including the last line break.
    pub fn lines_span(&self, first: usize, last: usize) -> Span {
        let start = self.line_starts.get(first).copied().unwrap_or(self.text.len());
        let end = self.line_starts.get(last + 1).copied().unwrap_or(self.text.len());
        Span::new(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let source = Source::new("x.yaml", "a\nžluť: 1\n");
        let offset = source.text().find('1').expect("there");
        assert_eq!(source.position(offset), Position { line: 2, column: 7 });
        assert_eq!(source.position(source.text().len()), Position { line: 3, column: 1 });
        assert_eq!(source.slice(source.lines_span(1, 1)), "žluť: 1\n");
    }
}
