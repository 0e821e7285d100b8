//! The URLs that choose a storage or a publisher.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| ees_properties::url(text));
