//! Checkpoints and ids, read from text and written again.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|text: &str| ees_fuzz::checkpoint(text));

#[cfg(not(fuzzing))]
fn main() {
    ees_fuzz::replay(ees_fuzz::checkpoint);
}
