//! What may be tried of each parameter.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::als::{AlsParams, AlsValidParams, ParamError};
use crate::error::{Result, StageError};

/// The parameters of one trial: what `train_als` takes under the same names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Parameters {
    /// Floats in a factor.
    pub rank: usize,
    /// Regularisation λ.
    pub reg: f64,
    /// Growth of confidence with the rating; of no effect unless `implicit`.
    pub alpha: f64,
    /// Sweeps over items and users.
    pub max_iter: usize,
    /// Whether there are biases; none in records from before there was a choice.
    #[serde(default)]
    pub biases: bool,
}

impl Parameters {
    /// `base` with these parameters.
    ///
    /// # Errors
    /// One of them is outside its limits.
    pub fn of(&self, base: &AlsParams) -> Result<AlsValidParams, ParamError> {
        let Self { rank, reg, alpha, max_iter, biases } = *self;
        AlsParams { rank, reg, alpha, max_iter, biases, ..base.clone() }.check()
    }

    /// What a training costs, to compare with others on the same ratings: sweeps × (ratings × rank² + rows × rank³ / 3), the terms of
    /// summing up and solving the normal equations.
    pub fn cost(&self, ratings: usize, rows: usize) -> f64 {
        let rank = self.rank as f64;
        self.max_iter as f64 * (ratings as f64 * rank.powi(2) + rows as f64 * rank.powi(3) / 3.0)
    }
}

/// How a range is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Every value is as likely.
    #[default]
    Linear,
    /// Every order of magnitude is as likely; for values above 0.
    Log,
}

/// The ends of a range, both included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// How values in between are drawn.
    #[serde(default)]
    pub scale: Scale,
}

/// What may be tried of one parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// This alone.
    One(f64),
    /// Each of these.
    List(Vec<f64>),
    /// Anything between two ends.
    Range(Range),
}

/// What may be tried of all parameters. One that is left out has the default of `train_als`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Search {
    /// Floats in a factor.
    #[serde(default)]
    #[schemars(schema_with = "rank_schema")]
    pub rank: Option<Values>,
    /// Regularisation λ.
    #[serde(default)]
    #[schemars(schema_with = "real_schema")]
    pub reg: Option<Values>,
    /// Growth of confidence with the rating; only if `implicit`.
    #[serde(default)]
    #[schemars(schema_with = "real_schema")]
    pub alpha: Option<Values>,
    /// Sweeps over items and users.
    #[serde(default)]
    #[schemars(schema_with = "max_iter_schema")]
    pub max_iter: Option<Values>,
    /// Whether there are biases: `true`, `false`, or `[true, false]`.
    #[serde(default)]
    pub biases: Option<Switch>,
}

/// What may be tried of a parameter that is on or off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Switch {
    /// This alone.
    One(bool),
    /// Each of these.
    List(#[schemars(length(min = 1))] Vec<bool>),
}

impl From<&Switch> for Values {
    fn from(switch: &Switch) -> Self {
        let number = |on: &bool| f64::from(u8::from(*on));
        match switch {
            Switch::One(on) => Values::One(number(on)),
            Switch::List(list) => Values::List(list.iter().map(number).collect()),
        }
    }
}

fn rank_schema(_: &mut SchemaGenerator) -> Schema {
    values_schema(&json_schema!({ "type": "integer", "minimum": 1, "maximum": AlsParams::RANK_MAX }))
}

fn max_iter_schema(_: &mut SchemaGenerator) -> Schema {
    values_schema(&json_schema!({ "type": "integer", "minimum": 1, "maximum": MAX_ITER_MAX }))
}

fn real_schema(_: &mut SchemaGenerator) -> Schema {
    values_schema(&json_schema!({ "type": "number", "minimum": 0 }))
}

/// One value, a list or a range of values that fit `value`; or nothing.
fn values_schema(value: &Schema) -> Schema {
    let range = json_schema!({
        "type": "object",
        "properties": { "min": value, "max": value, "scale": { "type": "string", "enum": ["linear", "log"] } },
        "required": ["min", "max"],
        "additionalProperties": false,
    });
    json_schema!({ "anyOf": [value, { "type": "array", "items": value, "minItems": 1 }, range, { "type": "null" }] })
}

/// The most sweeps that can be searched for.
pub const MAX_ITER_MAX: usize = 100_000;

/// One parameter of a search: its name and the values, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dimension {
    pub(super) name: &'static str,
    /// Whether values are whole numbers.
    pub(super) whole: bool,
    pub(super) values: Values,
}

impl Search {
    /// Rank, reg, alpha, max_iter and biases (1 for on), in this order, checked.
    ///
    /// # Errors
    /// A value that no training can have, an empty list, a range that ends before it begins.
    pub(super) fn dimensions(&self) -> Result<[Dimension; 5]> {
        let default = AlsParams::default();
        let dimension = |name, values: &Option<Values>, default: f64, whole| {
            let values = values.clone().unwrap_or(Values::One(default));
            Dimension { name, whole, values }.checked()
        };
        Ok([
            dimension("rank", &self.rank, default.rank as f64, true)?,
            dimension("reg", &self.reg, default.reg, false)?,
            dimension("alpha", &self.alpha, default.alpha, false)?,
            dimension("max_iter", &self.max_iter, default.max_iter as f64, true)?,
            dimension("biases", &self.biases.as_ref().map(Values::from), f64::from(u8::from(default.biases)), false)?,
        ])
    }
}

