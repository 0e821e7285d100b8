//! The headers that a collector asks for, such as one with a key.

use percent_encoding::percent_decode_str;

/// The variables that have them: for everything that is sent, and for metrics.
const VARIABLES: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
];

/// The headers that the environment has.
pub(super) fn read() -> Vec<(String, String)> {
    let texts = VARIABLES
        .into_iter()
        .filter_map(|name| std::env::var(name).ok());
    let mut headers: Vec<(String, String)> = Vec::new();
    for text in texts {
        for (name, value) in of(&text) {
            headers.retain(|(other, _)| *other != name);
            headers.push((name, value));
        }
    }
    headers
}

/// The headers of `NAME=VALUE,...`, with values in percent-encoding, as OpenTelemetry defines it.
fn of(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.trim(), value.trim()));
    let pairs = pairs.filter(|(name, value)| !name.is_empty() && !value.is_empty());
    pairs.map(|(name, value)| {
        let value = percent_decode_str(value).decode_utf8_lossy();
        (name.to_ascii_lowercase(), value.into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_pairs() {
        let expected = [("api-key", "a b=c"), ("x-tenant", "t")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let read: Vec<_> = of("Api-Key=a%20b=c, x-tenant = t,,empty=,nothing").collect();
        assert_eq!(read, expected);
    }
}
