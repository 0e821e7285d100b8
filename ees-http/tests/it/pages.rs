//! Web pages of other sites, whose requests a browser sends without asking.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use ees_http::router;

use crate::support::{Answer, Faulty, call, options};

async fn send(router: &axum::Router, method: Method, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri("/streams/s");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Body::from(r#"{"events":[1]}"#);
    call(router, request.body(body).unwrap()).await
}

const HOST: (&str, &str) = ("host", "127.0.0.1:8080");

/// What browsers send for a page of another site, with and without what only newer ones say.
const FOREIGN: &[&[(&str, &str)]] = &[
    &[HOST, ("sec-fetch-site", "cross-site")],
    &[
        HOST,
        ("sec-fetch-site", "same-site"),
        ("origin", "http://127.0.0.1:8080"),
    ],
    &[HOST, ("origin", "https://elsewhere.example")],
    &[HOST, ("origin", "http://127.0.0.1:9090")],
    &[HOST, ("origin", "null")],
    &[("origin", "http://127.0.0.1:8080")],
];

#[tokio::test]
async fn other_sites_pages_append_nothing() {
    let router = crate::support::router(&Faulty::new());
    for headers in FOREIGN {
        let refused = send(&router, Method::POST, headers).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert_eq!(refused.error(), "FORBIDDEN", "{headers:?}");
        assert_eq!(refused.body["stream_id"], "s", "{headers:?}");
        let read = send(&router, Method::GET, headers).await;
        assert_eq!(read.error(), "STREAM_NOT_FOUND", "{headers:?}");
    }
}

#[tokio::test]
async fn programs_and_own_pages_append() {
    let own: &[&[(&str, &str)]] = &[
        &[],
        &[HOST],
        &[("host", "ees.example")],
        &[HOST, ("sec-fetch-site", "none")],
        &[HOST, ("origin", "http://127.0.0.1:8080")],
        // Behind a proxy that does not pass the host on.
        &[
            HOST,
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://ees.example"),
        ],
    ];
    for headers in own {
        let router = crate::support::router(&Faulty::new());
        let taken = send(&router, Method::POST, headers).await;
        assert_eq!(taken.status, StatusCode::OK, "{headers:?}");
    }
}

/// Elsewhere whoever is not known is kept out before.
#[tokio::test]
async fn the_contract_on_other_hosts_knows_nothing_of_pages() {
    for headers in FOREIGN {
        let router = router(Faulty::new().store(), options());
        let taken = send(&router, Method::POST, headers).await;
        assert_eq!(taken.status, StatusCode::OK, "{headers:?}");
    }
}
