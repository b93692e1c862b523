//! Keys of maps: text, and what else was meant.

use super::node::{Kind, Node};
use super::syntax;
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::source::{Source, Span, Spanned};

/// What a map waits for.
pub(super) enum Key {
    /// A key.
    Awaited,
    /// The value of this key.
    Found(Spanned<String>),
    /// The value of a key that was refused; it is dropped.
    Refused,
    /// As `Refused`, for a key that was a bare `{{ … }}`.
    Template,
}

/// The key that a node is; what cannot be one is reported.
pub(super) fn key_of(node: Node, source: &Source, findings: &mut Findings) -> Key {
    let span = node.span;
    let written = source.slice(span);
    let text = match node.kind {
        Kind::Text(text) if text == "<<" => {
            let error = Diagnostic::error("yaml-merge-key", span, "merge keys (`<<`) are not part of YAML 1.2");
            findings.push(error.hint("repeat the keys, or put what tasks share into `defaults`"));
            return Key::Refused;
        }
        Kind::Text(text) => text,
        // A number or `true` as a key is meant as the text that it is written as.
        Kind::Bool(_) | Kind::Number(_) => written.to_owned(),
        Kind::Null | Kind::List(_) | Kind::Map(_) => return refused_key(span, source, findings),
    };
    Key::Found(Spanned { value: text, span })
}

fn refused_key(span: Span, source: &Source, findings: &mut Findings) -> Key {
    let before = source.text().get(..span.start).unwrap_or_default();
    if before.ends_with('{') && source.slice(span).starts_with('{') {
        let whole = Span::new(span.start - 1, (span.end + 1).min(source.text().len()));
        findings.push(syntax::unquoted_template(whole).hint(format!("write \"{}\"", source.slice(whole))));
        return Key::Template;
    }
    findings.push(Diagnostic::error("yaml-key", span, "a key must be text"));
    Key::Refused
}
