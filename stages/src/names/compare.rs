//! Whether two lists of names can mean the same ids.
//!
//! A model and a dataset that each numbered their names agree only if one list continues the other. Where they do not, every figure
//! computed from both would be about the wrong users, without a sign of it.

use super::Names;
use super::map::NameMap;
use crate::error::{Result, StageError};

/// Checks that no number means one thing in `ours` and another in `theirs`. Both are named in the error: `the model x`, `` `data/test` ``.
///
/// # Errors
/// A number with two names; a side that has names in one and numbers in the other.
pub(crate) fn check_same(ours: (&str, &Names), theirs: (&str, &Names)) -> Result<()> {
    let sides = [("users", &ours.1.users, &theirs.1.users), ("items", &ours.1.items, &theirs.1.items)];
    for (side, a, b) in sides {
        let why = match (a, b) {
            (None, None) => continue,
            (Some(a), Some(b)) => match first_difference(a, b) {
                None => continue,
                Some((id, one, other)) => format!("number {id} of the {side} is `{one}` in {} and `{other}` in {}", ours.0, theirs.0),
            },
            (Some(_), None) => format!("the {side} are names in {} and numbers in {}", ours.0, theirs.0),
            (None, Some(_)) => format!("the {side} are numbers in {} and names in {}", ours.0, theirs.0),
        };
        return Err(StageError::input(format!("{} and {} do not speak of the same ids", ours.0, theirs.0)).with_cause(why).with_hint(
            "import training and test data in one task (`test_file` or `test_ratio`), so that both have the same numbers, and train again",
        ));
    }
    Ok(())
}

fn first_difference<'a>(a: &'a NameMap, b: &'a NameMap) -> Option<(usize, &'a str, &'a str)> {
    a.iter().zip(b.iter()).enumerate().find(|(_, (a, b))| a != b).map(|(id, (a, b))| (id, a, b))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn users(names: &[&str]) -> Names {
        let mut map = NameMap::default();
        names.iter().for_each(|name| drop(map.id_or_add(name)));
        Names { users: Some(Arc::new(map)), items: None }
    }

    #[test]
    fn a_list_and_its_continuation_agree_and_others_do_not() {
        let check = |a: &Names, b: &Names| check_same(("the model", a), ("`data/test`", b));
        assert_eq!(check(&users(&["a"]), &users(&["a", "b"])), Ok(()));
        assert_eq!(check(&users(&["a", "b"]), &users(&["a"])), Ok(()));
        assert_eq!(check(&Names::default(), &Names::default()), Ok(()));
        let error = check(&users(&["a", "b"]), &users(&["a", "c"])).unwrap_err();
        assert_eq!(error.causes, ["number 1 of the users is `b` in the model and `c` in `data/test`"]);
        assert_eq!(
            check(&users(&[]), &Names::default()).unwrap_err().causes,
            ["the users are names in the model and numbers in `data/test`"]
        );
    }
}
