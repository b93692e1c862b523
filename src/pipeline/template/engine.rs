//! minijinja, fenced in: what it may do, and values on their way in and out.

use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde_json::{Map, Number, Value};

/// Largest result, in bytes of JSON, roughly.
pub(super) const MAX_RESULT: usize = 1 << 20;
/// The message if nothing better is known about what is undefined.
pub(super) const UNDEFINED: &str = "something in it is not defined";
/// Work that an expression may do, in minijinja's unit: an operation, or 64 bytes made.
const FUEL: u64 = 50_000;

/// Filters that expressions may use.
pub(super) const FILTERS: [&str; 44] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
    "chain",
];
/// Tests (`x is …`) that expressions may use.
pub(super) const TESTS: [&str; 30] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];
/// Functions that expressions may call.
pub(super) const FUNCTIONS: [&str; 2] = ["dict", "range"];

/// The one environment. Nothing is registered in it and it has no templates, so it holds no state.
pub(super) static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine.set_recursion_limit(64);
    // It would print the whole scope, secrets included.
    engine.remove_global("debug");
    engine.remove_global("namespace");
    engine
});

/// Why a template has no value now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot evaluate `{expression}`{}: {message}", self.place())]
pub struct RenderError {
    /// The expression as it is written.
    pub expression: String,
    /// What went wrong: a lowercase fragment.
    pub message: String,
    /// The input that it belongs to, as `with.models`, if it is known.
    pub at: Option<String>,
    /// The remedy, if one is known.
    pub hint: Option<String>,
}

impl RenderError {
    pub(super) fn new(expression: &str, message: impl Into<String>) -> Self {
        Self { expression: expression.trim().to_owned(), message: message.into(), at: None, hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure at a place: outer steps are put before inner ones.
    pub(super) fn within(mut self, step: &str) -> Self {
        self.at = Some(match self.at {
            Some(inner) if inner.starts_with('[') => format!("{step}{inner}"),
            Some(inner) => format!("{step}.{inner}"),
            None => step.to_owned(),
        });
        self
    }

    fn place(&self) -> String {
        self.at.as_deref().map(|at| format!(" for `{at}`")).unwrap_or_default()
    }

    pub(super) fn from_engine(expression: &str, error: &minijinja::Error) -> Self {
        match error.kind() {
            ErrorKind::UndefinedError => Self::new(expression, UNDEFINED),
            ErrorKind::OutOfFuel => Self::new(expression, "it takes too much work").hint("compute this in a task instead"),
            kind => Self::new(expression, error.detail().map_or_else(|| kind.to_string(), str::to_owned)),
        }
    }
}

/// A JSON value as the engine holds it.
pub(super) fn into_engine(value: Value) -> minijinja::Value {
    minijinja::Value::from(minijinja::value::Serde(value))
}

/// The engine's value as JSON. An undefined part is an error, as is what JSON cannot hold; both would become
/// `null` on the way through serde.
pub(super) fn to_json(value: &minijinja::Value, budget: &mut usize) -> Result<Value, String> {
    spend(budget, 8)?;
    match value.kind() {
        ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number => number(value).map(Value::Number),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            spend(budget, text.len())?;
            Ok(Value::String(text.to_owned()))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| error.to_string())?;
            items.map(|item| to_json(&item, budget)).collect::<Result<_, _>>().map(Value::Array)
        }
        ValueKind::Map => {
            let mut members = Map::new();
            for key in value.try_iter().map_err(|error| error.to_string())? {
                let member = value.get_item(&key).map_err(|error| error.to_string())?;
                let key = key.to_string();
                spend(budget, key.len())?;
                members.insert(key, to_json(&member, budget)?);
            }
            Ok(Value::Object(members))
        }
        ValueKind::Undefined => Err(UNDEFINED.to_owned()),
        other => Err(format!("its value is a {other}, which is not JSON")),
    }
}

fn spend(budget: &mut usize, bytes: usize) -> Result<(), String> {
    *budget = budget.checked_sub(bytes).ok_or_else(|| format!("its value is larger than {} KiB", MAX_RESULT >> 10))?;
    Ok(())
}

fn number(value: &minijinja::Value) -> Result<Number, String> {
    let beyond = || format!("{value} is not a number that JSON can hold");
    if value.is_integer() {
        let small = i64::try_from(value.clone()).ok().map(Number::from);
        return small.or_else(|| u64::try_from(value.clone()).ok().map(Number::from)).ok_or_else(beyond);
    }
    f64::try_from(value.clone()).ok().and_then(Number::from_f64).ok_or_else(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_on_the_lists_is_in_the_reference() {
        let reference = include_str!("../../../docs/pipelines.md");
        let list = |from: &str, to: &str| reference.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(list, _)| list);
        for (names, list) in [
            (FILTERS.as_slice(), list("*Filters:*", "*Tests*")),
            (TESTS.as_slice(), list("*Tests*", "*Functions:*")),
            (FUNCTIONS.as_slice(), list("*Functions:*", "*Limits.*")),
        ] {
            assert!(names.iter().all(|name| list.contains(&format!("`{name}`"))), "{names:?} and {list}");
        }
    }

    #[test]
    fn every_name_on_the_lists_is_known_to_the_engine() {
        for name in FILTERS {
            let known = ENGINE.compile_expression_owned(format!("'{name}' is filter")).expect("compiles");
            assert!(known.eval(()).expect("evaluates").is_true(), "{name}");
        }
        for name in TESTS {
            let known = ENGINE.compile_expression_owned(format!("'{name}' is test")).expect("compiles");
            assert!(known.eval(()).expect("evaluates").is_true(), "{name}");
        }
        let globals: Vec<_> = ENGINE.globals().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(globals.len(), FUNCTIONS.len(), "{globals:?}");
        assert!(FUNCTIONS.iter().all(|name| globals.iter().any(|global| global == name)), "{globals:?}");
    }
}
