//! Parameters: what a pipeline declares, and the values that a run gives them.

use std::fmt;

use regex_lite::Regex;
use serde_json::{Map, Number, Value};

use super::model::Pipeline;
use super::suggest;
use recflow_stages::schema::describe;

/// A parameter that a pipeline declares.
#[derive(Debug, Clone)]
pub struct ParamSpec {
    /// Its name: `[A-Za-z_][A-Za-z0-9_]*`.
    pub name: String,
    /// The type of its values.
    pub kind: ParamType,
    /// For people.
    pub description: Option<String>,
    /// Its value if none is given. Without it, and unless required, that is null.
    pub default: Option<Value>,
    /// Least number.
    pub minimum: Option<f64>,
    /// Greatest number.
    pub maximum: Option<f64>,
    /// A text must match this as a whole.
    pub pattern: Option<Pattern>,
    /// Whether a value must be given.
    pub required: bool,
}

/// The type of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamType {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A path, relative to the workspace or absolute.
    Path,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// One of these texts.
    Enum(Vec<String>),
}

impl ParamType {
    /// The words for types in a pipeline.
    pub const WORDS: [&'static str; 7] = ["string", "integer", "number", "boolean", "path", "date", "enum"];

    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            ParamType::String => "string",
            ParamType::Integer => "integer",
            ParamType::Number => "number",
            ParamType::Boolean => "boolean",
            ParamType::Path => "path",
            ParamType::Date => "date",
            ParamType::Enum(_) => "enum",
        }
    }
}

/// A regular expression that a whole text must match.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern; matching takes time linear in the text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(source: &str) -> Result<Self, String> {
        let regex = Regex::new(&format!("^(?:{source})$")).map_err(|error| error.to_string())?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

/// A value as it is given for a run.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamInput {
    /// Text from a command line or a form, read by the parameter's type.
    Text(String),
    /// A value from a file or a request.
    Json(Value),
}

/// What is wrong with a given value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamProblem {
    /// The parameter.
    pub name: String,
    /// What is wrong, as a fragment that names the parameter.
    pub message: String,
    /// The remedy, if one is known.
    pub hint: Option<String>,
}

impl fmt::Display for ParamProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Pipeline {
    /// The value of every declared parameter: the given one (the last, if it is given twice), the default, or null.
    ///
    /// # Errors
    /// Every problem at once: unknown names, values that do not fit, required parameters that are missing.
    pub fn resolve_params(&self, given: &[(String, ParamInput)]) -> Result<Map<String, Value>, Vec<ParamProblem>> {
        let mut problems = Vec::new();
        for (name, _) in given {
            if !self.params.iter().any(|param| param.name == *name) {
                problems.push(self.unknown_param(name));
            }
        }
        let mut values = Map::new();
        for param in &self.params {
            let input = given.iter().rev().find(|(name, _)| *name == param.name).map(|(_, input)| input);
            match param.resolve(input) {
                Ok(value) => _ = values.insert(param.name.clone(), value),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(values) } else { Err(problems) }
    }

    fn unknown_param(&self, name: &str) -> ParamProblem {
        let names: Vec<&str> = self.params.iter().map(|param| param.name.as_str()).collect();
        let hint = match suggest::closest(name, names.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None if names.is_empty() => "the pipeline declares no parameters".to_owned(),
            None => format!("known parameters: {}", names.join(", ")),
        };
        ParamProblem { name: name.to_owned(), message: format!("unknown parameter `{name}`"), hint: Some(hint) }
    }
}

impl ParamSpec {
    fn resolve(&self, input: Option<&ParamInput>) -> Result<Value, ParamProblem> {
        let value = match input {
            None if self.required => {
                let hint = Some(format!("give it with `-p {}=…`", self.name));
                return Err(ParamProblem { name: self.name.clone(), message: format!("parameter `{}` is required", self.name), hint });
            }
            None => return Ok(self.default.clone().unwrap_or(Value::Null)),
            Some(ParamInput::Text(text)) => self.read(text),
            Some(ParamInput::Json(value)) => Ok(value.clone()),
        };
        let hint = self.description.clone();
        value.and_then(|value| self.check(value)).map_err(|message| ParamProblem {
            name: self.name.clone(),
            message: format!("parameter `{}`: {message}", self.name),
            hint,
        })
    }

    /// Reads text as a value of the parameter's type.
    fn read(&self, text: &str) -> Result<Value, String> {
        let wrong = |expected: &str| format!("expected {expected}, found `{text}`");
        match self.kind {
            ParamType::Integer | ParamType::Number => {
                let number = text.trim().parse::<Number>().ok().filter(|number| number.as_f64().is_some_and(f64::is_finite));
                number.map(Value::Number).ok_or_else(|| wrong(self.expected().as_str()))
            }
            ParamType::Boolean => match text.trim() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err(wrong("true or false")),
            },
            ParamType::String | ParamType::Path | ParamType::Date | ParamType::Enum(_) => Ok(Value::String(text.to_owned())),
        }
    }

    /// The value as it is used, if it fits: an integer that is written `3.0` becomes `3`.
    ///
    /// # Errors
    /// What was expected and what was found.
    pub fn check(&self, value: Value) -> Result<Value, String> {
        let wrong = |found: &Value| format!("expected {}, found {}", self.expected(), describe(found));
        let value = match (&self.kind, value) {
            (ParamType::Integer, Value::Number(number)) => {
                Value::Number(whole(&number).ok_or_else(|| wrong(&Value::Number(number.clone())))?)
            }
            (ParamType::Number, value @ Value::Number(_)) | (ParamType::Boolean, value @ Value::Bool(_)) => value,
            (ParamType::String, value @ Value::String(_)) => value,
            (ParamType::Path, Value::String(text)) if !text.is_empty() && !text.contains('\0') => Value::String(text),
            (ParamType::Date, Value::String(text)) if is_date(&text) => Value::String(text),
            (ParamType::Enum(allowed), Value::String(text)) if allowed.contains(&text) => Value::String(text),
            (_, other) => return Err(wrong(&other)),
        };
        if let Some(number) = value.as_f64() {
            if let Some(least) = self.minimum.filter(|least| number < *least) {
                return Err(format!("expected at least {least}, found {value}"));
            }
            if let Some(most) = self.maximum.filter(|most| number > *most) {
                return Err(format!("expected at most {most}, found {value}"));
            }
        }
        if let (Some(text), Some(pattern)) = (value.as_str(), &self.pattern)
            && !pattern.regex.is_match(text)
        {
            return Err(format!("{} does not match the pattern `{}`", describe(&value), pattern.as_str()));
        }
        Ok(value)
    }

    fn expected(&self) -> String {
        match &self.kind {
            ParamType::String => "a string".to_owned(),
            ParamType::Integer => "a whole number".to_owned(),
            ParamType::Number => "a number".to_owned(),
            ParamType::Boolean => "true or false".to_owned(),
            ParamType::Path => "a path".to_owned(),
            ParamType::Date => "a date such as 2005-12-31".to_owned(),
            ParamType::Enum(allowed) => format!("one of {}", allowed.join(", ")),
        }
    }
}

fn whole(number: &Number) -> Option<Number> {
    if number.is_i64() || number.is_u64() {
        return Some(number.clone());
    }
    // Beyond 2^53 a float no longer says which whole number was meant.
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0)?;
    Some(Number::from(float as i64))
}

/// `YYYY-MM-DD` and nothing else; jiff would also take `20051231` and a time.
fn is_date(text: &str) -> bool {
    text.len() == 10 && text.as_bytes()[4] == b'-' && text.parse::<jiff::civil::Date>().is_ok()
}
