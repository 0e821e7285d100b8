//! What is sent, and what is made of the answers.

use std::sync::Arc;

use ees_core::adapter::{Message, PublishError, Publisher, Topic};
use ees_core::publication::Publication;
use ees_core::{Changeset, ChangesetId, CommitId, EventId, Events, Json, StreamId, Timestamp};

use crate::fake::{CHANGESETS, EVENTS, FakeSns, Fate};

fn message(group: &str) -> Message {
    Message {
        group: group.to_owned(),
        deduplication_id: format!("d-{group}"),
        body: format!(r#"{{"text": "<&>ü {group}"}}"#),
        stream_prefix: Some(format!("<&>ü {group}")),
        event_types: (group == "a").then(|| r#"["a \\ <&>","ü"]"#.to_owned()),
    }
}

fn changeset(stream: &str, number: u64, events: &str) -> Changeset {
    let events = Events::parse(events).unwrap();
    Changeset {
        stream_id: StreamId::new(stream).unwrap(),
        changeset_id: ChangesetId::new(number).unwrap(),
        first_event_id: EventId::new(number).unwrap(),
        last_event_id: EventId::new(number + events.count() - 1).unwrap(),
        timestamp: Timestamp::now(),
        commit_id: CommitId::new("c").unwrap(),
        set: None,
        events,
        metadata: Json::default(),
        checkpoint: None,
    }
}

#[tokio::test]
async fn messages_go_as_they_are() {
    let sns = FakeSns::start().await;
    let batch = [message("a"), message("b")];
    let sent = sns.publisher.publish(Topic::Events, &batch).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    let calls = sns.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].topic, EVENTS);
    assert_eq!(calls[0].batch, batch);
}

#[tokio::test]
async fn each_entry_has_an_answer_of_its_own() {
    let sns = FakeSns::start().await;
    sns.decide(|message| match message.group.as_str() {
        "a" => Fate::Failed("InvalidParameter", true),
        "b" => Fate::Failed("InternalError", false),
        "c" => Fate::Unmentioned,
        _ => Fate::Sent,
    });
    let batch = ["d", "a", "b", "c"].map(message);
    let sent = sns.publisher.publish(Topic::Changesets, &batch).await;
    assert!(sent[0].is_ok());
    let said = |place: usize| sent[place].clone().unwrap_err();
    assert!(
        matches!(said(1), PublishError::Refused { .. }),
        "{:?}",
        said(1)
    );
    assert!(said(1).to_string().contains("InvalidParameter: as told"));
    assert!(
        matches!(said(2), PublishError::Unavailable { .. }),
        "{:?}",
        said(2)
    );
    assert!(
        matches!(said(3), PublishError::Unavailable { .. }),
        "{:?}",
        said(3)
    );
    assert_eq!(
        sns.calls().len(),
        1,
        "who failed is tried again by whoever asked"
    );
}

#[tokio::test]
async fn a_message_for_which_a_call_is_refused_takes_no_other_with_it() {
    let sns = FakeSns::start().await;
    sns.decide(|message| match message.group.as_str() {
        "b" => Fate::Call(400, "InvalidParameter"),
        _ => Fate::Sent,
    });
    let batch = ["a", "b", "c"].map(message);
    let sent = sns.publisher.publish(Topic::Changesets, &batch).await;
    assert!(sent[0].is_ok() && sent[2].is_ok(), "{sent:?}");
    assert!(
        matches!(sent[1], Err(PublishError::Refused { .. })),
        "{sent:?}"
    );
}

#[tokio::test]
async fn what_passes_by_itself_is_waited_for() {
    let sns = FakeSns::start().await;
    let mut refusals = 2;
    sns.decide(move |_| {
        refusals -= 1;
        match refusals {
            1 => Fate::Call(429, "Throttling"),
            0 => Fate::Call(503, "ServiceUnavailable"),
            _ => Fate::Sent,
        }
    });
    let sent = sns
        .publisher
        .publish(Topic::Changesets, &[message("a")])
        .await;
    assert!(sent[0].is_ok(), "{sent:?}");
    assert_eq!(sns.calls().len(), 3);
}

#[tokio::test]
async fn an_outage_is_one() {
    let sns = FakeSns::start().await;
    sns.decide(|_| Fate::Call(500, "InternalFailure"));
    let sent = sns
        .publisher
        .publish(Topic::Changesets, &[message("a"), message("b")])
        .await;
    for sent in sent {
        assert!(
            matches!(sent, Err(PublishError::Unavailable { .. })),
            "{sent:?}"
        );
    }
    let calls = sns.calls().len();
    assert!((2..=5).contains(&calls), "tries have an end: {calls}");
}

#[tokio::test]
async fn who_may_not_publish_is_told_so_and_may_later() {
    let sns = FakeSns::start().await;
    sns.decide(|_| Fate::Call(403, "AuthorizationError"));
    let sent = sns
        .publisher
        .publish(Topic::Changesets, &[message("a")])
        .await;
    let error = sent[0].clone().unwrap_err();
    let waits = matches!(error, PublishError::Unavailable { .. });
    assert!(waits, "no message is at fault: {error:?}");
    assert!(error.to_string().contains("AuthorizationError"), "{error}");
}

#[tokio::test]
async fn calls_keep_to_the_limits_in_bytes() {
    let sns = FakeSns::start().await;
    let mut publication = Publication::new(Arc::new(sns.publisher.clone()));
    // Three bytes a character: emulators that count characters would let too much pass.
    let large = format!(r#"["{}"]"#, "€".repeat(60_000));
    let too_large = format!(r#"["{}"]"#, "€".repeat(90_000));
    for stream in 0..25 {
        publication.add(changeset(&format!("s{stream}"), 1, "[1]"));
    }
    publication.add(changeset("large", 1, &large));
    publication.add(changeset("larger", 1, &large));
    publication.add(changeset("too large", 1, &too_large));
    publication.add(changeset("too large", 2, "[2]"));
    publication.run().await;
    assert_eq!(
        publication.unpublished().len(),
        0,
        "{:?}",
        publication.failures().next()
    );
    let calls = sns.calls();
    for call in &calls {
        let mut groups: Vec<_> = call.batch.iter().map(|message| &message.group).collect();
        groups.sort();
        groups.dedup();
        assert_eq!(
            groups.len(),
            call.batch.len(),
            "a group at most once a call"
        );
    }
    let of = |topic: &str| calls.iter().filter(|call| call.topic == topic).count();
    assert!(
        of(CHANGESETS) <= 6 && of(EVENTS) <= 6,
        "filled: {} and {}",
        of(CHANGESETS),
        of(EVENTS)
    );
    let bodies: Vec<_> = calls
        .iter()
        .flat_map(|call| &call.batch)
        .map(|m| &m.body)
        .collect();
    let truncated = bodies
        .iter()
        .filter(|body| body.contains(r#""truncated":true"#));
    assert_eq!(truncated.count(), 2, "a changeset and its event");
}
