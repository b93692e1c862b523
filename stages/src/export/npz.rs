//! A model as NumPy reads it: `np.load("factors.npz")`.
//!
//! | array | type | shape | what it is |
//! |---|---|---|---|
//! | `user_ids` | `int32`, or text where the ratings had text | users | the id of each row |
//! | `user_factors` | `float32` | users × rank | a user's factors |
//! | `item_ids` | likewise | items | |
//! | `item_factors` | `float32` | items × rank | |
//! | `rank` | `int32` | – | floats in a factor |
//!
//! The prediction for row `u` and row `i` is `user_factors[u] @ item_factors[i]`.

use std::io::{self, Write};

use super::npy::Values;
use super::publish::Failed;
use super::zip::{BYTES_MAX, Member, archive_bytes, write as write_archive};
use crate::error::StageError;
use crate::kernel::padded;
use crate::model::{AlsModel, Factors};
use crate::names::{NameMap, Names};

/// Writes the archive.
///
/// # Errors
/// A model that does not fit into 4 GiB; I/O trouble.
pub fn write(model: &AlsModel, names: &Names, to: &mut dyn Write) -> Result<(), Failed> {
    let (users, items) = (texts(model.users(), names.users.as_deref()), texts(model.items(), names.items.as_deref()));
    let rank = i32::try_from(model.rank()).map_err(|_| StageError::bug("a rank beyond 2^31"))?;
    let arrays = [
        ("user_ids.npy", ids(model.users(), &users)),
        ("user_factors.npy", rows(model.users())),
        ("item_ids.npy", ids(model.items(), &items)),
        ("item_factors.npy", rows(model.items())),
        ("rank.npy", Values::Scalar(rank)),
    ];
    let writers = arrays.map(|(_, values)| move |to: &mut dyn Write| -> io::Result<()> { values.write(to) });
    let members: Vec<Member<'_>> =
        arrays.iter().zip(&writers).map(|(&(name, values), write)| Member { name, bytes: values.bytes(), write }).collect();
    let bytes = archive_bytes(&members);
    if bytes >= BYTES_MAX {
        return Err(StageError::input(format!("the factors take {bytes} bytes, and a .npz archive holds less than 4 GiB"))
            .with_hint("export them as Parquet")
            .into());
    }
    Ok(write_archive(&members, to)?)
}

fn rows(factors: &Factors) -> Values<'_> {
    Values::Rows { floats: factors.padded_rows(), stride: padded(factors.rank()), rank: factors.rank() }
}

fn ids<'a>(factors: &'a Factors, texts: &'a Option<Vec<&'a str>>) -> Values<'a> {
    texts.as_deref().map_or(Values::Ints(factors.ids().as_slice()), Values::texts)
}

/// The names of the rows; a row without one, which no model of recflow's has, gets an empty one.
fn texts<'a>(factors: &Factors, names: Option<&'a NameMap>) -> Option<Vec<&'a str>> {
    names.map(|names| factors.ids().as_slice().iter().map(|&id| names.name(id).unwrap_or_default()).collect())
}
