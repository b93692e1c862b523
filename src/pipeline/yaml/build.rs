//! Builds the tree from the parser's events, without recursion and within budgets.

use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle, Tag, options};

use super::key::{Key, key_of};
use super::node::{Entry, Kind, Node};
use super::{scalar, syntax};
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::source::{Source, Span};

/// Deepest nesting. A pipeline needs about eight levels.
pub(super) const MAX_DEPTH: usize = 32;
/// Most nodes in a document: 10,000 tasks of 25 nodes each. Aliases count with what they stand for.
const MAX_NODES: usize = 250_000;
/// Most nodes that anchors may mark, and most that aliases may add: a few lines must not stand for a gigabyte.
const MAX_ALIASED_NODES: usize = 20_000;

/// The document in `source`. `None` if it is empty or not YAML; everything wrong goes to `findings`.
///
/// Linear in the length of the text, which the caller has limited to [`super::MAX_BYTES`].
pub(crate) fn parse(source: &Source, findings: &mut Findings) -> Option<Node> {
    let mut builder = Builder::new(source, findings);
    for event in Parser::new_from_str_with_options(source.text(), parser_options()) {
        let step = match event {
            Ok((event, span)) => {
                let range = span.byte_range().unwrap_or_default();
                builder.event(event, Span::new(range.start, range.end))
            }
            Err(error) => Err(Box::new(syntax::explain(source, &error, &builder.open_brackets()))),
        };
        if let Err(diagnostic) = step {
            builder.findings.push_instead(*diagnostic);
            return None;
        }
    }
    builder.root
}

fn parser_options() -> Options {
    options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        // One more than ours, so that ours reports first and in our words.
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
    }
}

/// An error ends the reading.
type Step = Result<(), Box<Diagnostic>>;

/// A collection that is still open.
struct Open {
    span: Span,
    flow: bool,
    anchor: usize,
    content: Content,
    /// Whether this is the outer brace of a template that was not quoted.
    is_template: bool,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Key },
}

