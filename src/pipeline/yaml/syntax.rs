//! Syntax errors in words that help: what was meant most often stands in the hint.

use granit_parser::{ErrorKind, ScanError};

use super::build::MAX_DEPTH;
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::source::{Source, Span};

/// The diagnostic for a syntax error. `brackets` are the flow collections that were open, outermost first.
pub(super) fn explain(source: &Source, error: &ScanError, brackets: &[Span]) -> Diagnostic {
    let text = source.text();
    let offset = floor_boundary(text, error.marker().byte_offset().unwrap_or(text.len()));
    let here = Span::new(offset, ceil_boundary(text, offset + 1));
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return too_deep(here);
    }
    if let Some(tab) = tab(source, error, offset) {
        let error = Diagnostic::error("yaml-tab", tab, "a tab is used as indentation");
        return error.hint("YAML allows only spaces: replace each tab, usually by two spaces");
    }
    if let Some(open) = unclosed(source, error, here, brackets) {
        return open;
    }
    if let Some(template) = bare_template(source, offset) {
        return unquoted_template(template).hint("put the whole value in double quotes");
    }
    let (message, hint) = words(error.kind());
    let message = message.map_or_else(|| error.info(), str::to_owned);
    Diagnostic::error("yaml-syntax", here, message).hint_if(hint.map(str::to_owned))
}

/// Values are nested too deeply.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("yaml-depth", span, format!("values are nested more than {MAX_DEPTH} levels deep"))
}

/// The mistake of every beginner: `key: {{ … }}`.
pub(super) fn unquoted_template(span: Span) -> Diagnostic {
    Diagnostic::error("unquoted-template", span, "a template must be in quotes: YAML reads a bare `{` as the start of a map")
}

fn words(kind: &ErrorKind) -> (Option<&'static str>, Option<&'static str>) {
    match kind {
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            (Some("a `:` is not expected here"), Some("check the indentation, or put a value that contains `: ` in quotes"))
        }
        ErrorKind::SimpleKeyExpected => (Some("expected `:` after this key"), Some("write `key: value`; a list item begins with `- `")),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockSequenceEntry => {
            (Some("this line does not line up with those above it"), Some("keys of one map begin in the same column"))
        }
        ErrorKind::BlockSequenceEntryNotAllowed => (
            Some("a list item is not expected here"),
            Some("items of one list begin in the same column; put a value that begins with `- ` in quotes"),
        ),
        ErrorKind::UnclosedQuotedScalar => (Some("this quote is never closed"), None),
        ErrorKind::InvalidTrailingSingleQuotedScalar => {
            (Some("text follows the closing quote"), Some("inside single quotes, a quote is written twice: 'it''s'"))
        }
        ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            (Some("text follows the closing quote"), Some("inside double quotes, a quote is written \\\""))
        }
        ErrorKind::MissingAnchorOrAliasName => {
            (Some("a value cannot begin with a bare `*` or `&`"), Some("put it in quotes, as in cron: \"0 3 * * *\""))
        }
        ErrorKind::UnexpectedCharacter { .. } => (None, Some("put a value that begins with `@`, `` ` `` or `%` in quotes")),
        ErrorKind::UnknownQuotedScalarEscape => {
            (Some("unknown escape in double quotes"), Some("write `\\\\` for a backslash, or use single quotes, which have no escapes"))
        }
        _ => (None, None),
    }
}

/// The tab that indents the line of the error, or the line after it: some scanners notice one line late.
fn tab(source: &Source, error: &ScanError, offset: usize) -> Option<Span> {
    let about_tabs = matches!(
        error.kind(),
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation | ErrorKind::TabNotAllowed | ErrorKind::TabInPlainScalar
    );
    let line = source.line_index(offset);
    (line..=line + usize::from(about_tabs)).find_map(|line| {
        let span = source.lines_span(line, line);
        let blank = source.slice(span).bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let tab = source.slice(Span::new(span.start, span.start + blank)).find('\t')?;
        Some(Span::new(span.start + tab, span.start + blank))
    })
}

/// An error that comes from a bracket that was never closed is reported where the bracket stands.
fn unclosed(source: &Source, error: &ScanError, here: Span, brackets: &[Span]) -> Option<Diagnostic> {
    let report = |open: Span, hint: String| {
        let bracket = source.slice(open);
        Diagnostic::error("yaml-unclosed", open, format!("this `{bracket}` is never closed")).hint(hint)
    };
    let closing = |open: Span| if source.slice(open) == "[" { ']' } else { '}' };
    match error.kind() {
        ErrorKind::UnclosedFlowCollection { .. } => Some(report(here, format!("add the missing `{}`", closing(here)))),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            let message = format!("this `{open}` is closed by `{close}`");
            Some(Diagnostic::error("yaml-unclosed", here, message).hint(format!("close it with `{}`", closing(here))))
        }
        ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::InvalidFlowScalarIndent
        | ErrorKind::BlockEntryInFlowCollection => {
            let open = *brackets.last()?;
            // On one line it may as well be a missing comma; over lines the bracket is what was forgotten.
            if source.line_index(open.start) == source.line_index(here.start) {
                let error = Diagnostic::error("yaml-syntax", here, format!("expected `,` or `{}`", closing(open)));
                return Some(error.related(open, "opened here").hint("put a value that contains `: `, `,` or brackets in quotes"));
            }
            Some(report(open, format!("add the missing `{}` before the next line", closing(open))))
        }
        _ => None,
    }
}

/// A `{{` on the line of the error that begins a value without quotes.
fn bare_template(source: &Source, offset: usize) -> Option<Span> {
    let line = source.line_index(offset);
    let span = source.lines_span(line, line);
    let text = source.slice(span).trim_end();
    let at = text.find("{{").filter(|at| text[..*at].trim_end().ends_with([':', '-', ',', '[']))?;
    Some(Span::new(span.start + at, span.start + text.len()))
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn ceil_boundary(text: &str, offset: usize) -> usize {
    (offset.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}
