//! What is wrong with a pipeline, where, and what would mend it.
//!
//! Checks push [`Diagnostic`]s into [`Findings`]; `render` turns them into text or JSON. A diagnostic is data:
//! nothing here knows of terminals.

use serde::Serialize;

use super::source::Span;
use super::suggest;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The pipeline cannot run.
    Error,
    /// The pipeline runs, but hardly does what was meant.
    Warning,
}

/// A place and what to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The text to underline.
    pub span: Span,
    /// What to write beside it; may be empty.
    pub text: String,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for programs, such as `unknown-stage`.
    pub code: &'static str,
    /// One lowercase sentence without a final stop.
    pub message: String,
    /// Where it is.
    pub label: Label,
    /// Other places that belong to it, such as the other edges of a cycle.
    pub related: Vec<Label>,
    /// The remedy, if one is known.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A mistake that keeps the pipeline from running.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        let label = Label { span, text: String::new() };
        Self { severity: Severity::Error, code, message: message.into(), label, related: Vec::new(), hint: None }
    }

    /// Something that is allowed and probably not meant.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Writes `text` beside the underlined place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label.text = text.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label { span, text: text.into() });
        self
    }

    /// Adds the remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the remedy, if there is one.
    #[must_use]
    pub fn hint_if(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Whether it keeps the pipeline from running.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A file can hold a mistake in every line; beyond this many, more help nobody.
const MAX_DIAGNOSTICS: usize = 500;
/// Most words that are compared to suggest others, in one document.
const MAX_COMPARISONS: usize = 50_000;

/// Longest message, in bytes: a value that is quoted in it may be as long as the file.
const MAX_MESSAGE: usize = 600;

/// Collects what the checks find.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Diagnostic>,
    comparisons: usize,
}

impl Findings {
    /// Keeps a diagnostic, unless there are too many already. Text that it quotes is shortened.
    pub(crate) fn push(&mut self, mut diagnostic: Diagnostic) {
        if self.list.len() < MAX_DIAGNOSTICS {
            shorten(&mut diagnostic.message);
            diagnostic.hint.iter_mut().for_each(shorten);
            self.list.push(diagnostic);
        }
    }

    /// Keeps a diagnostic in the place of one that says the same of the same place, if there is one.
    pub(crate) fn push_instead(&mut self, diagnostic: Diagnostic) {
        let same = |other: &Diagnostic| (other.code, other.label.span.start) == (diagnostic.code, diagnostic.label.span.start);
        self.list.retain(|other| !same(other));
        self.push(diagnostic);
    }

    /// "did you mean `x`?", if one of `candidates` resembles `word`.
    pub(crate) fn did_you_mean<'c>(&mut self, word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
        let left = MAX_COMPARISONS - self.comparisons;
        let candidates = candidates.into_iter().take(left).inspect(|_| self.comparisons += 1);
        suggest::closest(word, candidates).map(|name| format!("did you mean `{name}`?"))
    }

    /// Whether an error is among them.
    pub(crate) fn has_errors(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// All of them in the order of the file. The first place decides, so reading follows the text.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|diagnostic| (diagnostic.label.span.start, diagnostic.severity));
        self.list
    }
}

fn shorten(text: &mut String) {
    if text.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}
