//! Templates of the document: each is parsed once, its mistakes and its references reported at their places.

use std::ops::Range;

use super::Checked;
use super::references::Viewpoint;
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::source::Span;
use crate::pipeline::suggest;
use crate::pipeline::template::{Expression, Piece, Scope, TASK_ROOTS, Template, TemplateError, TemplateValue};
use crate::pipeline::yaml::{Kind, Node};

impl Checked<'_> {
    /// A value in which strings are templates.
    pub(super) fn template_value(&self, node: &Node, view: Viewpoint, findings: &mut Findings) -> TemplateValue {
        match &node.kind {
            Kind::Text(_) => match self.text_template(node, view, findings) {
                template if template.is_literal() => TemplateValue::Literal(node.to_json()),
                template => TemplateValue::Template(template),
            },
            Kind::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.template_value(item, view, findings)).collect();
                let is_literal = items.iter().all(|item| matches!(item, TemplateValue::Literal(_)));
                if is_literal { TemplateValue::Literal(node.to_json()) } else { TemplateValue::List(items) }
            }
            Kind::Map(entries) => {
                let entry =
                    |entry: &crate::pipeline::yaml::Entry| (entry.key.value.clone(), self.template_value(&entry.value, view, findings));
                let entries: Vec<_> = entries.iter().map(entry).collect();
                let is_literal = entries.iter().all(|(_, value)| matches!(value, TemplateValue::Literal(_)));
                if is_literal { TemplateValue::Literal(node.to_json()) } else { TemplateValue::Map(entries) }
            }
            _ => TemplateValue::Literal(node.to_json()),
        }
    }

    /// The script of a `shell` task: not a template. What looks like one would be a trap, since text that is
    /// spliced into a script can do anything.
    pub(super) fn script(&self, node: &Node, findings: &mut Findings) -> TemplateValue {
        let is_ours = |template: &Template| {
            template.pieces().iter().any(|piece| matches!(piece, Piece::Expression(expression, _) if !expression.references().is_empty()))
        };
        // `{{ .Names }}` and the like belong to other programs and are passed on.
        if node.as_text().and_then(|text| Template::parse(text).ok()).is_some_and(|template| is_ours(&template)) {
            let start = node.as_text().and_then(|text| text.find("{{")).unwrap_or(0);
            let span = node.locate(self.source, start, start + 2);
            let error = Diagnostic::error("script-template", span, "templates are not expanded in a script");
            findings.push(error.hint("parameters are in its environment, as \"$RECFLOW_PARAM_NAME\"; pass other values through `env`"));
        }
        TemplateValue::Literal(node.to_json())
    }

    /// A text with templates in it. A number or truth value counts as the text that it is written as.
    pub(super) fn text_template(&self, node: &Node, view: Viewpoint, findings: &mut Findings) -> Template {
        let text = match &node.kind {
            Kind::Text(text) => text,
            Kind::Null | Kind::List(_) | Kind::Map(_) => return Template::literal(""),
            _ => return Template::literal(&node.to_json().to_string()),
        };
        match Template::parse(text) {
            Ok(template) => {
                for piece in template.pieces() {
                    if let Piece::Expression(expression, offset) = piece {
                        self.check_names(
                            expression,
                            view,
                            |range| node.locate(self.source, range.start + offset, range.end + offset),
                            findings,
                        );
                    }
                }
                template
            }
            Err(errors) => {
                for error in errors {
                    report(&error, |range| node.locate(self.source, range.start, range.end), findings);
                }
                Template::literal(text)
            }
        }
    }

    /// A condition: `when` of a task or of a side.
    pub(super) fn condition(&self, node: &Node, view: Viewpoint, findings: &mut Findings) -> Option<Expression> {
        let text = match &node.kind {
            Kind::Text(text) => text.clone(),
            Kind::Bool(value) => value.to_string(),
            _ => {
                let error =
                    Diagnostic::error("when-not-boolean", node.span, format!("`when` is {}, expected a condition", node.describe()));
                findings.push(error.hint("such as `params.retrain` or `tasks.check.output.rows > 0`"));
                return None;
            }
        };
        if let Some(inner) = text.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}")) {
            let error = Diagnostic::error("template-syntax", node.span, "`when` is an expression already: it takes no braces");
            findings.push(error.hint(format!("write `{}`", inner.trim())));
            return None;
        }
        let locate = |range: Range<usize>| node.locate(self.source, range.start, range.end);
        let expression = match Expression::parse(&text) {
            Ok(expression) => expression,
            Err(errors) => {
                for error in errors {
                    report(&error, locate, findings);
                }
                return None;
            }
        };
        if !self.check_names(&expression, view, locate, findings) {
            return None;
        }
        match self.never_boolean(&expression) {
            None => Some(expression),
            Some(why) => {
                let error = Diagnostic::error("when-not-boolean", node.span, format!("`when` must be true or false, and {why}"));
                findings.push(error.hint("compare it with something: `… > 0`, `… == \"yes\"`, `… is not none`"));
                None
            }
        }
    }

    /// Why a condition cannot be true or false, if that can be told before a run.
    fn never_boolean(&self, expression: &Expression) -> Option<String> {
        let references = expression.references();
        if references.is_empty() {
            return match expression.value(&Scope::empty()) {
                Ok(serde_json::Value::Bool(_)) => None,
                Ok(value) => Some(format!("this is always {}", recflow_stages::schema::describe(&value))),
                Err(error) => Some(format!("this always fails: {}", error.message)),
            };
        }
        let sample = self.sample(expression)?;
        let words = sample.words;
        (!sample.value.is_boolean()).then(|| format!("`{}` is {words}", expression.source().trim()))
    }

    /// Reports what an expression refers to and cannot; whether all was well.
    fn check_names(
        &self,
        expression: &Expression,
        view: Viewpoint,
        locate: impl Fn(Range<usize>) -> Span,
        findings: &mut Findings,
    ) -> bool {
        let mut fine = true;
        for reference in expression.references() {
            if let Err(problem) = self.check_reference(&reference, expression.source(), view, findings) {
                findings.push(problem.at(&locate));
                fine = false;
            }
        }
        // `tasks.a-b` was reported above as what it is; its `b` need not be again.
        if fine {
            for (name, range) in expression.unknown_names() {
                findings.push(self.unknown_name(&name, locate(range)));
                fine = false;
            }
        }
        fine
    }

    fn unknown_name(&self, name: &str, span: Span) -> Diagnostic {
        let hint = if self.params.contains_key(name) {
            format!("write `params.{name}`")
        } else if self.numbers.contains_key(name) {
            format!("write `tasks.{name}.output`")
        } else if let Some(root) = suggest::closest(name, TASK_ROOTS) {
            format!("did you mean `{root}`?")
        } else {
            format!("they see {}; text goes in quotes", TASK_ROOTS.join(", "))
        };
        Diagnostic::error("unknown-name", span, format!("templates know no `{name}`")).hint(hint)
    }
}

fn report(error: &TemplateError, locate: impl Fn(Range<usize>) -> Span, findings: &mut Findings) {
    findings.push(Diagnostic::error(error.code, locate(error.range.clone()), error.message.clone()).hint_if(error.hint.clone()));
}
