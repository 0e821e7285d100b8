//! G1, G2: sets of commits that run at the same time.

use std::collections::HashMap;
use std::sync::Arc;

use super::sets::{assert_lengths, member, new_streams};
use crate::Harness;
use crate::subject::{Ask, AskSet, Committed, Expect, Failure, Subject};
use crate::support::{
    CONFLICT, commit_all, end_of_log, head, joined, log, of_streams, stream, together,
};

/// Asserts that whatever was refused was refused as a conflict, and returns the places of those that
/// succeeded.
fn winners(answers: &[Result<Vec<Committed>, Failure>]) -> Vec<usize> {
    for failure in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let (code, message) = (&failure.code, &failure.message);
        assert_eq!(code, CONFLICT, "G2: a conflict: {message}");
    }
    (0..answers.len())
        .filter(|at| answers[*at].is_ok())
        .collect()
}

/// Two sets that each append to one stream and check that the other is still empty: never both
/// succeed. A store that checks before it commits, and not with it, stores both (write skew).
pub async fn a_check_holds_at_the_moment_of_the_commit(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for _ in 0..20 {
        let names = new_streams(2);
        let tries = (0..8).map(|at| {
            let (subject, names) = (Arc::clone(&subject), names.clone());
            async move {
                let (mine, other) = (&names[at % 2], &names[(at + 1) % 2]);
                let set = AskSet::new([member(mine, 0)]).check(other, Expect::Changeset(0));
                subject.commit_all(&set).await
            }
        });
        let answers = together(tries.collect::<Vec<_>>()).await;
        let won = winners(&answers);
        assert_eq!(won.len(), 1, "G2: one of those that exclude each other");
        let mut lengths = [0; 2];
        lengths[won[0] % 2] = 1;
        assert_lengths(&*subject, &names, &lengths).await;
    }
}

/// Sets that check a stream, sets that append to it and a single commit to it: of those that exclude
/// each other one succeeds.
pub async fn checks_and_single_commits_exclude_each_other(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for _ in 0..20 {
        let names = new_streams(2);
        let (guarded, target) = (&names[0], &names[1]);
        let append = AskSet::new([member(guarded, 0), member(target, 0)]);
        let check = AskSet::new([member(target, 0)]).check(guarded, Expect::Changeset(0));
        let alone = member(guarded, 0);
        let tries = (0..8).map(|at| {
            let (subject, alone) = (Arc::clone(&subject), alone.clone());
            let set = if at % 2 == 0 { &append } else { &check }.clone();
            async move {
                match at {
                    7 => subject.commit(&alone).await.map(|told| vec![told]),
                    _ => subject.commit_all(&set).await,
                }
            }
        });
        let answers = together(tries.collect::<Vec<_>>()).await;
        let won = winners(&answers);
        let appended = won.iter().filter(|at| **at % 2 == 0).count();
        let checked = won.iter().filter(|at| **at % 2 == 1 && **at != 7).count();
        let alone = won.iter().filter(|at| **at == 7).count();
        assert!(appended + checked <= 1, "G2: both took a place: {won:?}");
        assert!(appended + alone <= 1, "G2: both took a place: {won:?}");
        assert!(!won.is_empty(), "G2: one of them succeeds");
        let lengths = [appended + alone, appended + checked];
        assert_lengths(&*subject, &names, &lengths).await;
    }
}

const ACCOUNTS: usize = 20;
const WRITERS: usize = 16;
const TRANSFERS: usize = 6;
const BALANCE: i64 = 100;
/// What all accounts have together.
const MONEY: i64 = 2000;

