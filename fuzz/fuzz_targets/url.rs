//! The URLs that choose a storage or a publisher.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|text: &str| ees_fuzz::url(text));

#[cfg(not(fuzzing))]
fn main() {
    ees_fuzz::replay(ees_fuzz::url);
}
