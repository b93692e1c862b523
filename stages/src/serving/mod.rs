//! A model that answers many people one by one, for as long as it serves: lists for a user, lists for somebody new, predicted ratings.
//!
//! [`ServedModel::open`] reads a version and lays it out once; nothing is read from disk afterwards, except, when it is first wanted, what users have
//! rated. [`ServedModel::answer`] takes several requests at a time and reads each item's factors once for all of them. Whoever serves decides
//! which version that is, gathers requests, and speaks to the outside; nothing here waits or knows of a network.
//!
//! Answers are those of [`recommend`](crate::recommend), to the digit, and do not depend on what else is asked at the same time. But where a user
//! is not known, or nothing is known about somebody new, the answer is a named [`Fallback`] and not an error: whoever shows a page
//! has to show something.
//!
//! | module | what it is for |
//! |---|---|
//! | [`model`](ServedModel) | a version, laid out |
//! | `request` | what can be asked, and what is answered |
//! | `lists` | several requests in one scan of the items |
//! | `predictions` | ratings of pairs |
//! | `which` | which version of a folder serves |

mod lists;
mod model;
mod predictions;
mod request;
mod which;

#[cfg(test)]
mod tests;

pub use model::{Layout, ServedModel};
pub use predictions::{PredictedBy, Prediction};
pub use request::{Fallback, K_MAX, List, ListedItem, RATINGS_MAX, Refusal, Request, Whom};
pub use which::{Glimpse, current};
