//! The `Link` header of a page, which leads to the next one.

use crate::HttpHarness;
use crate::subject::{Response, unique};
use crate::wire::{BODY, accepted, append, changesets_call, events_call, path};

/// The query of the next page, if there is a link to one: it is relative to the URL of the request.
fn linked(response: &Response) -> Option<String> {
    let link = response.header("link")?;
    let query = link.strip_prefix("<?").expect("G5: a query");
    let query = query.strip_suffix(r#">; rel="next""#);
    Some(query.expect("G5: the next page").to_owned())
}

/// Who follows the links alone gets every item once, in both directions, in the form of the first
/// page. There is a link where there is `next`, and none elsewhere.
pub async fn lead_through_all_pages(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("links");
    for last in 0..5 {
        append(&remote, &stream, last, BODY).await;
    }
    for (call, name, id) in [
        (
            changesets_call(&path(&stream)),
            "changesets",
            "changeset_id",
        ),
        (events_call(&path(&stream)), "events", "id"),
    ] {
        for (query, expected) in [
            ("limit=2&_colour=red", (1..=5).collect::<Vec<u64>>()),
            ("from=2&to=4&limit=1&details=true", vec![2, 3, 4]),
            ("direction=backward&limit=2&to=5", vec![5, 4, 3, 2, 1]),
            ("direction=backward&limit=1&from=2&to=3&pp=true", vec![3, 2]),
        ] {
            let mut next = Some(query.to_owned());
            let mut found = Vec::new();
            while let Some(query) = next {
                let response = call.send(&remote, &query).await;
                let page = accepted(&response);
                next = linked(&response);
                assert_eq!(next.is_some(), page["next"].is_u64(), "G5: {query}");
                let items = page[name].as_array().expect("items");
                found.extend(items.iter().filter_map(|item| item[id].as_u64()));
                let is_detailed = items.iter().all(|item| item["timestamp"].is_string());
                assert_eq!(is_detailed, query.contains("details=true"), "G5: {query}");
                let is_pretty = response.text().contains("\n    ");
                assert_eq!(is_pretty, query.contains("pp=true"), "G5: {query}");
            }
            assert_eq!(found, expected, "G5: {name} by {query}");
        }
    }
}