struct Builder<'a> {
    source: &'a Source,
    findings: &'a mut Findings,
    stack: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    anchored_nodes: usize,
    aliased_nodes: usize,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Source, findings: &'a mut Findings) -> Self {
        let (stack, anchors) = (Vec::new(), HashMap::new());
        Self { source, findings, stack, root: None, documents: 0, anchors, nodes: 0, anchored_nodes: 0, aliased_nodes: 0 }
    }

    /// The brackets `[` and `{` that are open, outermost first.
    fn open_brackets(&self) -> Vec<Span> {
        self.stack.iter().filter(|open| open.flow).map(|open| open.span).collect()
    }

    /// Takes one event.
    fn event(&mut self, event: Event<'_>, span: Span) -> Step {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let error = Diagnostic::error("yaml-documents", span, "a second document begins here");
                    return Err(Box::new(error.hint("one file holds one pipeline: move the rest to a file of its own")));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(span, 1)?;
                let is_text = self.is_text_tag(tag.as_deref(), span);
                let plain = style == ScalarStyle::Plain && !is_text;
                let kind = if plain { scalar::resolve(&text) } else { Kind::Text(text.into_owned()) };
                self.finish(Node { kind, span: self.trimmed(span, style) }, anchor)?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.is_text_tag(tag.as_deref(), span);
                self.open(span, style, anchor, Content::List(Vec::new()))?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.is_text_tag(tag.as_deref(), span);
                self.open(span, style, anchor, Content::Map { entries: Vec::new(), key: Key::Awaited })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Alias(anchor) => self.alias(anchor, span)?,
            Event::UnresolvedAlias(name) => {
                let error = Diagnostic::error("yaml-alias", span, format!("nothing above is marked `&{name}`"));
                self.findings.push(error.hint(format!("if `*{name}` is meant as text, put it in quotes")));
                self.finish(Node { kind: Kind::Null, span }, 0)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, span: Span, nodes: usize) -> Step {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(Box::new(
                Diagnostic::error("too-large", span, format!("the file holds more than {MAX_NODES} values"))
                    .hint("split the pipeline, or keep data in a file that a stage reads"),
            ));
        }
        Ok(())
    }

    fn open(&mut self, span: Span, style: StructureStyle, anchor: usize, content: Content) -> Step {
        self.count(span, 1)?;
        self.check_depth(span, 1)?;
        self.stack.push(Open { span, flow: style == StructureStyle::Flow, anchor, content, is_template: false });
        Ok(())
    }

    fn check_depth(&self, span: Span, deeper: usize) -> Step {
        if self.stack.len() + deeper > MAX_DEPTH {
            return Err(Box::new(syntax::too_deep(span)));
        }
        Ok(())
    }

    fn close(&mut self, end: Span) -> Step {
        let Some(Open { span, flow, anchor, content, is_template }) = self.stack.pop() else { return Ok(()) };
        if is_template {
            // It was reported; read as what was meant, it brings no second mistake.
            let span = Span::new(span.start, end.end);
            let kind = Kind::Text(self.source.slice(span).to_owned());
            return self.finish(Node { kind, span }, anchor);
        }
        let (kind, last) = match content {
            Content::List(items) => {
                let last = items.last().map(|item| item.span.end);
                (Kind::List(items), last)
            }
            Content::Map { entries, .. } => {
                let last = entries.last().map(|entry| entry.value.span.end.max(entry.key.span.end));
                self.report_duplicates(&entries);
                (Kind::Map(entries), last)
            }
        };
        // The parser ends a block collection where the next thing begins; a reader, where its last value ends.
        let end = if flow { end.end } else { last.unwrap_or(span.end) };
        self.finish(Node { kind, span: Span::new(span.start, end) }, anchor)
    }

    fn report_duplicates(&mut self, entries: &[Entry]) {
        let mut first: HashMap<&str, Span> = HashMap::with_capacity(entries.len());
        for Entry { key, .. } in entries {
            if let Some(earlier) = first.get(key.value.as_str()) {
                let error = Diagnostic::error("yaml-duplicate-key", key.span, format!("`{}` is there twice", key.value));
                self.findings.push(error.label("again here").related(*earlier, "first here"));
            } else {
                first.insert(&key.value, key.span);
            }
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Step {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(Box::new(Diagnostic::error("yaml-alias", span, "this alias stands inside the value that it repeats")));
        };
        let (nodes, depth) = target.measure();
        let target = target.clone();
        self.aliased_nodes += nodes;
        if self.aliased_nodes > MAX_ALIASED_NODES {
            return Err(Box::new(Diagnostic::error("yaml-alias", span, format!("aliases stand for more than {MAX_ALIASED_NODES} values"))));
        }
        self.count(span, nodes)?;
        self.check_depth(span, depth - 1)?;
        self.finish(target, 0)
    }

    /// Puts a complete node where it belongs: into the innermost open collection, or as the root.
    fn finish(&mut self, node: Node, anchor: usize) -> Step {
        if anchor != 0 {
            self.anchored_nodes += node.measure().0;
            if self.anchored_nodes > MAX_ALIASED_NODES {
                return Err(Box::new(Diagnostic::error(
                    "yaml-alias",
                    node.span,
                    format!("anchors mark more than {MAX_ALIASED_NODES} values"),
                )));
            }
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.stack.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key } => match std::mem::replace(key, Key::Awaited) {
                Key::Awaited => *key = key_of(node, self.source, self.findings),
                Key::Refused => {}
                Key::Template => open.is_template = true,
                Key::Found(found) => {
                    // An empty value stands nowhere; point at its key.
                    let span = if node.span.is_empty() { found.span } else { node.span };
                    entries.push(Entry { key: found, value: Node { span, ..node } });
                }
            },
        }
        Ok(())
    }

    /// Whether the tag says "this is text"; other tags are reported.
    fn is_text_tag(&mut self, tag: Option<&Tag>, span: Span) -> bool {
        let Some(tag) = tag else { return false };
        if tag.is_yaml_core_schema_tag("str") || tag.original() == "!" {
            return true;
        }
        let error = Diagnostic::error("yaml-tag", span, format!("the tag `{}` means nothing here", tag.original()));
        self.findings.push(error.hint("remove it; only `!!str` is known, and quotes say the same"));
        false
    }

    /// A block scalar's span reaches over its last line break, which is not worth underlining.
    fn trimmed(&self, span: Span, style: ScalarStyle) -> Span {
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return Span::new(span.start, span.start + self.source.slice(span).trim_end().len());
        }
        span
    }
}
