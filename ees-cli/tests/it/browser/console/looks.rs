//! How the pages look, on a desk and on a phone, in light and in dark.

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::work::{HOSTILE, encoded, stuck};
use super::{assert_no_complaints, page};
use crate::browser::devtools::Tab;
use crate::http::request;
use crate::process::{Ees, sqlite};

/// The screens: width, height, and whether they are dark.
const SCREENS: [(u32, u32, bool); 4] = [
    (1440, 900, false),
    (1440, 900, true),
    (400, 800, false),
    (400, 800, true),
];

#[test]
fn every_page_fits_its_screen_whatever_it_shows() {
    let folder = TempDir::new().expect("a folder");
    let ees = stuck(&sqlite(&folder.path().join("ees.db")));
    let long = "x".repeat(1000);
    let events = json!({"events": [{"type": long, "text": "y".repeat(4 << 20)}]});
    ees.ok("POST", &format!("/streams/{long}"), &events.to_string());
    let mut tab = Tab::open();
    let pages = [
        "/console".to_owned(),
        "/console/log".to_owned(),
        format!("/console/stream?id={}", encoded(HOSTILE)),
        format!("/console/stream?id={long}"),
        "/console/stream?id=missing".to_owned(),
        "/console/consumers".to_owned(),
        "/console/consumer?name=billing".to_owned(),
        "/console/evidence?checkpoint=0".to_owned(),
        "/console/log?before=wrong".to_owned(),
    ];
    for (width, height, is_dark) in SCREENS {
        tab.screen(width, height, is_dark);
        for path in &pages {
            tab.go(&page(&ees, path));
            // What is folded away must fit as well.
            tab.eval("document.querySelectorAll('details').forEach(one => one.open = true)");
            let wide = tab.eval("document.documentElement.scrollWidth");
            assert!(
                wide.as_u64().expect("a width") <= width.into(),
                "{path} at {width}: {wide}"
            );
            let background = tab.eval("getComputedStyle(document.body).backgroundColor");
            let is_black = background
                .as_str()
                .is_some_and(|of| of.starts_with("rgb(20, "));
            assert_eq!(is_black, is_dark, "{path}: {background}");
        }
    }
    assert_no_complaints(&mut tab, &ees);
}

/// A shop at work: streams, consumers, and one that is stuck.
fn shop(ees: &Ees) {
    let defined = |name: &str, definition: &str| {
        let answer = request(
            &ees.address(),
            "PUT",
            &format!("/consumers/{name}"),
            definition,
        );
        assert_eq!(answer.expect("an answer").status, 201);
    };
    defined(
        "billing",
        r#"{"stream_prefixes": ["order-"], "partitions": 4, "retry_seconds": []}"#,
    );
    defined("search-index", r#"{"partitions": 2}"#);
    defined(
        "warehouse",
        r#"{"stream_prefixes": ["order-"], "event_types": ["paid"]}"#,
    );
    for n in 0..24 {
        let order = format!("/streams/order-{}", 100 + n);
        let placed = json!({"metadata": {"command": "checkout", "user": "u-7"}, "events": [
            {"type": "placed", "customer": format!("c-{}", n % 5), "items": [{"sku": "apple", "count": 3}, {"sku": "pear", "count": 1}]},
        ]});
        ees.ok("POST", &order, &placed.to_string());
        let paid = json!({"events": [{"type": "paid", "cents": 900 + 17 * n, "currency": "EUR"}, {"type": "invoiced"}]});
        ees.ok(
            "POST",
            &format!("{order}?expected_last_changeset=1"),
            &paid.to_string(),
        );
    }
    for (name, claims, fails) in [
        ("billing", 4, true),
        ("search-index", 4, false),
        ("warehouse", 1, false),
    ] {
        for _ in 0..claims {
            claim(ees, name, fails);
        }
    }
    // This one is out.
    ees.ok(
        "POST",
        "/consumers/warehouse/claim",
        r#"{"worker": "warehouse-1", "limit": 5}"#,
    );
}

/// Claims a batch of any partition and acknowledges it; the first stream of the first one fails.
fn claim(ees: &Ees, name: &str, fails: bool) {
    let body = format!(r#"{{"worker": "{name}-1", "limit": 10}}"#);
    let claimed = request(
        &ees.address(),
        "POST",
        &format!("/consumers/{name}/claim"),
        &body,
    );
    // Nothing to do has no body.
    let Ok(claimed) = claimed else {
        return;
    };
    let batch: Value = serde_json::from_str(&claimed.body).expect("JSON");
    let first = &batch["changesets"][0];
    let failed = json!({
        "stream_id": first["stream_id"],
        "changeset_id": first["changeset_id"],
        "error": "no exchange rate for EUR on 2026-11-28\n    at lookup (rates.ts:41)\n    at total (invoice.ts:112)",
    });
    let ack = json!({
        "partition": batch["partition"],
        "generation": batch["generation"],
        "checkpoint": batch["next_checkpoint"],
        "failed": if fails && batch["partition"] == 0 { vec![failed] } else { Vec::new() },
    });
    ees.ok("POST", &format!("/consumers/{name}/ack"), &ack.to_string());
}

/// Two minutes of a shop, so that the plots have something to show.
fn work_on(ees: &Ees) {
    for second in 0..120_u64 {
        for n in 0..second % 17 + second / 12 {
            let placed = json!({"events": [{"type": "placed", "customer": format!("c-{n}")}]});
            ees.ok(
                "POST",
                &format!("/streams/cart-{second}-{n}"),
                &placed.to_string(),
            );
        }
        if second % 20 < 12 {
            claim(ees, "search-index", false);
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    for n in 0..3 {
        let order = format!("/streams/order-{}?expected_last_changeset=2", 105 + n);
        ees.ok(
            "POST",
            &order,
            r#"{"events": [{"type": "shipped", "carrier": "post"}]}"#,
        );
    }
}

/// With `EES_SCREENSHOTS=FOLDER` the pictures of the guide are written there.
#[test]
fn the_guide_has_a_picture_of_each_page() {
    let ees = Ees::serve("memory:");
    shop(&ees);
    let mut tab = Tab::open();
    let folder = std::env::var_os("EES_SCREENSHOTS").map(PathBuf::from);
    if folder.is_some() {
        work_on(&ees);
    }
    let guide = crate::readme::read("docs/console.md");
    for (name, path, (width, height, is_dark)) in [
        ("overview", "/console", (1440, 1250, false)),
        ("log", "/console/log?prefix=order-", (1440, 900, false)),
        ("stream", "/console/stream?id=order-107", (1440, 1000, true)),
        (
            "consumer",
            "/console/consumer?name=billing",
            (1440, 1000, false),
        ),
        ("phone", "/console/consumer?name=billing", (400, 860, true)),
    ] {
        assert!(guide.contains(&format!("(console/{name}.png)")), "{name}");
        tab.screen(width, height, is_dark);
        tab.go(&page(&ees, path));
        tab.until("document.querySelector('main h1') !== null");
        let picture = BASE64_STANDARD.decode(tab.picture()).expect("base64");
        assert!(
            picture.starts_with(b"\x89PNG") && picture.len() > 10_000,
            "{name}"
        );
        if let Some(folder) = &folder {
            fs::write(folder.join(format!("{name}.png")), picture).expect("a file");
        }
    }
    assert_no_complaints(&mut tab, &ees);
}
