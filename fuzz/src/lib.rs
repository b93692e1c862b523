//! Hostile inputs for recflow's readers: no panic, and no memory that the size of the input does not explain.
//!
//! `cargo fuzz run TARGET` (nightly) looks for them, from the corpus in `corpus/TARGET`; `make fuzz SECONDS=600` runs all targets.
//! `tests/corpus.rs` of the product replays the corpus through the same functions with the ordinary compiler.

pub mod entries;

/// Silences panics that are caught: the Parquet decoder's end in an error. The fuzzer's own hook would take them for findings; one
/// that nobody catches still ends the process as one.
pub fn contained_panics_are_fine() {
    std::panic::set_hook(Box::new(|_| {}));
}
