//! The OpenAPI description, made of the handlers and their types.

use std::sync::OnceLock;

use utoipa::openapi::{
    Content, InfoBuilder, License, OpenApiBuilder, Ref, ResponseBuilder, Responses,
};

use crate::routes;

/// The description as JSON, made once.
pub(crate) fn json() -> &'static str {
    static JSON: OnceLock<String> = OnceLock::new();
    JSON.get_or_init(|| {
        let calls = routes::described().merge(routes::health::described());
        let mut calls = calls.into_openapi();
        for item in calls.paths.paths.values_mut() {
            for call in [&mut item.get, &mut item.post].into_iter().flatten() {
                describe_common_errors(&mut call.responses);
            }
        }
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
        // Plain data: it has no way not to serialise.
        description.to_json().unwrap_or_default()
    })
}

/// The errors that any call may answer.
fn describe_common_errors(responses: &mut Responses) {
    for (status, description) in [
        (
            "500",
            "`INTERNAL`: a defect; the server's log tells more under the `request_id`",
        ),
        (
            "default",
            "404 `INVALID_ENDPOINT`: no such path; 405 `METHOD_NOT_ALLOWED`: `Allow` tells which are",
        ),
    ] {
        let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
        let response = ResponseBuilder::new().description(description);
        let response = response.content("application/json", body).build();
        responses
            .responses
            .insert(status.to_owned(), response.into());
    }
}
