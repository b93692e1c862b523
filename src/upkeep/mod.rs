//! What keeps a workspace in order while runs come and go: what is deleted and when, copies of the store, a look at everything that
//! could be wrong.
//!
//! | module | what it is for |
//! |---|---|
//! | [`presence`] | whether a daemon serves this workspace, and what its clock did |
//! | [`retention`] | which runs, logs and slots are kept; deletes the others |
//! | [`backup`] | one consistent file from a store in use |
//! | [`doctor`] | checks with a verdict and a remedy each |
//! | [`models`] | which model versions runs may still want |
//!
//! The verbs `prune`, `backup` and `doctor` call this; the daemon prunes every hour.

pub mod backup;
pub mod doctor;
pub mod models;
pub mod presence;
pub mod retention;
