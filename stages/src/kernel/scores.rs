//! Scores of a block of users against a block of items.

use super::lanes::Lanes;
use super::tile::{Into, Left, strip};

/// Users in a block of scores.
pub(crate) const SCORE_USERS: usize = 8;

/// Items in a block of scores. At rank 64 the items' panel fills half of a first-level cache.
pub(crate) const SCORE_ITEMS: usize = 96;

/// See [`super::Kernel::scores`].
///
/// # Safety
/// `V`'s instruction set is there.
#[inline(always)]
pub(super) unsafe fn scores<V: Lanes, const ROWS: usize>(users: &[f32], items: &[f32], rank: usize, out: &mut [f32]) {
    const { assert!(SCORE_USERS.is_multiple_of(ROWS) && SCORE_ITEMS.is_multiple_of(super::PAD)) };
    assert!(users.len() >= rank * SCORE_USERS && items.len() >= rank * SCORE_ITEMS && out.len() >= SCORE_USERS * SCORE_ITEMS);
    for user in (0..SCORE_USERS).step_by(ROWS) {
        // SAFETY: the assertions cover `ROWS` users from `user` and all items of the block.
        unsafe {
            let left = Left { at: users.as_ptr().add(user), stride: SCORE_USERS };
            let right = Left { at: items.as_ptr(), stride: SCORE_ITEMS };
            let out = out.as_mut_ptr().add(user * SCORE_ITEMS);
            strip::<V, ROWS>(rank, left, right, out, SCORE_ITEMS, SCORE_ITEMS, Into::Set);
        }
    }
}
