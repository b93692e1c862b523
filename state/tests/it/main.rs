//! What the crates above rely on, tested through the public calls alone.

mod browse;
mod calls;
mod changes;
mod concurrency;
mod faults;
mod format;
mod listing;
mod model;
mod read_only;
mod retention;
mod samples;
mod scheduling;
