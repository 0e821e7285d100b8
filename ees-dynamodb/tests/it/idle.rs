//! What waiting costs while nothing happens, in DynamoDB's own units.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use ees_core::consumer::{Claim, ConsumerDefinition};
use ees_core::{Checkpoint, Clock, EventStore, PageLimit, Timestamp};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::cost::{Cost, metered};

/// The longest wait over HTTP.
const WAIT: Duration = Duration::from_secs(20);

/// A clock whose pauses take no time: each moves it on. The end of a wait comes when it is that late.
#[derive(Default)]
struct Hurried(Arc<Mutex<Duration>>);

impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        let micros = i64::try_from(self.0.lock().unwrap().as_micros()).unwrap();
        Timestamp::from_micros(1_700_000_000_000_000 + micros).unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let now = Arc::clone(&self.0);
        if duration == WAIT {
            let end = *now.lock().unwrap() + duration;
            return Until { now, end }.boxed();
        }
        async move {
            *now.lock().unwrap() += duration;
            tokio::task::yield_now().await;
        }
        .boxed()
    }
}

/// Ready when the clock is so late. It is polled whenever its task does something.
struct Until {
    now: Arc<Mutex<Duration>>,
    end: Duration,
}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if *self.now.lock().unwrap() >= self.end {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

fn read_units(spent: &std::collections::BTreeMap<String, Cost>) -> f64 {
    assert!(
        spent
            .keys()
            .all(|call| !call.contains("Put") && !call.contains("Write"))
    );
    spent.values().map(|cost| cost.units).sum()
}

/// A worker of a consumer that waits in vain reads no more than a reader that waits as long.
#[tokio::test]
async fn an_idle_consumer_costs_no_more_than_a_waiting_reader() {
    let store = metered().await;
    let events = EventStore::new(Arc::clone(&store.storage))
        .with_consumers(Arc::clone(&store.storage) as _)
        .with_clock(Arc::new(Hurried::default()));
    let consumers = events.consumers().unwrap();
    let billing = "billing".parse().unwrap();
    let definition = ConsumerDefinition::default();
    consumers.define(&billing, &definition).await.unwrap();
    store.meter.read();
    let limit = PageLimit::default();
    let page = events
        .await_changesets(Checkpoint::FIRST, limit, WAIT)
        .await;
    assert!(page.unwrap().changesets.is_empty());
    let reader = read_units(&store.meter.read());
    let claimed = consumers.claim(&billing, Claim::new("w"), WAIT).await;
    assert!(claimed.unwrap().is_none());
    let consumer = read_units(&store.meter.read());
    println!("in {WAIT:?}: a reader {reader} units, a consumer {consumer} units");
    assert!(reader > 19.0, "it looks once a second: {reader}");
    assert!(consumer <= reader, "{consumer} units, a reader {reader}");
}
