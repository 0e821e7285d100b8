//! Streams that are none of each other's business.

use std::sync::Arc;

use super::{GLOBAL_LIMIT, commit, end_of_log, head, log, of_streams, stream, together};
use crate::Harness;
use crate::subject::{Ask, Expect};

/// Commits to each stream its own id, and finds each where it belongs.
pub(crate) async fn hold_apart(harness: &dyn Harness, names: Vec<String>) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let own = |name: &String| serde_json::json!([name]).to_string();
    let commits = names.iter().map(|name| {
        let (subject, events) = (Arc::clone(&subject), own(name));
        let ask = Ask::new(name, Expect::Changeset(0)).events(events);
        async move { commit(&*subject, &ask).await }
    });
    let told = together(commits.collect::<Vec<_>>()).await;
    for (name, told) in names.iter().zip(told) {
        assert_eq!(told.stream, *name, "G11: the answer names the stream");
        let stands = stream(&*subject, name).await;
        let stands: Vec<_> = stands.iter().map(|c| (&c.stream, &c.events)).collect();
        assert_eq!(stands, [(name, &own(name))], "G11: the stream `{name}`");
        let last = head(&*subject, name).await.last_changeset;
        assert_eq!(last, 1, "G11: the head of `{name}`");
    }
    harness.settle().await;
    let order = of_streams(&log(&*subject, start, GLOBAL_LIMIT).await, &names);
    for name in &names {
        let placed: Vec<_> = order.iter().filter(|c| c.stream == *name).collect();
        let placed: Vec<_> = placed.iter().map(|changeset| &changeset.events).collect();
        assert_eq!(placed, [&own(name)], "G11: `{name}` in the global order");
    }
}
