//! `Commits=off`: the fence of a store that moves.

use std::collections::BTreeSet;

use ees_aws_testkit::template::Template;
use ees_aws_testkit::{Guard, LocalAws, Services};
use ees_conformance::subject::{GlobalRead, Remote, Subject};

use crate::stack::{options, template};

/// A stack whose guard holds functions to their roles.
async fn guarded(template: Template) -> (LocalAws, Guard) {
    let services = Services::start().await.expect("services");
    let guard = Guard::before(&services, &template).await.expect("a guard");
    let mut options = options();
    options.signed = false;
    options.endpoints = Some(guard.endpoints().clone());
    let aws = LocalAws::start(template, services, options).await;
    (aws.expect("a stack"), guard)
}

async fn commit(store: &Remote) -> (u16, String) {
    let call = "/streams/order-17?expected_last_changeset=0";
    let answer = store.post(call, r#"{"events":[1]}"#).await;
    (answer.status.as_u16(), answer.text().to_owned())
}

/// The API answers 503 and says why. It reads as before, and nothing is stored.
#[tokio::test(flavor = "multi_thread")]
async fn commits_are_refused_and_reads_go_on() {
    let (aws, guard) = guarded(template(&[("Commits", "off")])).await;
    let store = Remote::new(aws.url());
    let (status, said) = commit(&store).await;
    assert_eq!(status, 503, "{said}");
    assert!(said.contains("commits are switched off here"), "{said}");
    let all = store.global_changesets(&GlobalRead::from(0)).await;
    assert_eq!(all.expect("the global order").changesets.len(), 0);
    assert_eq!(guard.refused(), BTreeSet::new(), "it does not try");
}

/// It is the role that keeps the promise: a function that tries all the same, as one does that runs
/// since before the change, stores nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_role_denies_what_the_function_would_write() {
    let text = include_str!("../../template.yaml");
    let tries = text.replace(r#"!If [Committing, "", "&commits=off"]"#, r#""""#);
    assert_ne!(tries, text);
    let settings = ees_aws_testkit::template::Settings {
        parameters: [("Commits".to_owned(), "off".to_owned())].into(),
        ..Default::default()
    };
    let template = Template::parse(&tries, &settings).expect("a template");
    let (aws, guard) = guarded(template).await;
    let store = Remote::new(aws.url());
    let (status, said) = commit(&store).await;
    assert!(status >= 500, "{status} {said}");
    let refused: Vec<_> = guard.refused().into_iter().collect();
    let actions: BTreeSet<_> = refused.iter().map(|call| call.action.as_str()).collect();
    assert_eq!(actions, BTreeSet::from(["dynamodb:PutItem"]));
    let all = store.global_changesets(&GlobalRead::from(0)).await;
    assert_eq!(all.expect("the global order").changesets.len(), 0);
}
