//! The paths of streams and consumers.

use ees_core::StreamId;
use ees_core::consumer::ConsumerName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Error;

/// What has to be encoded in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The path of a stream.
pub(crate) fn stream(stream_id: &StreamId) -> Result<String, Error> {
    place("/streams/", stream_id.as_str())
}

/// The path of a consumer.
pub(crate) fn consumer(name: &ConsumerName) -> Result<String, Error> {
    place("/consumers/", name.as_str())
}

fn place(of: &str, name: &str) -> Result<String, Error> {
    // The parser of URLs takes them for steps upwards, even percent-encoded.
    if matches!(name, "." | "..") {
        return Err(Error::Refused(format!("no URL can have the name `{name}`")));
    }
    let mut path = String::with_capacity(of.len() + name.len());
    path.push_str(of);
    path.extend(utf8_percent_encode(name, SEGMENT));
    Ok(path)
}
