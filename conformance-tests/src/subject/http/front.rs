//! What stands before a deployment on AWS, and answers or changes some requests by itself.
//!
//! | Front | Request | What it does | Source |
//! |---|---|---|---|
//! | API Gateway, REST API | TRACE, PURGE and other methods | 403: `ANY` is DELETE, GET, HEAD, OPTIONS, PATCH, POST and PUT | API Gateway's developer guide |
//! | | a path that begins with `//` | one slash begins the path | `LocalStack`'s snapshot validated on AWS, `test_apigateway_lambda.snapshot.json`, August 2024 |
//! | | a malformed escape | 400 | adamchainz/apig-wsgi#102 for the query; not documented for the path |
//! | | a query that is not UTF-8 | 400 | not documented: the query is decoded before the function gets it |
//! | both | a header with characters outside of printable ASCII | 400 or 403 | not documented: the signature covers the header |
//! | function URL | several headers of one name | one header, joined by commas | Lambda's developer guide, payload format 2.0 |

use percent_encoding::percent_decode_str;

/// What stands before a deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Front {
    /// Nothing that answers by itself.
    #[default]
    Nothing,
    /// A REST API of API Gateway.
    ApiGateway,
    /// The function URL of a Lambda function.
    FunctionUrl,
}

/// The methods that `ANY` stands for.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

impl Front {
    /// Whether several headers of one name arrive as one.
    pub fn joins_headers(self) -> bool {
        self == Self::FunctionUrl
    }

    /// The statuses of the answers that a request may get without the store's decision; none if the
    /// store decides alone.
    pub(super) fn answers(
        self,
        method: &str,
        path_and_query: &str,
        headers: &[(&str, &str)],
    ) -> &'static [u16] {
        if self == Self::Nothing {
            return &[];
        }
        let is_printable =
            |(_, value): &(&str, &str)| value.bytes().all(|it| (b' '..=b'~').contains(&it));
        if !headers.iter().all(is_printable) {
            return &[400, 403];
        }
        if self == Self::FunctionUrl {
            return &[];
        }
        let query = path_and_query.split_once('?').map_or("", |it| it.1);
        let is_text = percent_decode_str(query).decode_utf8().is_ok();
        if !METHODS.contains(&method) {
            &[403]
        } else if !is_text || !is_well_formed(path_and_query) {
            &[400]
        } else if path_and_query.starts_with("//") {
            &[200, 405]
        } else {
            &[]
        }
    }
}

/// Whether two hexadecimal digits follow each `%`.
fn is_well_formed(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.count() == 2
    })
}

#[cfg(test)]
mod tests {
    use super::Front::{ApiGateway, FunctionUrl, Nothing};

    #[test]
    fn a_front_answers_what_it_is_known_to_answer() {
        let key = |value| [("idempotency-key", value)];
        for (method, path, value, gateway, url) in [
            ("GET", "/changesets?limit=1", "a", &[][..], &[][..]),
            ("TRACE", "/", "a", &[403], &[]),
            ("GET", "//changesets", "a", &[200, 405], &[]),
            ("GET", "/streams/50%", "a", &[400], &[]),
            ("GET", "/streams/%ff", "a", &[], &[]),
            ("GET", "/version?%ff=%fe", "a", &[400], &[]),
            ("POST", "/streams/a", "\u{e9}", &[400, 403], &[400, 403]),
        ] {
            let answers = |front: super::Front| front.answers(method, path, &key(value));
            assert_eq!(answers(ApiGateway), gateway, "{method} {path}");
            assert_eq!(answers(FunctionUrl), url, "{method} {path}");
            assert!(answers(Nothing).is_empty());
        }
    }
}