impl Search {
    /// Whether trials would differ in `alpha`.
    ///
    /// # Errors
    /// Those of the values.
    pub fn varies_in_alpha(&self) -> Result<bool> {
        let [_, _, alpha, ..] = self.dimensions()?;
        Ok(alpha.varies())
    }

    /// Whether some trial may have biases.
    pub fn tries_biases(&self) -> bool {
        matches!(&self.biases, Some(Switch::One(true))) || matches!(&self.biases, Some(Switch::List(list)) if list.contains(&true))
    }
}

impl Dimension {
    /// Whether more than one value may come out.
    pub(super) fn varies(&self) -> bool {
        match &self.values {
            Values::One(_) => false,
            Values::List(list) => list.len() > 1,
            Values::Range(range) => range.min < range.max,
        }
    }

    /// The same without values that a list has twice.
    fn checked(mut self) -> Result<Self> {
        let wrong = |what: String| Err(StageError::input(format!("`search.{}`: {what}", self.name)));
        let values = match &self.values {
            Values::One(value) => vec![*value],
            Values::List(list) if list.is_empty() => return wrong("an empty list".to_owned()),
            Values::List(list) => list.clone(),
            Values::Range(Range { min, max, .. }) if min > max => return wrong(format!("the range ends at {max}, before its `min` {min}")),
            Values::Range(Range { min, scale: Scale::Log, .. }) if *min <= 0.0 => {
                return wrong(format!("a range with `scale: log` begins above 0, found {min}"));
            }
            Values::Range(Range { min, max, .. }) => vec![*min, *max],
        };
        if let Some(value) = values.iter().find(|&&value| self.whole && (value.fract() != 0.0 || value < 1.0)) {
            return wrong(format!("expected a whole number of at least 1, found {value}"));
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite() || **value < 0.0) {
            return wrong(format!("expected a number of at least 0, found {value}"));
        }
        if let Values::List(list) = &mut self.values {
            let mut seen = Vec::with_capacity(list.len());
            list.retain(|value| {
                !seen.contains(value) && {
                    seen.push(*value);
                    true
                }
            });
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn search(value: serde_json::Value) -> Search {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_left_out_has_the_default_of_train_als() {
        let dimensions = Search::default().dimensions().unwrap();
        assert_eq!(dimensions.map(|dimension| dimension.values), [64.0, 0.1, 1.0, 15.0, 0.0].map(Values::One));
    }

    #[test]
    fn a_value_a_list_and_a_range_are_told_apart_and_repetitions_dropped() {
        let dimensions =
            search(json!({ "rank": 8, "reg": [0.1, 0.2, 0.1], "max_iter": { "min": 2, "max": 9, "scale": "log" } })).dimensions();
        let [rank, reg, alpha, max_iter, _] = dimensions.unwrap();
        assert_eq!((rank.values.clone(), rank.varies()), (Values::One(8.0), false));
        assert_eq!((reg.values.clone(), reg.varies()), (Values::List(vec![0.1, 0.2]), true));
        assert!(!alpha.varies());
        assert_eq!((max_iter.values.clone(), max_iter.varies()), (Values::Range(Range { min: 2.0, max: 9.0, scale: Scale::Log }), true));
    }

    #[test]
    fn what_no_training_can_have_is_refused_by_name() {
        for (value, words) in [
            (json!({ "rank": [] }), "`search.rank`: an empty list"),
            (json!({ "biases": [] }), "`search.biases`: an empty list"),
            (json!({ "rank": 1.5 }), "`search.rank`: expected a whole number of at least 1, found 1.5"),
            (json!({ "max_iter": [0, 3] }), "`search.max_iter`: expected a whole number of at least 1, found 0"),
            (json!({ "reg": [0.1, -1] }), "`search.reg`: expected a number of at least 0, found -1"),
            (json!({ "reg": { "min": 2, "max": 1 } }), "`search.reg`: the range ends at 1, before its `min` 2"),
            (
                json!({ "alpha": { "min": 0, "max": 1, "scale": "log" } }),
                "`search.alpha`: a range with `scale: log` begins above 0, found 0",
            ),
        ] {
            assert_eq!(search(value).dimensions().unwrap_err().message, words);
        }
    }

    #[test]
    fn cost_grows_with_rank_and_sweeps() {
        let parameters = Parameters { rank: 2, reg: 0.1, alpha: 1.0, max_iter: 3, biases: false };
        // 3 · (100 · 4 + 12 · 8 / 3)
        assert_eq!(parameters.cost(100, 12), 3.0 * 432.0);
    }
}
