//! See `recflow_fuzz::entries::import`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: recflow_fuzz::contained_panics_are_fine(), |data: &[u8]| recflow_fuzz::entries::import(data));
