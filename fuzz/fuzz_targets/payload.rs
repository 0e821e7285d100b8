//! The check and the split of payloads, against `serde_json`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|text: &str| ees_fuzz::payload(text));

#[cfg(not(fuzzing))]
fn main() {
    ees_fuzz::replay(ees_fuzz::payload);
}
