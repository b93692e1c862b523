//! Diagnostics as text, in the manner of rustc, and as JSON.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::diagnostic::{Diagnostic, Label, Severity};
use super::load::Loaded;
use super::params::ParamProblem;
use super::settings::Limits;
use super::source::{Position, Source, Span};

/// Most diagnostics that are printed of one file as text.
const MAX_SHOWN: usize = 50;
/// Width to which long source lines are cut.
const WIDTH: usize = 120;

impl Loaded {
    /// Whether nothing is wrong; warnings do not count.
    pub fn is_ok(&self) -> bool {
        self.pipeline.is_some()
    }

    /// All diagnostics as text, each with its source line; empty if there are none. `colour` adds ANSI sequences.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
        let shown = self.diagnostics.iter().take(MAX_SHOWN);
        let mut text: String = shown.map(|diagnostic| without_c1(&render_one(diagnostic, &self.source, &renderer)) + "\n\n").collect();
        if let Some(more) = self.diagnostics.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
            text.push_str(&format!("… and {more} more in {}\n\n", self.source.file()));
        }
        text
    }

    /// All diagnostics as data, those included that follow from the limits of a workspace.
    pub fn report_within(&self, limits: &Limits) -> FileReport {
        let found = self.pipeline.as_ref().map(|pipeline| limits.check(pipeline)).unwrap_or_default();
        let mut report = self.report();
        report.ok &= found.is_empty();
        report.diagnostics.extend(found.iter().map(|diagnostic| DiagnosticReport::new(diagnostic, &self.source)));
        report
    }

    /// All diagnostics as data.
    pub fn report(&self) -> FileReport {
        let diagnostics = self.diagnostics.iter().map(|diagnostic| DiagnosticReport::new(diagnostic, &self.source)).collect();
        FileReport { file: self.source.file().to_owned(), ok: self.is_ok(), diagnostics }
    }
}

/// The diagnostics of one file: the JSON of `recflow validate --json` is a list of these.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct FileReport {
    /// The file as it was named.
    pub file: String,
    /// Whether it can run.
    pub ok: bool,
    /// What is wrong, in the order of the file.
    pub diagnostics: Vec<DiagnosticReport>,
}

/// One diagnostic as data.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct DiagnosticReport {
    severity: Severity,
    code: &'static str,
    message: String,
    file: String,
    #[serde(flatten)]
    start: Position,
    end: Position,
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<RelatedReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Another place that belongs to a diagnostic.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
struct RelatedReport {
    #[serde(flatten)]
    start: Position,
    end: Position,
    message: String,
}

/// A value that was given for a parameter stands in no file: it is told apart by its name, the label.
impl From<&ParamProblem> for DiagnosticReport {
    fn from(problem: &ParamProblem) -> Self {
        let source = Source::new("params", "");
        let diagnostic = Diagnostic::error("invalid-param", Span::default(), problem.message.clone());
        Self::new(&diagnostic.label(problem.name.clone()).hint_if(problem.hint.clone()), &source)
    }
}

impl DiagnosticReport {
    fn new(diagnostic: &Diagnostic, source: &Source) -> Self {
        let related = |label: &Label| RelatedReport {
            start: source.position(label.span.start),
            end: source.position(label.span.end),
            message: label.text.clone(),
        };
        Self {
            severity: diagnostic.severity,
            code: diagnostic.code,
            message: diagnostic.message.clone(),
            file: source.file().to_owned(),
            start: source.position(diagnostic.label.span.start),
            end: source.position(diagnostic.label.span.end),
            label: diagnostic.label.text.clone(),
            related: diagnostic.related.iter().map(related).collect(),
            hint: diagnostic.hint.clone(),
        }
    }
}

fn render_one(diagnostic: &Diagnostic, source: &Source, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.clone().primary_title(visible(&diagnostic.message)).id(diagnostic.code);
    if diagnostic.code == "unreadable" {
        return renderer.render(&[title.element(Origin::path(visible(source.file())))]);
    }
    let spans = || std::iter::once(&diagnostic.label).chain(&diagnostic.related).map(|label| label.span);
    // Only the lines between the labels are handed over: the renderer looks at all that it is given.
    let first = spans().map(|span| source.line_index(span.start)).min().unwrap_or(0);
    let last = spans().map(|span| source.line_index(span.end)).max().unwrap_or(first);
    let window = source.lines_span(first, last);
    let inside = |span: Span| span.start - window.start..span.end - window.start;
    let mut snippet = Snippet::source(source.slice(window)).line_start(first + 1).path(visible(source.file())).fold(true);
    snippet = snippet.annotation(AnnotationKind::Primary.span(inside(diagnostic.label.span)).label(label_text(&diagnostic.label)));
    for label in &diagnostic.related {
        snippet = snippet.annotation(AnnotationKind::Context.span(inside(label.span)).label(label_text(label)));
    }
    let mut group: Group<'_> = title.element(snippet);
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.with_name("hint").message(visible(hint)));
    }
    renderer.render(&[group])
}

fn label_text(label: &Label) -> Option<String> {
    (!label.text.is_empty()).then(|| visible(&label.text))
}

/// Source lines come from the renderer with C0 controls made visible, but not C1, of which U+009B is as good as `ESC [`
/// to some terminals. Its own sequences hold none of them.
fn without_c1(text: &str) -> String {
    text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "\u{fffd}")
}

/// Messages quote the file, which may hold anything: control and direction characters are made visible, so that no
/// file can write to the terminal of whoever validates it.
fn visible(text: &str) -> String {
    annotate_snippets::normalize_untrusted_str(text)
}
