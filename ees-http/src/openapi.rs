//! The OpenAPI description: the parts that apply to all calls.

use utoipa::openapi::{
    Content, InfoBuilder, License, OpenApi, OpenApiBuilder, Ref, ResponseBuilder, Responses,
};

/// The description of the calls, as JSON.
pub(crate) fn describe(mut calls: OpenApi) -> String {
    for item in calls.paths.paths.values_mut() {
        for call in [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.delete,
        ]
        .into_iter()
        .flatten()
        {
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
    // Plain data, which always serialises.
    description.to_json().unwrap_or_default()
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
            "404 `INVALID_ENDPOINT`: the path does not exist. 405 `METHOD_NOT_ALLOWED`: the path does not support the method; the `Allow` header lists those it supports",
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
