//! Payloads: what is accepted, and how the array of events is split.

use ees_core::{Events, Json, MAX_DEPTH, PayloadError};
use serde_json::value::RawValue;

use crate::oracle::{Broken, elements, judge};

/// The store accepts exactly what `serde_json` accepts and keeps it byte for byte. It refuses more
/// only for its two documented limits: the depth, and lone surrogates.
///
/// # Panics
/// If the text breaks the property.
pub fn payload(text: &str) {
    if let Ok(value) = serde_json::from_str::<&RawValue>(text) {
        json(text, value);
        events(text, value);
    } else {
        let (json, events) = (Json::parse(text), Events::parse(text));
        assert!(matches!(json, Err(PayloadError::NotJson(_))), "{text:?}");
        assert!(matches!(events, Err(PayloadError::NotJson(_))), "{text:?}");
    }
}

fn json(text: &str, value: &RawValue) {
    let broken = judge(value, MAX_DEPTH);
    match Json::parse(text) {
        Ok(json) => {
            assert!(!broken.any(), "accepted {text:?}, which breaks {broken:?}");
            assert_eq!(json.as_str(), value.get());
        }
        Err(error) => refused(text, &error, broken),
    }
}

fn events(text: &str, value: &RawValue) {
    let parsed = Events::parse(text);
    if !value.get().starts_with('[') {
        assert!(matches!(parsed, Err(PayloadError::NotAnArray)), "{text:?}");
        return;
    }
    let expected = elements(value.get());
    if expected.is_empty() {
        assert!(matches!(parsed, Err(PayloadError::NoEvents)), "{text:?}");
        return;
    }
    let judged = expected.iter().map(|event| judge(event, MAX_DEPTH));
    let broken = judged.fold(Broken::default(), Broken::or);
    match parsed {
        Ok(events) => {
            assert!(!broken.any(), "accepted {text:?}, which breaks {broken:?}");
            assert_eq!(events.as_str(), value.get());
            assert_eq!(events.count(), expected.len() as u64);
            let expected: Vec<_> = expected.into_iter().map(RawValue::get).collect();
            assert_eq!(events.iter().collect::<Vec<_>>(), expected);
        }
        Err(error) => refused(text, &error, broken),
    }
}

/// The error names a limit that is broken. A value too deep can hold a lone surrogate below the
/// depth that the oracle looked at.
fn refused(text: &str, error: &PayloadError, broken: Broken) {
    let right = match error {
        PayloadError::TooDeep => broken.depth,
        PayloadError::LoneSurrogate(_) => broken.any(),
        _ => false,
    };
    assert!(right, "refused {text:?}, which breaks {broken:?}: {error}");
}
