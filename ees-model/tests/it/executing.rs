//! Commands: decided, decided again, repeated.

use ees_model::Error;

use crate::account::{Command, TOO_LOW};
use crate::watched::{Before, Watched, accounts};

const ID: &str = "account-1";

pub(crate) fn deposited(cents: u64) -> String {
    format!(r#"{{"type": "deposited", "cents": {cents}}}"#)
}

pub(crate) fn withdrawn(cents: u64) -> String {
    format!(r#"{{"type": "withdrawn", "cents": {cents}}}"#)
}

#[tokio::test]
async fn a_command_is_decided_on_the_events_of_its_stream() {
    let store = Watched::new();
    let accounts = accounts(&store);
    let done = accounts.execute(ID, Command::Deposit(50)).await.unwrap();
    assert_eq!((done.state.cents, done.last_changeset), (50, 1));
    assert_eq!(done.receipt.unwrap().changeset_id.get(), 1);
    let refused = accounts.execute(ID, Command::Withdraw(51)).await;
    assert!(matches!(refused, Err(Error::Refused(TOO_LOW))));
    let loaded = accounts.load(ID).await.unwrap();
    assert_eq!((loaded.state.cents, loaded.last_changeset), (50, 1));
    let none = accounts.load("account-2").await.unwrap();
    assert_eq!((none.state.cents, none.last_changeset), (0, 0));
}

#[tokio::test]
async fn a_decision_without_events_commits_nothing() {
    let store = Watched::new();
    let done = accounts(&store).execute(ID, Command::Deposit(0)).await;
    assert_eq!(done.unwrap().receipt, None);
    assert_eq!(store.calls(), (1, 0));
}

#[tokio::test]
async fn a_conflict_is_decided_again_without_another_read() {
    let store = Watched::new();
    let accounts = accounts(&store);
    store.append(ID, &[deposited(100)]).await;
    store.before([
        Before::Others(ID, vec![withdrawn(30), withdrawn(20)]),
        Before::Others(ID, vec![withdrawn(10)]),
    ]);
    let done = accounts.execute(ID, Command::Withdraw(40)).await.unwrap();
    assert_eq!((done.state.cents, done.last_changeset), (0, 5));
    assert_eq!(store.calls(), (1, 3));

    store.append(ID, &[deposited(100)]).await;
    store.before([Before::Others(ID, vec![withdrawn(70)])]);
    let refused = accounts.execute(ID, Command::Withdraw(40)).await;
    assert!(matches!(refused, Err(Error::Refused(TOO_LOW))));
    assert_eq!(store.calls(), (1, 1));
}

/// A conflict lists at most 100 changesets.
#[tokio::test]
async fn what_a_conflict_does_not_list_is_read() {
    let store = Watched::new();
    let events = vec![deposited(1); 150];
    store.before([Before::Others(ID, events)]);
    let done = accounts(&store).execute(ID, Command::Deposit(7)).await;
    let done = done.unwrap();
    assert_eq!((done.state.cents, done.last_changeset), (157, 151));
    assert_eq!(store.calls(), (2, 2));
}

#[tokio::test]
async fn the_tries_are_bounded() {
    let store = Watched::new();
    store.before((0..3).map(|_| Before::Others(ID, vec![deposited(1)])));
    let accounts = accounts(&store).with_tries(3);
    let failed = accounts.execute(ID, Command::Deposit(1)).await;
    assert!(matches!(failed, Err(Error::TooManyConflicts { tries: 3 })));
    assert_eq!(store.calls().1, 3);
    assert_eq!(accounts.load(ID).await.unwrap().state.cents, 3);
}

#[tokio::test]
async fn a_command_with_an_id_is_executed_once() {
    let store = Watched::new();
    let accounts = accounts(&store);
    let first = accounts.execute_once(ID, "c-1", Command::Deposit(50));
    let first = first.await.unwrap().receipt.unwrap();
    let second = accounts.execute_once(ID, "c-2", Command::Withdraw(50));
    let second = second.await.unwrap().receipt.unwrap();
    for (id, command, receipt) in [
        ("c-1", Command::Deposit(50), first),
        // The balance does not allow it any more.
        ("c-2", Command::Withdraw(50), second),
    ] {
        let again = accounts.execute_once(ID, id, command).await.unwrap();
        assert_eq!((again.state.cents, again.last_changeset), (0, 2));
        let again = again.receipt.unwrap();
        assert!(again.replayed);
        assert_eq!(again.changeset_id, receipt.changeset_id);
        assert_eq!(again.timestamp, receipt.timestamp);
    }
    let fresh = accounts.execute_once(ID, "c-3", Command::Withdraw(50));
    assert!(matches!(fresh.await, Err(Error::Refused(TOO_LOW))));
}

/// The same command reaches two instances. One of them commits between the load and the commit of the
/// other one.
#[tokio::test]
async fn a_command_that_another_instance_has_executed_meanwhile_is_found() {
    let store = Watched::new();
    let (here, there) = (accounts(&store), accounts(&store));
    here.execute(ID, Command::Deposit(50)).await.unwrap();
    store.before([Before::Others(ID, vec![deposited(1)])]);
    // The other one conflicts first, and so commits after this one has decided.
    let (one, other) = tokio::join!(
        here.execute_once(ID, "c-1", Command::Withdraw(30)),
        there.execute_once(ID, "c-1", Command::Withdraw(30)),
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.state.cents, other.state.cents), (21, 21));
    let (one, other) = (one.receipt.unwrap(), other.receipt.unwrap());
    assert_eq!(one.changeset_id, other.changeset_id);
    assert_ne!(one.replayed, other.replayed);
}

/// The other instance decided on another state, or belongs to another version of the program.
#[tokio::test]
async fn a_state_contains_a_command_that_another_instance_has_executed_meanwhile() {
    let other_content = r#"{"type": "withdrawn", "cents": 30, "note": "by another version"}"#;
    let same_content = r#"{"type":"withdrawn","cents":30}"#;
    for stored in [other_content, same_content] {
        let store = Watched::new();
        let accounts = accounts(&store);
        store.append(ID, &[deposited(50)]).await;
        store.before([
            Before::Others(ID, vec![deposited(7)]),
            Before::Keyed(ID, "c-1", stored.to_owned()),
        ]);
        let done = accounts
            .execute_once(ID, "c-1", Command::Withdraw(30))
            .await;
        let done = done.unwrap();
        assert_eq!((done.state.cents, done.last_changeset), (27, 3), "{stored}");
        let receipt = done.receipt.unwrap();
        assert_eq!((receipt.changeset_id.get(), receipt.replayed), (3, true));
        assert_eq!(accounts.load(ID).await.unwrap().state.cents, 27);
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let store = Watched::new();
    let accounts = accounts(&store);
    store.before([Before::LostAnswer, Before::LostAnswer]);
    let done = accounts.execute(ID, Command::Deposit(50)).await.unwrap();
    assert_eq!((done.state.cents, done.last_changeset), (50, 1));
    assert_eq!(store.calls(), (1, 3));
    // After the last try the caller decides: the command may have been executed.
    store.before((0..3).map(|_| Before::LostAnswer));
    let failed = accounts.execute_once(ID, "c-1", Command::Withdraw(30));
    assert!(matches!(failed.await, Err(Error::Store(_))));
    let again = accounts.execute_once(ID, "c-1", Command::Withdraw(30));
    assert_eq!(again.await.unwrap().state.cents, 20);
}

#[tokio::test]
async fn what_cannot_be_executed_is_said() {
    let store = Watched::new();
    let accounts = accounts(&store);
    let no_id = accounts.execute("", Command::Deposit(1)).await;
    assert!(matches!(no_id, Err(Error::StreamId(_))));
    for id in ["", "ees-1", "é"] {
        let failed = accounts.execute_once(ID, id, Command::Deposit(1)).await;
        assert!(matches!(failed, Err(Error::CommandId { .. })), "{id}");
    }
    store
        .append(ID, &[r#"{"type": "frozen"}"#.to_owned()])
        .await;
    let failed = accounts.execute(ID, Command::Deposit(1)).await.unwrap_err();
    assert!(matches!(failed, Error::Unreadable(_)));
    let text = failed.to_string();
    assert!(
        text.starts_with("event 1 of stream `account-1` cannot be read: unknown variant `frozen`"),
        "{text}"
    );
}
