//! The deployment holds all that its clients are promised.

use std::collections::VecDeque;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use conformance_tests::subject::{Remote, Subject};
use conformance_tests::{Capabilities, Harness, HttpHarness, Runnable, cases, http_cases};

use super::{PROJECTOR, PUBLISHER_STREAM, Stack};

/// As much as an item of DynamoDB holds beside its keys.
const MAX_CHANGESET_BYTES: usize = 396 * 1024;

/// One deployment for all cases: each has streams of its own, as beside other users.
static STACK: OnceLock<Stack> = OnceLock::new();

struct Deployed(Arc<Remote>);

#[async_trait]
impl Harness for Deployed {
    async fn start() -> Self {
        Self(Remote::new(stack().aws.url()))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: true,
            orders_at_commit: false,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Arc::clone(&self.0) as _
    }

    async fn restart(&mut self) {
        panic!("a case that restarts is not run");
    }

    async fn settle(&self) {
        stack().aws.settle().await;
    }
}

impl HttpHarness for Deployed {
    fn remote(&self) -> Arc<Remote> {
        Arc::clone(&self.0)
    }
}

fn stack() -> &'static Stack {
    STACK.get().expect("a deployment")
}

/// Cases of thousands of requests, which tell nothing of a deployment that the others do not.
const LONG: [&str; 3] = [
    "every_range_of_events",
    "every_range_of_changesets",
    "every_limit_gives",
];

/// Cases that a client of the API can be held to: it cannot restart a deployment (G4), and what it
/// writes by hand does not reach the function (`raw_http`).
fn chosen() -> VecDeque<Runnable> {
    let mut chosen = http_cases::runnable::<Deployed>();
    chosen.extend(cases::runnable::<Deployed>());
    let fits = |runnable: &Runnable| {
        let case = &runnable.case;
        let is_long = LONG.iter().any(|name| case.name.contains(name));
        !case.guarantees.contains(&4) && !case.name.starts_with("raw_http::") && !is_long
    };
    chosen.retain(fits);
    chosen.into()
}

#[test]
fn the_deployment_passes_the_conformance_suite() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stack = runtime.block_on(Stack::start());
    // What subscribers get is tested beside; here it would only take its time.
    stack.aws.pause(PUBLISHER_STREAM, true).unwrap();
    assert!(STACK.set(stack).is_ok());
    // The schedule of the template, faster.
    runtime.spawn(async {
        loop {
            self::stack().aws.run_schedule(PROJECTOR).await.unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    let waiting = Mutex::new(chosen());
    assert!(waiting.lock().unwrap().len() > 50);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().pop_front();
                    let Some(runnable) = next else { return };
                    let begun = Instant::now();
                    let passed = catch_unwind(runnable.run).is_ok();
                    let (name, took) = (runnable.case.name, begun.elapsed().as_secs_f64());
                    eprintln!("{name}: passed {passed} in {took:.1} s");
                    if !passed {
                        failed.lock().unwrap().push(name);
                    }
                }
            });
        }
    });
    assert_eq!(failed.into_inner().unwrap(), [""; 0]);
}
