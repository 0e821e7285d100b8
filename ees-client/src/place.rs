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
    let id = segment(stream_id.as_str())?;
    Ok(format!("/streams/{id}"))
}

/// The path of a consumer.
pub(crate) fn consumer(name: &ConsumerName) -> Result<String, Error> {
    let name = segment(name.as_str())?;
    Ok(format!("/consumers/{name}"))
}

fn segment(text: &str) -> Result<String, Error> {
    // The parser of URLs takes them for steps upwards, even percent-encoded.
    if matches!(text, "." | "..") {
        return Err(Error::Refused(format!("no URL can have the name `{text}`")));
    }
    Ok(utf8_percent_encode(text, SEGMENT).to_string())
}
