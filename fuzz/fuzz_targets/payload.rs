//! The check and the split of payloads, against serde_json.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| ees_properties::payload(text));
