//! Who sees what: sessions, rights and prefixes.

use axum::http::StatusCode;

use crate::support::{ORIGIN, Served};

const PAGES: [&str; 7] = [
    "/console",
    "/console/log",
    "/console/stream?id=order-1",
    "/console/consumers",
    "/console/consumer?name=billing",
    "/console/evidence?checkpoint=0",
    "/console/tail?after=0",
];

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_login() {
    let served = Served::guarded();
    for page in PAGES {
        let answer = served.get(page, "").await;
        if page.starts_with("/console/tail") {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{page}");
            continue;
        }
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{page}");
        let to = answer.header("location");
        assert!(to.starts_with("/console/login?next=%2Fconsole"), "{to}");
    }
    for public in [
        "/console/console.css",
        "/console/console.js",
        "/console/icon.svg",
    ] {
        assert_eq!(
            served.get(public, "").await.status,
            StatusCode::OK,
            "{public}"
        );
    }
}

#[tokio::test]
async fn a_session_has_the_cookie_of_a_session_and_ends_with_its_key() {
    let served = Served::guarded();
    let page = served.get("/console/login", "").await;
    let form = format!("token={}&key=admin-key&next=%2Fconsole%2Flog", page.token());
    let answer = served.post("/console/login", &page.cookies(), &form).await;
    assert_eq!(answer.header("location"), "/console/log");
    let cookie = answer.header("set-cookie");
    for needed in ["HttpOnly", "SameSite=Strict", "Path=/console;"] {
        assert!(cookie.contains(needed), "{needed}: {cookie}");
    }
    assert!(
        !cookie.contains("Secure") && !cookie.contains("admin-key"),
        "{cookie}"
    );
    let session = answer.cookies();
    assert_eq!(
        served.get("/console/log", &session).await.status,
        StatusCode::OK
    );
    let api = served.get("/streams", &session).await;
    assert_eq!(
        api.status,
        StatusCode::UNAUTHORIZED,
        "the API takes no cookie"
    );
    served.keys.revoke("admin-key");
    let answer = served.get("/console/log", &session).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "the key was revoked");
}

#[tokio::test]
async fn a_session_of_a_browser_over_tls_has_a_secure_cookie() {
    let served = Served::guarded();
    let page = served.get("/console/login", "").await;
    let form = format!("token={}&key=admin-key", page.token());
    let headers = [
        ("cookie", page.cookies()),
        // A proxy with TLS is in front of the server.
        ("origin", ORIGIN.replace("http:", "https:")),
    ];
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let answer = served.call("POST", "/console/login", &headers, &form).await;
    assert!(
        answer.header("set-cookie").ends_with("; Secure"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_logout_ends_the_session() {
    let served = Served::guarded();
    let session = served.log_in("admin-key").await;
    let token = served.get("/console", &session).await.token();
    let left = served
        .post("/console/logout", &session, &format!("token={token}"))
        .await;
    assert_eq!(left.header("location"), "/console/login");
    let answer = served.get("/console", &session).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_wrong_key_opens_nothing_and_many_have_to_wait() {
    let served = Served::guarded();
    let page = served.get("/console/login", "").await;
    let form = |key: &str| format!("token={}&key={key}", page.token());
    for attempt in 0..10 {
        let answer = served
            .post("/console/login", &page.cookies(), &form("guess"))
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{attempt}");
        assert!(
            answer.body.contains("the key is unknown"),
            "{}",
            answer.body
        );
        assert_eq!(answer.header("set-cookie"), "");
    }
    let answer = served
        .post("/console/login", &page.cookies(), &form("admin-key"))
        .await;
    assert_eq!(
        answer.status,
        StatusCode::TOO_MANY_REQUESTS,
        "also a right one"
    );
    assert_ne!(answer.header("retry-after"), "");
}

#[tokio::test]
async fn a_login_needs_its_own_origin_and_token() {
    let served = Served::guarded();
    let page = served.get("/console/login", "").await;
    let (cookies, token) = (page.cookies(), page.token());
    let form = format!("token={token}&key=admin-key");
    for origin in ["http://evil.example", "null", "http://localhost:8081"] {
        let headers = [("cookie", cookies.as_str()), ("origin", origin)];
        let answer = served.call("POST", "/console/login", &headers, &form).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let headers = [("cookie", cookies.as_str())];
    let answer = served.call("POST", "/console/login", &headers, &form).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "no origin");
    let other = served.get("/console/login", "").await;
    for (cookies, token) in [(&cookies, other.token()), (&other.cookies(), token.clone())] {
        let form = format!("token={token}&key=admin-key");
        let answer = served.post("/console/login", cookies, &form).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "another token");
    }
}

#[tokio::test]
async fn a_key_sees_what_it_may_read_and_no_more() {
    let served = Served::guarded();
    served.commit("order-1", r#"[{"type": "visible"}]"#).await;
    served.commit("cart-1", r#"[{"type": "concealed"}]"#).await;
    let session = served.log_in("shop-key").await;
    for page in ["/console", "/console/log", "/console/tail?after=0"] {
        let answer = served.get(page, &session).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}");
        assert!(answer.body.contains("visible"), "{page}: {}", answer.body);
        for concealed in ["concealed", "cart-1"] {
            assert!(!answer.body.contains(concealed), "{page}: {concealed}");
        }
    }
    let own = served.get("/console/stream?id=order-1", &session).await;
    assert_eq!(own.status, StatusCode::OK);
    let proof = "/console/evidence?checkpoint=0";
    assert!(!own.body.contains(proof), "{}", own.body);
    let admin = served.log_in("admin-key").await;
    let own = served.get("/console/stream?id=order-1", &admin).await;
    assert!(own.body.contains(proof), "{}", own.body);
    for beyond in [
        "/console/stream?id=cart-1",
        "/console/stream?id=order",
        "/console/log?prefix=cart-",
        "/console/tail?after=0&prefix=",
        "/console/consumers",
        "/console/consumer?name=billing",
        "/console/evidence",
        "/console/evidence?checkpoint=0",
    ] {
        let answer = served.get(beyond, &session).await;
        let is_refused = answer.status == StatusCode::FORBIDDEN;
        // An empty prefix is none: the key's own prefixes stand for it.
        let is_own = beyond.ends_with("prefix=") && !answer.body.contains("concealed");
        assert!(is_refused || is_own, "{beyond}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_browser_at_the_root_is_led_to_the_console_and_a_program_is_not() {
    let served = Served::open();
    let accept = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let browser = served.call("GET", "/", &accept, "").await;
    assert_eq!(browser.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.header("location"), "/console");
    assert_eq!(browser.header("vary"), "Accept");
    let program = served.call("GET", "/", &[("accept", "*/*")], "").await;
    assert_eq!(program.header("content-type"), "application/json");
}
