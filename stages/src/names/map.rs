//! One side's original ids, both ways.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Result, StageError};

/// Distinct names numbered from 0 without gaps, in the order in which they were added. A number, once given, never changes.
///
/// About 80 bytes a name beside its text.
#[derive(Debug, Clone, Default)]
pub struct NameMap {
    names: Vec<Arc<str>>,
    // The standard hasher, not a faster one: names come from outside, and must not be able to be chosen so that they collide.
    ids: HashMap<Arc<str>, i32>,
}

impl NameMap {
    /// The number of `name`.
    pub fn id(&self, name: &str) -> Option<i32> {
        self.ids.get(name).copied()
    }

    /// The name of a number.
    pub fn name(&self, id: i32) -> Option<&str> {
        self.names.get(usize::try_from(id).ok()?).map(AsRef::as_ref)
    }

    /// The number of `name`, which is the next one if it is new.
    ///
    /// # Errors
    /// More names than there are numbers, 2147483647.
    pub fn id_or_add(&mut self, name: &str) -> Result<i32> {
        if let Some(id) = self.id(name) {
            return Ok(id);
        }
        let id = i32::try_from(self.names.len())
            .ok()
            .filter(|&id| id < i32::MAX)
            .ok_or_else(|| StageError::input("there are more than 2147483647 distinct ids").with_hint("import a part of the data"))?;
        let name: Arc<str> = name.into();
        self.names.push(name.clone());
        self.ids.insert(name, id);
        Ok(id)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names by number.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_dense_in_order_of_first_appearance_and_lead_back(names in prop::collection::vec("[ab0]{0,3}", 0..40)) {
            let mut map = NameMap::default();
            let ids: Vec<i32> = names.iter().map(|name| map.id_or_add(name).unwrap()).collect();
            let mut highest = -1;
            for (name, &id) in names.iter().zip(&ids) {
                prop_assert!(id <= highest + 1);
                highest = highest.max(id);
                prop_assert_eq!((map.name(id), map.id(name)), (Some(name.as_str()), Some(id)));
            }
            prop_assert_eq!((map.len() as i32, map.name(highest + 1), map.name(-1)), (highest + 1, None, None));
        }
    }
}
