//! Numbers as a column of the ids that they stand for.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, StringArray};

use super::map::NameMap;

/// A column of numbers, or of their names if there are any. A number without a name, which no model of recflow's has, is written as it is.
pub(crate) fn ids_or_names(numbers: impl Iterator<Item = i32>, names: Option<&NameMap>) -> ArrayRef {
    match names {
        None => Arc::new(Int32Array::from_iter_values(numbers)),
        Some(names) => {
            let name = |number: i32| names.name(number).map_or_else(|| number.to_string().into(), Cow::Borrowed);
            Arc::new(StringArray::from_iter_values(numbers.map(name)))
        }
    }
}
