//! What each call needs. This table is the only place that says so. A call that is missing here
//! fails a test, and answers nobody while there is an authorizer.

use axum::http::Method;

use super::caller::Right;

/// What a call needs of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: the call is public.
    Public,
    /// A right, within a scope.
    Right(Right, Scope),
}

/// What a call reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The stream in its path.
    Stream,
    /// The streams in its body. The handler checks them.
    Body,
    /// The streams that the filter of the query selects.
    Filter,
    /// The streams that the consumer in its path gets. `App::consumers` checks it, with the definition
    /// that the call then works with.
    Consumer,
    /// All streams.
    Whole,
    /// No stream.
    Nothing,
}

const READ_STREAM: Need = Need::Right(Right::Read, Scope::Stream);
const READ_FILTERED: Need = Need::Right(Right::Read, Scope::Filter);
const READ_ALL: Need = Need::Right(Right::Read, Scope::Whole);

const CONSUME: Need = Need::Right(Right::Consume, Scope::Consumer);
const CONSUME_ALL: Need = Need::Right(Right::Consume, Scope::Whole);
const ADMIN: Need = Need::Right(Right::Admin, Scope::Consumer);

/// The needs of all calls, by method and path.
const NEEDS: &[(Method, &str, Need)] = &[
    (
        Method::POST,
        "/streams/{stream_id}",
        Need::Right(Right::Append, Scope::Stream),
    ),
    (
        Method::POST,
        "/commits",
        Need::Right(Right::Append, Scope::Body),
    ),
    (Method::GET, "/streams/{stream_id}", READ_STREAM),
    (Method::GET, "/streams/{stream_id}/changesets", READ_STREAM),
    (Method::GET, "/streams/{stream_id}/events", READ_STREAM),
    (Method::GET, "/streams", READ_ALL),
    (Method::GET, "/changesets", READ_FILTERED),
    (Method::GET, "/events", READ_FILTERED),
    (Method::GET, "/log/head", READ_ALL),
    (Method::GET, "/log/checkpoint", READ_ALL),
    (Method::GET, "/log/tile/{level}/{*number}", READ_ALL),
    (Method::GET, "/log/proof", READ_ALL),
    (Method::GET, "/log/consistency", READ_ALL),
    (Method::GET, "/consumers", CONSUME_ALL),
    (Method::GET, "/consumers/{name}", CONSUME),
    (Method::PUT, "/consumers/{name}", ADMIN),
    (Method::DELETE, "/consumers/{name}", ADMIN),
    (Method::POST, "/consumers/{name}/claim", CONSUME),
    (Method::POST, "/consumers/{name}/ack", CONSUME),
    (Method::POST, "/consumers/{name}/release", CONSUME),
    (Method::GET, "/consumers/{name}/parked", CONSUME),
    (Method::POST, "/consumers/{name}/retry", ADMIN),
    (Method::POST, "/consumers/{name}/skip", ADMIN),
    (Method::POST, "/consumers/{name}/reset", ADMIN),
    (Method::GET, "/", Need::Public),
    (Method::GET, "/version", Need::Public),
    (Method::GET, "/openapi.json", Need::Public),
    (
        Method::GET,
        "/metrics",
        Need::Right(Right::Metrics, Scope::Nothing),
    ),
    (Method::GET, "/health/live", Need::Public),
    (Method::GET, "/health/ready", Need::Public),
];

/// What a call needs; `None` if the table lacks it.
pub(crate) fn need(method: &Method, path: &str) -> Option<Need> {
    let method = match *method {
        Method::HEAD => &Method::GET,
        _ => method,
    };
    let is_it =
        |(known, known_path, _): &&(Method, &str, Need)| known == method && *known_path == path;
    NEEDS.iter().find(is_it).map(|(_, _, need)| *need)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// A call that is added to the contract fails here until its needs are stated.
    #[test]
    fn the_table_has_the_needs_of_every_call_and_of_no_other() {
        let description: Value = serde_json::from_str(&crate::openapi_json()).unwrap();
        let mut described = 0;
        for (path, item) in description["paths"].as_object().unwrap() {
            // The router has a wildcard there, which a description cannot have.
            let path = &path.replace("{number}", "{*number}");
            for method in item.as_object().unwrap().keys() {
                let method = method.to_uppercase().parse().unwrap();
                let need = need(&method, path);
                assert!(need.is_some(), "{method} {path}: state what it needs");
                described += 1;
            }
        }
        assert_eq!(
            described,
            NEEDS.len(),
            "the table has calls that do not exist"
        );
        assert_eq!(need(&Method::HEAD, "/streams"), Some(READ_ALL));
        assert_eq!(need(&Method::DELETE, "/streams"), None);
    }
}
