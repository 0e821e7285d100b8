//! The OpenAPI description, made of the handlers and their types.

use std::sync::OnceLock;

use utoipa::openapi::{InfoBuilder, License, OpenApiBuilder};

use crate::routes;

/// The description as JSON, made once.
pub(crate) fn json() -> &'static str {
    static JSON: OnceLock<String> = OnceLock::new();
    JSON.get_or_init(|| {
        let (_, calls) = routes::described().split_for_parts();
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
