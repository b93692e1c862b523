//! Templates at the leaves of a JSON value: what `with:` holds.

use serde_json::{Map, Value};

use super::engine::RenderError;
use super::scope::Scope;
use super::text::Template;

/// The inputs of a task, some of them templates.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TemplateMap {
    entries: Vec<(String, TemplateValue)>,
}

/// A JSON value in which strings may be templates.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateValue {
    /// Nothing in it is a template.
    Literal(Value),
    /// A string with `{{ … }}` in it.
    Template(Template),
    /// A list with a template somewhere in it.
    List(Vec<TemplateValue>),
    /// A map with a template somewhere in it.
    Map(Vec<(String, TemplateValue)>),
}

impl TemplateMap {
    pub(crate) fn new(entries: Vec<(String, TemplateValue)>) -> Self {
        Self { entries }
    }

    /// The inputs as they are written, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &TemplateValue)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The inputs with every template replaced by its value.
    ///
    /// # Errors
    /// The first template that has no value; the error names the input.
    pub fn render(&self, scope: &Scope) -> Result<Map<String, Value>, RenderError> {
        render_entries(&self.entries, scope).map_err(|error| error.within("with"))
    }
}

impl TemplateValue {
    /// The value with every template replaced.
    ///
    /// # Errors
    /// The first template that has no value.
    pub fn render(&self, scope: &Scope) -> Result<Value, RenderError> {
        match self {
            TemplateValue::Literal(value) => Ok(value.clone()),
            TemplateValue::Template(template) => template.render(scope),
            TemplateValue::List(items) => {
                let render =
                    |(index, item): (usize, &TemplateValue)| item.render(scope).map_err(|error| error.within(&format!("[{index}]")));
                items.iter().enumerate().map(render).collect::<Result<_, _>>().map(Value::Array)
            }
            TemplateValue::Map(entries) => render_entries(entries, scope).map(Value::Object),
        }
    }
}

fn render_entries(entries: &[(String, TemplateValue)], scope: &Scope) -> Result<Map<String, Value>, RenderError> {
    let render = |(key, value): &(String, TemplateValue)| {
        let value = value.render(scope).map_err(|error| error.within(key))?;
        Ok((key.clone(), value))
    };
    entries.iter().map(render).collect()
}
