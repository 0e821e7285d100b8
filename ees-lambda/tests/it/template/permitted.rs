//! The roles allow what the functions do, and what they allow is done: a stack on a local AWS whose
//! guard holds functions to their roles.

use std::collections::BTreeSet;

use ees_aws_testkit::{Guard, LocalAws, Services};
use ees_conformance::subject::{Ask, Expect, GlobalRead, Read, Remote, Subject};
use lambda_http::http::Method;

use super::policies::{granted, name_of};
use super::{TEXT, parse};
use crate::stack::options;

/// A function, an action, and what it is done to.
type Done = (String, String, String);

/// What is allowed and not seen here: function, and the beginning of the action.
const UNSEEN: [(&str, &str); 15] = [
    // Lambda itself does these, in the function's name.
    ("", "logs:"),
    ("", "dynamodb:DescribeStream"),
    ("", "dynamodb:GetRecords"),
    ("", "dynamodb:GetShardIterator"),
    ("", "dynamodb:ListStreams"),
    ("indexer", "s3:"),
    ("publisher", "s3:"),
    ("redrive", "sqs:"),
    // An index that lags does not show what the state says is there: it is read by its key.
    ("api", "dynamodb:BatchGetItem"),
    ("projector", "dynamodb:BatchGetItem"),
    // Only a restore leaves markers beyond the end of their streams.
    ("api", "dynamodb:ConditionCheckItem"),
    // Whoever opens an empty store first looks whether it is empty.
    ("indexer", "dynamodb:Scan"),
    ("projector", "dynamodb:Scan"),
    ("sealer", "dynamodb:Scan"),
    // Nothing has failed; what it does then it does as indexer and publisher do.
    ("redrive", ""),
];

/// Uses every function.
async fn use_it(aws: &LocalAws) {
    let store = Remote::new(aws.url());
    let commit = |last| {
        let ask = Ask::new("order-17", Expect::Changeset(last));
        let store = &store;
        async move { store.commit(&ask).await }
    };
    for last in 0..3 {
        commit(last).await.expect("a commit");
    }
    commit(1).await.expect_err("a conflict");
    store.head("order-17").await.expect("an end");
    let range = Read {
        from: Some(2),
        to: Some(2),
        ..Read::default()
    };
    let changesets = store.changesets("order-17", &range).await;
    changesets.expect("changesets");
    store.events("order-17", &range).await.expect("events");
    for (method, call, body) in [
        (Method::PUT, "", r#"{"partitions":2}"#),
        (Method::POST, "/claim", r#"{"worker":"w"}"#),
        (Method::DELETE, "", ""),
    ] {
        let path = format!("/consumers/billing{call}");
        let answer = store.send(method, &path, &[], body).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }
    aws.settle().await;
    let all = store.global_changesets(&GlobalRead::from(0)).await;
    assert_eq!(all.expect("the global order").changesets.len(), 3);
    // What the indexer is not told of the sweep finds.
    let lost = aws.disturb("IndexerFunction/Stream", || |_| Vec::new());
    lost.expect("a mapping");
    commit(3).await.expect("a commit");
    for function in [
        "SweepFunction",
        "ProjectorFunction",
        "SealerFunction",
        "RedriveFunction",
    ] {
        aws.run_schedule(function).await.expect(function);
    }
    for call in ["/log/head", "/log/tile/0/000.p/4"] {
        let answer = store.get(call).await;
        assert!(answer.status.is_success(), "{call}: {}", answer.text());
    }
}

/// A stack of this template, used; what a guard saw.
async fn guarded(text: &str) -> Guard {
    let template = parse(text);
    let services = Services::start().await.expect("services");
    let guard = Guard::before(&services, &template).await.expect("a guard");
    let mut options = options();
    options.signed = false;
    options.endpoints = Some(guard.endpoints().clone());
    let aws = LocalAws::start(template, services, options).await;
    use_it(&aws.expect("a stack")).await;
    guard
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_do_what_their_roles_allow() {
    let guard = guarded(TEXT).await;
    assert_eq!(guard.refused(), BTreeSet::new());
    let done = guard.allowed().into_iter().map(|call| {
        let function = call.function.trim_start_matches("shop-").to_owned();
        (function, call.action, name_of(&call.resource).to_owned())
    });
    let done: BTreeSet<Done> = done.collect();
    let is_seen = |(function, action, _): &Done| {
        let mut unseen = UNSEEN.iter();
        !unseen.any(|(of, what)| (of.is_empty() || of == function) && action.starts_with(what))
    };
    let granted: BTreeSet<Done> = granted(&parse(TEXT)).filter(is_seen).collect();
    let unused: Vec<_> = granted.difference(&done).collect();
    assert!(unused.is_empty(), "nobody does {unused:?}");
}
