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
pub async fn a_reader_does_not_wait_for_what_is_there<H: Harness>(harness: &mut H) {
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
pub async fn a_reader_waits_no_longer_than_asked<H: Harness>(harness: &mut H) {
    let subject = harness.subject();
    let far = end_of_log(&*subject).await + 1_000_000;
    let begun = Instant::now();
    let found = log_page(&*subject, GlobalRead::from(far).wait(SHORT)).await;
    assert!(found.is_empty(), "G6: the page is empty");
    assert!(begun.elapsed() >= SHORT, "G8: the read waited");
    let begun = Instant::now();
    let read = GlobalRead::from((far, 3)).wait(SHORT);
    let page = subject.global_events(&read).await.expect("G8: no error");
    assert!(page.events.is_empty(), "G6: the page is empty");
    assert_eq!(
        page.next_checkpoint,
        (far, 3),
        "G6: the next checkpoint is the requested one"
    );
    assert!(begun.elapsed() >= SHORT, "G8: the read waited");
}

/// Many readers that wait for changesets and for events all get the commits made meanwhile.
pub async fn waiting_readers_get_what_is_committed<H: Harness>(harness: &mut H) {
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

/// Whoever waits beyond the end is not answered with what comes before.
pub async fn a_reader_beyond_the_end_waits_for_its_place<H: Harness>(harness: &mut H) {
    let subject = harness.subject();
    in_time(async || {
        let start = end_of_log(&*subject).await;
        let waiting = {
            let subject = Arc::clone(&subject);
            // Only what stands from there on may come: `log_page` holds every page to that.
            let read = GlobalRead::from(start + 2).wait(LONG);
            tokio::spawn(async move { log_page(&*subject, read).await })
        };
        tokio::time::sleep(HEAD_START).await;
        fill(&*subject, &unique("before"), &[1, 1, 1]).await;
        let found = joined(waiting).await;
        !found.is_empty()
    })
    .await;
}

/// Readers that take turns with writers, each waiting for the next, never miss one.
pub async fn no_commit_slips_past_a_waiting_reader<H: Harness>(harness: &mut H) {
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
