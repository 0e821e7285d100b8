//! G6, G8: readers that wait at the end of the order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Harness;
use crate::subject::{Ask, Expect, GlobalRead, Subject, unique};
use crate::support::{LONG, commit, end_of_log, fill, joined, log_page, together};

/// How long a reader that gets nothing waits.
const SHORT: Duration = Duration::from_secs(1);

/// Time for readers to begin to wait. Nothing depends on it: one that comes late finds what it
/// would have waited for.
const HEAD_START: Duration = Duration::from_millis(100);

/// The number of tries of a step that a pause of the whole machine can make late.
const TRIES: usize = 5;

/// One of the tries is in time.
async fn in_time(is_in_time: impl AsyncFn() -> bool) {
    for _ in 0..TRIES {
        if is_in_time().await {
            return;
        }
    }
    panic!("G8: too late in each of {TRIES} tries");
}

/// Whoever is willing to wait does not, if there is something.
pub async fn a_reader_does_not_wait_for_what_is_there(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    fill(&*subject, &unique("there"), &[2]).await;
    harness.settle().await;
    in_time(async || {
        let begun = Instant::now();
        let found = log_page(&*subject, GlobalRead::from(start).wait(LONG)).await;
        assert!(!found.is_empty(), "G8: a wait returns existing items");
        let read = GlobalRead::from((start, 1)).wait(LONG);
        let page = subject.global_events(&read).await.expect("G8: events");
        assert!(!page.events.is_empty(), "G8: a wait returns existing items");
        begun.elapsed() < LONG
    })
    .await;
}

/// Whoever waits for nothing gets nothing in the end, and may ask again from where it was.
pub async fn a_reader_waits_no_longer_than_asked(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let mut at = end_of_log(&*subject).await;
    let waited = loop {
        let begun = Instant::now();
        let found = log_page(&*subject, GlobalRead::from(at).wait(SHORT)).await;
        if found.is_empty() {
            break begun.elapsed();
        }
        // Others commit too.
        at += found.len() as u64;
    };
    assert!(waited >= SHORT, "G8: the read waited");
    let mut at = (at, 0);
    let waited = loop {
        let begun = Instant::now();
        let read = GlobalRead::from(at).wait(SHORT);
        let page = subject.global_events(&read).await.expect("G8: no error");
        if page.events.is_empty() {
            assert_eq!(
                page.next_checkpoint, at,
                "G6: the next checkpoint is the requested one"
            );
            break begun.elapsed();
        }
        at = page.next_checkpoint;
    };
    assert!(waited >= SHORT, "G8: the read waited");
}

/// Many readers that wait for changesets and for events all get the commits made meanwhile.
pub async fn waiting_readers_get_what_is_committed(harness: &mut dyn Harness) {
    let subject = harness.subject();
    in_time(async || {
        let (start, name) = (end_of_log(&*subject).await, unique("awaited"));
        let readers = (0..20).map(|reader| {
            let (subject, name) = (Arc::clone(&subject), name.clone());
            tokio::spawn(async move {
                if reader % 2 == 0 {
                    await_changeset(&*subject, start, &name).await
                } else {
                    await_event(&*subject, start, &name).await
                }
            })
        });
        let readers: Vec<_> = readers.collect();
        tokio::time::sleep(HEAD_START).await;
        fill(&*subject, &name, &[1]).await;
        let mut all = true;
        for reader in readers {
            all &= joined(reader).await;
        }
        all
    })
    .await;
}

/// Reads on until a stream appears; what others commit may come first. Answers whether nothing was
/// waited for in vain.
async fn await_changeset(subject: &dyn Subject, start: u64, name: &str) -> bool {
    let (mut at, mut vain) = (start, 0);
    loop {
        let page = log_page(subject, GlobalRead::from(at).wait(LONG)).await;
        vain += usize::from(page.is_empty());
        assert!(vain < TRIES, "G8: no changeset reached the reader at {at}");
        at += page.len() as u64;
        if page.iter().any(|changeset| changeset.stream == name) {
            return vain == 0;
        }
    }
}

async fn await_event(subject: &dyn Subject, start: u64, name: &str) -> bool {
    let (mut at, mut vain) = ((start, 0), 0);
    loop {
        let read = GlobalRead::from(at).wait(LONG);
        let page = subject.global_events(&read).await.expect("G8: events");
        vain += usize::from(page.events.is_empty());
        assert!(vain < TRIES, "G8: no event reached the reader at {at:?}");
        at = page.next_checkpoint;
        if page.events.iter().any(|event| event.stream == name) {
            return vain == 0;
        }
    }
}

/// Readers that take turns with writers, each waiting for the next, never miss one.
pub async fn no_commit_slips_past_a_waiting_reader(harness: &mut dyn Harness) {
    let subject = harness.subject();
    in_time(async || {
        let games = (0..4).map(|_| take_turns(Arc::clone(&subject)));
        together(games).await.into_iter().all(|in_time| in_time)
    })
    .await;
}

async fn take_turns(subject: Arc<dyn Subject>) -> bool {
    const ROUNDS: u64 = 25;
    let (name, mut in_time) = (unique("turns"), true);
    for last in 0..ROUNDS {
        let start = end_of_log(&*subject).await;
        let ask = Ask::new(&name, Expect::Changeset(last));
        let awaited = await_changeset(&*subject, start, &name);
        in_time &= tokio::join!(awaited, commit(&*subject, &ask)).0;
    }
    in_time
}
