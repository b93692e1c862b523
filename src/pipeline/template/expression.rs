//! One expression: compiled once to check it, evaluated in a [`Scope`].

use std::ops::Range;

use serde_json::Value;

use super::engine::{self, ENGINE, RenderError};
use super::lexer::lex;
use super::reference::{Names, Reference, Step, names};
use super::scope::Scope;
use crate::pipeline::suggest;

/// Longest expression, in bytes.
const MAX_SOURCE: usize = 2 << 10;
/// Most tokens in an expression. minijinja's parser recurses once per operator in a chain such as `1+1+…` or
/// `not not …`, without a limit of its own; this keeps it within a fraction of a thread's stack.
const MAX_TOKENS: usize = 512;

/// An expression that compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    source: String,
}

/// Why an expression or a template cannot be used, and where in its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateError {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Bytes of the text that was parsed.
    pub(crate) range: Range<usize>,
    pub(crate) hint: Option<String>,
}

impl TemplateError {
    pub(super) fn new(code: &'static str, range: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), range, hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error in a text in which the expression stands at `offset`.
    pub(super) fn shifted(mut self, offset: usize) -> Self {
        self.range = self.range.start + offset..self.range.end + offset;
        self
    }
}

impl Expression {
    /// Compiles `source` and checks the filters, tests and functions that it uses.
    pub(crate) fn parse(source: &str) -> Result<Self, Vec<TemplateError>> {
        let all = 0..source.len();
        let one = |error| Err(vec![error]);
        if source.trim().is_empty() {
            return one(TemplateError::new("template-syntax", all, "there is no expression here"));
        }
        let tokens = if source.len() <= MAX_SOURCE { lex(source) } else { Vec::new() };
        if source.len() > MAX_SOURCE || tokens.len() > MAX_TOKENS {
            let message = format!("an expression may have {MAX_SOURCE} bytes and {MAX_TOKENS} tokens at most");
            return one(TemplateError::new("template-too-long", all, message).hint("compute this in a task instead"));
        }
        if let Err(error) = ENGINE.compile_expression_owned(source.to_owned()) {
            let range = error.range().filter(|range| source.get(range.clone()).is_some_and(|part| !part.is_empty())).unwrap_or(all);
            let message = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            let assigns = source.get(range.clone()).is_some_and(|part| part.starts_with('='));
            let error = TemplateError::new("template-syntax", range, message);
            return one(if assigns { error.hint("`==` compares") } else { error });
        }
        let unknown = unknown_helpers(&names(&tokens));
        if unknown.is_empty() { Ok(Self { source: source.to_owned() }) } else { Err(unknown) }
    }

    /// The expression as it is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The paths that it reads.
    pub(crate) fn references(&self) -> Vec<Reference> {
        names(&lex(&self.source)).references
    }

    /// Names in it that mean nothing, and where.
    pub(crate) fn unknown_names(&self) -> Vec<(String, Range<usize>)> {
        names(&lex(&self.source)).unknown
    }

    /// Its value as JSON.
    ///
    /// # Errors
    /// If something in it is not defined, if an operation fails, or if it needs too much work or space.
    pub fn value(&self, scope: &Scope) -> Result<Value, RenderError> {
        self.try_value(scope).map_err(|mut error| {
            if error.message == engine::UNDEFINED
                && let Some(path) = self.undefined_path(scope)
            {
                error.message = format!("`{path}` is not defined");
            }
            error
        })
    }

    fn try_value(&self, scope: &Scope) -> Result<Value, RenderError> {
        let failed = |error: minijinja::Error| RenderError::from_engine(&self.source, &error);
        let expression = ENGINE.compile_expression_owned(self.source.clone()).map_err(failed)?;
        let value = expression.eval(scope.to_engine()).map_err(failed)?;
        let mut budget = engine::MAX_RESULT;
        engine::to_json(&value, &mut budget).map_err(|message| RenderError::new(&self.source, message))
    }

    /// What the tasks whose outputs the expression reads have to say: the field `reason` of each output that has one, as text.
    pub(crate) fn reasons(&self, scope: &Scope) -> Vec<String> {
        let mut reasons = Vec::new();
        for reference in self.references() {
            let [_, (Step::Key(output), step), ..] = &reference.steps[..] else { continue };
            if reference.root != "tasks" || output != "output" {
                continue;
            }
            let end = step.end + usize::from(self.source[step.end..].starts_with(']'));
            let path = format!("{}.reason", &self.source[reference.range.start..end]);
            let value = ENGINE.compile_expression_owned(path).and_then(|path| path.eval(scope.to_engine()));
            if let Ok(value) = value
                && let Some(reason) = value.as_str()
                && !reason.is_empty()
                && !reasons.iter().any(|known| known == reason)
            {
                reasons.push(reason.to_owned());
            }
        }
        reasons
    }

    /// The shortest part of a path in the expression that is not defined: the engine does not tell.
    fn undefined_path(&self, scope: &Scope) -> Option<&str> {
        for reference in self.references() {
            for (_, step) in &reference.steps {
                let end = step.end + usize::from(self.source[step.end..].starts_with(']'));
                let path = &self.source[reference.range.start..end];
                let value = ENGINE.compile_expression_owned(path.to_owned()).and_then(|path| path.eval(scope.to_engine()));
                if value.is_ok_and(|value| value.is_undefined()) {
                    return Some(path);
                }
            }
        }
        None
    }

    /// Its value as the condition that it is.
    ///
    /// # Errors
    /// As [`Expression::value`], and if the value is neither true nor false: Jinja's idea of truth (an empty
    /// string is false, `"false"` is true) has no place in a decision.
    pub fn evaluate(&self, scope: &Scope) -> Result<bool, RenderError> {
        match self.value(scope)? {
            Value::Bool(value) => Ok(value),
            other => {
                let found = recflow_stages::schema::describe(&other);
                let error = RenderError::new(&self.source, format!("expected true or false, got {found}"));
                Err(error.hint("compare it with something: `… > 0`, `… == \"yes\"`, `… is not none`"))
            }
        }
    }
}

fn unknown_helpers(names: &Names) -> Vec<TemplateError> {
    let mut errors = Vec::new();
    let kinds = [
        ("filter", &names.filters, engine::FILTERS.as_slice()),
        ("test", &names.tests, engine::TESTS.as_slice()),
        ("function", &names.functions, engine::FUNCTIONS.as_slice()),
    ];
    for (kind, used, known) in kinds {
        for (name, range) in used.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let hint = match suggest::closest(name, known.iter().copied()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("known {kind}s: {}", known.join(", ")),
            };
            errors.push(TemplateError::new("template-syntax", range.clone(), format!("unknown {kind} `{name}`")).hint(hint));
        }
    }
    errors
}
