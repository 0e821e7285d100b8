//! The OpenAPI description: the parts that apply to all calls.

use axum::http::Method;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, InfoBuilder, License, OpenApi, OpenApiBuilder, Ref, RefOr, Response, ResponseBuilder,
    Responses,
};

use crate::access::{Need, Right, need};

/// The name of the keys in the description.
const KEY: &str = "key";

/// The description of the calls, as JSON.
pub(crate) fn describe(mut calls: OpenApi) -> String {
    for (path, item) in &mut calls.paths.paths {
        for (method, call) in operations(item) {
            describe_common_errors(&mut call.responses);
            if let Some(Need::Right(right, _)) = need(&method, path) {
                describe_access(call, right);
            }
        }
    }
    let paths = std::mem::take(&mut calls.paths.paths).into_iter();
    calls.paths.paths = paths.map(|(path, item)| (described(&path), item)).collect();
    let info = InfoBuilder::new()
        .title("Elastic Event Store")
        .description(Some(
            "An event store over HTTP: streams of changesets, optimistic concurrency, and one \
             global order that readers follow by checkpoint.",
        ))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(License::new("MIT OR Apache-2.0")))
        .build();
    let mut description = OpenApiBuilder::new().info(info).build();
    description.merge(calls);
    let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let key = key.description(Some("A key of `ees keys add`. Only for a server with keys"));
    let components = description.components.get_or_insert_default();
    components.add_security_scheme(KEY, SecurityScheme::Http(key.build()));
    // Plain data, which always serialises.
    description.to_json().unwrap_or_default()
}

/// A path of the router as a description has it, which knows no wildcards.
fn described(path: &str) -> String {
    path.replace("{*", "{")
}

/// The calls of a description, by method and path.
pub(crate) fn calls(description: &OpenApi) -> Vec<(Method, String)> {
    let paths = description.paths.paths.iter();
    let calls = paths.flat_map(|(path, item)| {
        let mut item = item.clone();
        let methods: Vec<_> = operations(&mut item).map(|(method, _)| method).collect();
        methods.into_iter().map(|method| (method, path.clone()))
    });
    calls.collect()
}

/// The calls of a path, by method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let calls = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    let calls = calls.into_iter();
    calls.filter_map(|(method, call)| call.as_mut().map(|call| (method, call)))
}

/// The right that a call needs, and the errors of callers without it.
fn describe_access(call: &mut Operation, right: Right) {
    let required = SecurityRequirement::new(KEY, [right.as_str()]);
    // Without keys, and where the host authenticates in another way, no key is given.
    call.security = Some(vec![required, SecurityRequirement::default()]);
    let refused = format!(
        "`FORBIDDEN`: the key lacks the right `{right}`, or is limited to streams with other prefixes"
    );
    let unauthorized =
        "`UNAUTHORIZED`: the key is missing or not valid. Only for a server with keys";
    for (status, description) in [("401", unauthorized), ("403", &refused)] {
        let responses = &mut call.responses.responses;
        let more = match responses.get(status) {
            Some(RefOr::T(known)) => format!("{}. {description}", known.description),
            _ => description.to_owned(),
        };
        responses.insert(status.to_owned(), error(&more).into());
    }
}

/// An answer with the body of an error.
fn error(description: &str) -> Response {
    let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
    let response = ResponseBuilder::new().description(description);
    response.content("application/json", body).build()
}

/// The errors that any call may answer.
fn describe_common_errors(responses: &mut Responses) {
    for (status, description) in [
        (
            "500",
            "`INTERNAL`: a defect. The server's log has its cause under the `request_id`",
        ),
        (
            "default",
            "404 `INVALID_ENDPOINT`: the path does not exist. 400 `INVALID_HOST`: HTTP/1.1 without `Host`, or with more than one; only for a server of its own. 421 `MISDIRECTED_REQUEST`: the server does not serve the host of the request; only for a server of its own without keys. 405 `METHOD_NOT_ALLOWED`: the path does not support the method; the `Allow` header lists those it supports",
        ),
    ] {
        let responses = &mut responses.responses;
        responses.insert(status.to_owned(), error(description).into());
    }
}
