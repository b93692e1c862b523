//! Triggers: their conditions and parameters.

use super::Checked;
use super::references::Viewpoint;
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::document::RawTrigger;
use crate::pipeline::template::{TemplateMap, TemplateValue};
use crate::pipeline::trigger::{EventSource, EventTrigger};

impl Checked<'_> {
    /// The pipeline's triggers; those with mistakes are left out.
    pub(super) fn triggers(&self, findings: &mut Findings) -> Vec<EventTrigger> {
        let mut triggers: Vec<EventTrigger> = Vec::new();
        for raw in &self.document.triggers {
            let Some(trigger) = self.trigger(raw, findings) else { continue };
            if triggers.iter().any(|other| other.key() == trigger.key()) {
                findings.push(Diagnostic::error("duplicate-trigger", raw.span, "this trigger stands here twice"));
            }
            triggers.push(trigger);
        }
        triggers
    }

    fn trigger(&self, raw: &RawTrigger<'_>, findings: &mut Findings) -> Option<EventTrigger> {
        let view = match raw.source {
            EventSource::Pipeline { .. } => Viewpoint::OtherRun,
            EventSource::Dataset { .. } | EventSource::File { .. } => Viewpoint::Event,
        };
        if let EventSource::Pipeline { name, .. } = &raw.source
            && self.document.name.as_ref().is_some_and(|own| own.value == *name)
        {
            findings.push(Diagnostic::error("duplicate-trigger", raw.span, "a pipeline that starts itself never stops"));
            return None;
        }
        let mut params = Vec::new();
        for entry in raw.params {
            let name = entry.key.value.as_str();
            let Some(param) = self.params.get(name) else {
                let hint = findings.did_you_mean(name, self.params.keys().copied());
                let error = Diagnostic::error("unknown-param", entry.key.span, format!("the pipeline declares no parameter `{name}`"));
                findings.push(error.hint(hint.unwrap_or_else(|| "declare it under `params`".to_owned())));
                continue;
            };
            let value = self.template_value(&entry.value, view, findings);
            if let TemplateValue::Literal(literal) = &value
                && let Err(message) = param.check(literal.clone())
            {
                findings.push(Diagnostic::error("invalid-value", entry.value.span, format!("parameter `{name}`: {message}")));
            }
            params.push((name.to_owned(), value));
        }
        for param in self.document.params.iter().filter(|param| param.required && !params.iter().any(|(name, _)| *name == param.name)) {
            let error = Diagnostic::error("missing-key", raw.span, format!("the required parameter `{}` gets no value here", param.name));
            findings.push(error.hint(format!("add `params: {{ {}: … }}` to the trigger", param.name)));
        }
        let when = match raw.when {
            Some(node) => Some(self.condition(node, view, findings)?),
            None => None,
        };
        Some(EventTrigger { source: raw.source.clone(), when, debounce: raw.debounce, params: TemplateMap::new(params) })
    }
}