/// Transfers between accounts by many writers: the sum never changes, in what a reader of streams
/// can see and in the global order.
pub async fn transfers_keep_the_sum(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let accounts = Arc::new(new_streams(ACCOUNTS));
    let opened = accounts.iter().map(|name| posting(name, 0, BALANCE));
    commit_all(&*subject, &AskSet::new(opened)).await;
    let auditor = tokio::spawn(audit(Arc::clone(&subject), Arc::clone(&accounts)));
    let writers = (0..WRITERS).map(|writer| {
        let (subject, accounts) = (Arc::clone(&subject), Arc::clone(&accounts));
        async move {
            for number in 0..TRANSFERS {
                let from = (writer * 7 + number * 3) % ACCOUNTS;
                let to = (from + 1 + (writer + number) % (ACCOUNTS - 1)) % ACCOUNTS;
                transfer(&*subject, [&accounts[from], &accounts[to]]).await;
            }
        }
    });
    together(writers.collect::<Vec<_>>()).await;
    auditor.abort();
    if let Err(ended) = auditor.await
        && let Ok(panic) = ended.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
    let mut sum = 0;
    for name in &*accounts {
        sum += balance(&*subject, name).await.0;
    }
    assert_eq!(sum, MONEY, "G1: the sum of all accounts");
    harness.settle().await;
    let order = log(&*subject, start, 1000).await;
    let order = of_streams(&order, &accounts);
    let expected = ACCOUNTS + WRITERS * TRANSFERS * 2;
    assert_eq!(order.len(), expected, "G6: each changeset once");
    let mut balances: HashMap<&str, i64> = HashMap::new();
    for (at, changeset) in (1..).zip(&order) {
        *balances.entry(&changeset.stream).or_default() += amount(&changeset.events);
        // Behind the opening, each set has two members.
        let is_whole = at >= ACCOUNTS && (at - ACCOUNTS).is_multiple_of(2);
        if is_whole && harness.capabilities().orders_at_commit {
            let (sum, place) = (balances.values().sum::<i64>(), changeset.checkpoint);
            assert_eq!(sum, MONEY, "G6: the sum of the order up to {place:?}");
        }
    }
    let sum: i64 = balances.values().sum();
    assert_eq!(sum, MONEY, "G6: the sum of the order");
}

/// A commit of an amount to an account with so many changesets.
fn posting(account: &str, last: u64, amount: i64) -> Ask {
    Ask::new(account, Expect::Changeset(last)).events(format!("[{amount}]"))
}

fn amount(events: &str) -> i64 {
    let amount = events.trim_matches(['[', ']']);
    amount.parse().expect("G11: an amount")
}

/// An account's balance and its last changeset.
async fn balance(subject: &dyn Subject, account: &str) -> (i64, usize) {
    let postings = stream(subject, account).await;
    let balance = postings.iter().map(|posting| amount(&posting.events)).sum();
    (balance, postings.len())
}

/// Moves an amount between two accounts, again until it succeeds.
async fn transfer(subject: &dyn Subject, accounts: [&str; 2]) {
    loop {
        let ends = [
            head(subject, accounts[0]).await.last_changeset,
            head(subject, accounts[1]).await.last_changeset,
        ];
        let set = AskSet::new([
            posting(accounts[0], ends[0], -3),
            posting(accounts[1], ends[1], 3),
        ]);
        match subject.commit_all(&set).await {
            Ok(_) => return,
            Err(failure) => assert_eq!(failure.code, CONFLICT, "G2: {}", failure.message),
        }
    }
}

/// Reads all accounts again and again. If no account moved between two reads of all, the first read
/// is one state of the store, and its sum is that of all money.
async fn audit(subject: Arc<dyn Subject>, accounts: Arc<Vec<String>>) {
    let mut before = Vec::new();
    loop {
        let mut now = Vec::new();
        for name in &*accounts {
            now.push(balance(&*subject, name).await);
        }
        if before == now {
            let sum: i64 = now.iter().map(|(balance, _)| balance).sum();
            assert_eq!(sum, MONEY, "G1: the sum of a state that a reader saw");
        }
        before = now;
        tokio::task::yield_now().await;
    }
}

/// Sets over the same streams in different orders: each is stored or told of a conflict, and with
/// repeats all are stored.
pub async fn overlapping_sets_do_not_stop_each_other(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let names = Arc::new(new_streams(6));
    let writers = (0..8_usize).map(|writer| {
        let (subject, names) = (Arc::clone(&subject), Arc::clone(&names));
        tokio::spawn(async move {
            let mut order: Vec<&String> = names.iter().collect();
            order.rotate_left(writer % 6);
            if writer % 2 == 1 {
                order.reverse();
            }
            order.truncate(4);
            while !append(&*subject, &order).await {}
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        joined(writer).await;
    }
    let mut all = 0;
    for name in &*names {
        all += stream(&*subject, name).await.len();
    }
    assert_eq!(all, 8 * 4, "G1: each set once, and whole");
}

/// Appends to streams at their ends. Whether it succeeded.
async fn append(subject: &dyn Subject, names: &[&String]) -> bool {
    let mut set = AskSet::default();
    for name in names {
        let last = subject.head(name).await.map_or(0, |end| end.last_changeset);
        set.commits.push(Ask::new(name, Expect::Changeset(last)));
    }
    let answer = subject.commit_all(&set).await;
    if let Err(failure) = &answer {
        assert_eq!(failure.code, CONFLICT, "G2: {}", failure.message);
    }
    answer.is_ok()
}
