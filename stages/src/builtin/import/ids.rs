//! Which ids have names, and which number each name gets.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::super::flow::Flow;
use super::inputs::ImportInputs;
use crate::context::Context;
use crate::dataset::{Dataset, MappedIds, Mode, Transaction};
use crate::error::{ErrorKind, Result, StageError};
use crate::import::{IdKinds, IdMode, Options, Seen, guess_ids};
use crate::names::{NameMap, Names, check_same};
use crate::ratings::Ratings;

/// What a dataset that is there says of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Nothing: there is none, or none of it stays.
    Nothing,
    /// These sides have names.
    Kinds(IdKinds),
}

impl Held {
    fn of(base: Option<&Dataset>, mode: Mode) -> Self {
        let Some(base) = base else { return Held::Nothing };
        match &base.manifest().ids {
            Some(MappedIds { users, items }) => Held::Kinds(IdKinds { users: users.is_some(), items: items.is_some() }),
            None if base.rows() > 0 && mode != Mode::Overwrite => Held::Kinds(IdKinds::default()),
            None => Held::Nothing,
        }
    }
}

/// Which sides have names: as asked, as in the datasets that are there, else as the files look.
///
/// # Errors
/// What was asked for is not what the datasets have; the datasets differ.
pub(super) fn decide(
    inputs: &ImportInputs,
    outputs: &[&Path],
    flows: &[Flow<'_>],
    options: &Options,
    context: &Context,
) -> Result<IdKinds> {
    let mut held = Vec::with_capacity(outputs.len());
    for output in outputs {
        let base = if output.symlink_metadata().is_ok() { Some(Dataset::open(output, context)?) } else { None };
        held.push(Held::of(base.as_ref(), inputs.mode));
    }
    let guess = || guess_ids(flows.first().map(|flow| flow.files.as_slice()).unwrap_or_default(), options, context);
    choose(inputs, &held, guess)
}

fn choose(inputs: &ImportInputs, held: &[Held], guess: impl FnOnce() -> Result<IdKinds>) -> Result<IdKinds> {
    let mut kinds = held.iter().filter_map(|held| match held {
        Held::Kinds(kinds) => Some(*kinds),
        Held::Nothing => None,
    });
    let there = kinds.next();
    if kinds.any(|other| Some(other) != there) {
        return Err(StageError::input("`train_output` and `test_output` hold different kinds of ids: names in one, numbers in the other")
            .with_hint("import both anew with `mode: overwrite` into empty paths"));
    }
    let both = IdKinds { users: true, items: true };
    match (inputs.ids, there) {
        (IdMode::Auto, Some(there)) => Ok(there),
        (IdMode::Auto, None) => guess(),
        (IdMode::Int, Some(there)) if there != IdKinds::default() && inputs.mode != Mode::Overwrite => {
            Err(StageError::input(format!("`{}` has its ids mapped, and `ids` is int", inputs.train_output))
                .with_hint("leave `ids` out to continue the map; `mode: overwrite` with `ids: int` forgets it"))
        }
        (IdMode::Int, _) => Ok(IdKinds::default()),
        (IdMode::Map, Some(there)) if there != both && inputs.mode != Mode::Overwrite => {
            Err(StageError::input(format!("`{}` holds numbers that are ids, and `ids` is map", inputs.train_output))
                .with_hint("write to another path, or begin anew with `mode: overwrite`"))
        }
        (IdMode::Map, _) => Ok(both),
    }
}

/// The names of the datasets, and the numbers that those of this reading get.
pub(super) struct Settled {
    pub(super) names: Names,
    /// By the number that a name had while it was read; none where that is its number.
    users: Option<Vec<i32>>,
    items: Option<Vec<i32>>,
}

/// Continues the names of the datasets with those that were `seen`: a name that is there keeps its number, others get the next ones in
/// order of first appearance. The caller holds the locks, by `transaction`.
///
/// # Errors
/// The datasets changed since `kinds` was decided; the names of the two do not continue each other.
pub(super) fn settle(
    inputs: &ImportInputs,
    kinds: IdKinds,
    seen: Seen,
    transaction: &Transaction<'_>,
    context: &Context,
) -> Result<Settled> {
    let bases: Vec<&Dataset> = (0..=usize::from(inputs.test_output.is_some())).filter_map(|index| transaction.base(index)).collect();
    let held: Vec<Held> = bases.iter().map(|base| Held::of(Some(base), inputs.mode)).collect();
    if choose(inputs, &held, || Ok(kinds))? != kinds {
        return Err(StageError::new(
            ErrorKind::Io,
            format!("another task changed the ids of `{}` while files were read", inputs.train_output),
        )
        .with_hint("try again: the work then starts from what is there now"));
    }
    let mut there = Names::default();
    for base in bases {
        let names = base.names()?;
        if base.manifest().ids.is_some() && !there.is_empty() {
            let (train, test) = (format!("`{}`", inputs.train_output), format!("`{}`", context.display(base.dir())));
            check_same((&train, &there), (&test, &names))?;
        }
        there = Names { users: longer(there.users, names.users), items: longer(there.items, names.items) };
    }
    let (users, user_numbers) = continued(there.users.filter(|_| kinds.users), seen.users)?;
    let (items, item_numbers) = continued(there.items.filter(|_| kinds.items), seen.items)?;
    Ok(Settled { names: Names { users, items }, users: user_numbers, items: item_numbers })
}

fn longer(a: Option<Arc<NameMap>>, b: Option<Arc<NameMap>>) -> Option<Arc<NameMap>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.len() > a.len() { b } else { a }),
        (a, b) => a.or(b),
    }
}

type Continued = (Option<Arc<NameMap>>, Option<Vec<i32>>);

/// `there`, followed by what is new in `seen`; and the number of each of `seen`.
fn continued(there: Option<Arc<NameMap>>, seen: Option<NameMap>) -> Result<Continued> {
    match (there, seen) {
        (None, seen) => Ok((seen.map(Arc::new), None)),
        (there, None) => Ok((there, None)),
        (Some(there), Some(seen)) => {
            let mut all = Arc::unwrap_or_clone(there);
            let numbers = seen.iter().map(|name| all.id_or_add(name)).collect::<Result<_>>()?;
            Ok((Some(Arc::new(all)), Some(numbers)))
        }
    }
}

impl Settled {
    /// Gives ratings their final numbers.
    pub(super) fn renumber(&self, blocks: &mut [Ratings]) {
        let renumber = |ids: &mut [i32], numbers: &Option<Vec<i32>>| {
            if let Some(numbers) = numbers {
                ids.iter_mut().for_each(|id| *id = numbers[*id as usize]);
            }
        };
        blocks.par_iter_mut().for_each(|block| {
            renumber(&mut block.user, &self.users);
            renumber(&mut block.movie, &self.items);
        });
    }
}
