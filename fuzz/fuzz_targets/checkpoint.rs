//! Checkpoints and ids, read from text and written again.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| ees_properties::checkpoint(text));
