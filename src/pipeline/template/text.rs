//! Text with `{{ … }}` in it.

use serde_json::Value;

use super::engine::{MAX_RESULT, RenderError};
use super::expression::{Expression, TemplateError};
use super::lexer::next_braces;
use super::scope::Scope;

/// Longest template, in bytes. Text without `{{` may be longer.
const MAX_SOURCE: usize = 16 << 10;

/// A text in which `{{ … }}` stands for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// As it is.
    Text(String),
    /// An expression and the byte of the template where its source begins.
    Expression(Expression, usize),
}

impl Template {
    /// Parses a text. All mistakes in it are returned, in order.
    pub(crate) fn parse(source: &str) -> Result<Self, Vec<TemplateError>> {
        let mut errors = refused_syntax(source);
        let mut pieces: Vec<Piece> = Vec::new();
        let mut at = 0;
        let mut trim = false;
        loop {
            let braces = match next_braces(source, at) {
                Ok(braces) => braces,
                Err(open) => {
                    let error = TemplateError::new("template-syntax", open..open + 2, "this `{{` is never closed");
                    errors.push(error.hint("close it with `}}`; to write the braces themselves: {{ '{{' }}"));
                    break;
                }
            };
            let end = braces.as_ref().map_or(source.len(), |braces| braces.outer.start);
            let mut text = &source[at..end];
            text = if trim { text.trim_start() } else { text };
            text = if braces.as_ref().is_some_and(|braces| braces.trim_before) { text.trim_end() } else { text };
            if !text.is_empty() {
                pieces.push(Piece::Text(text.to_owned()));
            }
            let Some(braces) = braces else { break };
            if source.len() > MAX_SOURCE {
                errors.push(TemplateError::new("template-too-long", 0..2, format!("a template may have {MAX_SOURCE} bytes at most")));
                break;
            }
            match Expression::parse(&source[braces.inner.clone()]) {
                Ok(expression) => pieces.push(Piece::Expression(expression, braces.inner.start)),
                Err(wrong) => errors.extend(wrong.into_iter().map(|error| error.shifted(braces.inner.start))),
            }
            trim = braces.trim_after;
            at = braces.outer.end;
        }
        if errors.is_empty() { Ok(Self { source: source.to_owned(), pieces }) } else { Err(errors) }
    }

    /// A template that is `text` and nothing else, braces and all.
    pub(crate) fn literal(text: &str) -> Self {
        Self { source: text.to_owned(), pieces: vec![Piece::Text(text.to_owned())] }
    }

    /// The text as it is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its parts.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether it holds no expression, so that it is its own value.
    pub(crate) fn is_literal(&self) -> bool {
        !self.pieces.iter().any(|piece| matches!(piece, Piece::Expression(..)))
    }

    /// The expression, if the text is one lone `{{ … }}` (white space around it does not count).
    pub(crate) fn lone(&self) -> Option<&Expression> {
        let mut found = None;
        for piece in &self.pieces {
            match piece {
                Piece::Expression(expression, _) if found.is_none() => found = Some(expression),
                Piece::Text(text) if text.trim().is_empty() => {}
                _ => return None,
            }
        }
        found
    }

    /// Its value: a lone expression keeps its JSON type, anything else is a string.
    ///
    /// # Errors
    /// If an expression has no value, or if the text becomes larger than 1 MiB.
    pub fn render(&self, scope: &Scope) -> Result<Value, RenderError> {
        match self.lone() {
            Some(expression) => expression.value(scope),
            None => self.render_text(scope).map(Value::String),
        }
    }

    /// Its value as text: strings as they are, other values as JSON.
    ///
    /// # Errors
    /// As [`Template::render`], and for an expression that is null: a path that silently ends in `None` is the
    /// mistake of another day.
    pub fn render_text(&self, scope: &Scope) -> Result<String, RenderError> {
        let mut text = String::with_capacity(self.source.len());
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Expression(expression, _) => match expression.value(scope)? {
                    Value::String(value) => text.push_str(&value),
                    Value::Null => {
                        let error = RenderError::new(expression.source(), "it is null, which cannot be part of a text");
                        return Err(error.hint("give it a value, or write `… | default(\"…\", true)`"));
                    }
                    other => text.push_str(&other.to_string()),
                },
            }
            // Text alone may be as long as the file allows; what expressions make of it may not.
            if text.len() > MAX_RESULT.max(self.source.len()) {
                return Err(RenderError::new(&self.source, format!("the text is larger than {} KiB", MAX_RESULT >> 10)));
            }
        }
        Ok(text)
    }
}

/// Jinja has statements and comments, this language has not; to pass them on as text would surprise.
fn refused_syntax(source: &str) -> Vec<TemplateError> {
    let mut errors = Vec::new();
    for (open, close, what, hint) in [
        ("{%", "%}", "statements (`{% … %}`) are not part of the language", "use an expression: {{ a if b else c }}"),
        ("{#", "#}", "comments (`{# … #}`) are not part of the language", "use a YAML comment: # …"),
    ] {
        if let Some(start) = source.find(open)
            && let Some(length) = source[start..].find(close)
        {
            errors.push(TemplateError::new("template-syntax", start..start + length + 2, what).hint(hint));
        }
    }
    errors
}
