//! The tree of a YAML document.

use serde_json::{Map, Number, Value};

use crate::pipeline::source::{Source, Span, Spanned};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map and its value. Keys of one map differ.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Spanned<String>,
    pub(crate) value: Node,
}

impl Node {
    /// The value without its places.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Kind::Map(entries) => {
                let members: Map<String, Value> = entries.iter().map(|entry| (entry.key.value.clone(), entry.value.to_json())).collect();
                Value::Object(members)
            }
        }
    }

    /// What it is, in words: `the string "x"`, `a list`.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Text(text) if text.chars().count() > 40 => {
                let start: String = text.chars().take(40).collect();
                format!("the string {:?}", format!("{start}…"))
            }
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
            _ => recflow_stages::schema::describe(&self.to_json()),
        }
    }

    /// The text, if it is text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// How many nodes it holds, itself included, and how deep it is (a scalar: 1). Keys count as nodes.
    pub(crate) fn measure(&self) -> (usize, usize) {
        let sum = |(nodes, depth): (usize, usize), child: &Node, extra: usize| {
            let (child_nodes, child_depth) = child.measure();
            (nodes + child_nodes + extra, depth.max(child_depth + 1))
        };
        match &self.kind {
            Kind::List(items) => items.iter().fold((1, 1), |so_far, item| sum(so_far, item, 0)),
            Kind::Map(entries) => entries.iter().fold((1, 1), |so_far, entry| sum(so_far, &entry.value, 1)),
            _ => (1, 1),
        }
    }

    /// Where the bytes `start..end` of this node's text stand in the file.
    ///
    /// Exact where the text is written as it reads (plain, or quoted without escapes). Otherwise the word around it
    /// is looked for: if it is the third such word of the text, it is the third one that is written. If that
    /// fails too, it is the whole node.
    pub(crate) fn locate(&self, source: &Source, start: usize, end: usize) -> Span {
        let Some((text, part)) = self.as_text().and_then(|text| Some((text, text.get(start..end)?))) else { return self.span };
        let written = source.slice(self.span);
        let quote = usize::from(written.starts_with(['"', '\'']));
        if written.get(quote..).is_some_and(|written| written.starts_with(text)) {
            return Span::new(self.span.start + quote + start, self.span.start + quote + end);
        }
        let word_start = text[..start].rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let word_start = (word_start..=start).find(|at| text.is_char_boundary(*at)).unwrap_or(start);
        let word = &text[word_start..end];
        let earlier = text[..word_start].matches(word).count();
        match written.match_indices(word).nth(earlier) {
            Some((at, _)) if !part.is_empty() => {
                let start = self.span.start + at + (start - word_start);
                Span::new(start, start + part.len())
            }
            _ => self.span,
        }
    }
}
