//! The deployment holds all that its clients are promised.

use std::panic::catch_unwind;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ees_aws_testkit::Services;
use ees_conformance::subject::{Front, Remote, Subject};
use ees_conformance::{Capabilities, Harness, HttpHarness, Runnable, cases, http_cases};

use tokio::runtime::{Handle, Runtime};

use super::{FUNCTIONS, PROJECTOR, PUBLISHER_STREAM, SEALER, Stack, options};
use crate::stack::template;

/// As much as an item of DynamoDB holds beside its keys.
const MAX_CHANGESET_BYTES: usize = 396 * 1024;

/// How many requests may be answered at the same time. Readers that wait take up one each.
const CONCURRENCY: usize = 32;

/// One deployment for all cases of an endpoint: each has streams of its own, as beside other users.
static STACKS: [OnceLock<Stack>; 2] = [OnceLock::new(), OnceLock::new()];

/// Where they run.
static RUNTIMES: [OnceLock<Handle>; 2] = [OnceLock::new(), OnceLock::new()];

/// A deployment behind a REST API, and one behind a function URL: the places of their stacks.
const REST: usize = 0;
const URL: usize = 1;

struct Deployed<const ENDPOINT: usize>(Arc<Remote>);

#[async_trait]
impl<const ENDPOINT: usize> Harness for Deployed<ENDPOINT> {
    async fn start() -> Self {
        Self(Arc::clone(&stack::<ENDPOINT>().client))
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
        for function in FUNCTIONS {
            stack::<ENDPOINT>().function(function).kill();
        }
    }

    async fn settle(&self) {
        stack::<ENDPOINT>().aws.settle().await;
    }

    /// Every request starts or wakes a function.
    fn time_limit(&self) -> Duration {
        Duration::from_mins(10)
    }
}

#[async_trait]
impl<const ENDPOINT: usize> HttpHarness for Deployed<ENDPOINT> {
    fn remote(&self) -> Arc<Remote> {
        Arc::clone(&self.0)
    }

    /// The schedule of the sealer, sooner. It runs in the runtime of the deployment: the process of a
    /// function ends with the runtime that started it, and each case has its own.
    async fn seal(&self) {
        let runtime = RUNTIMES[ENDPOINT].get().expect("a deployment");
        let sealing = runtime.spawn(stack::<ENDPOINT>().aws.run_schedule(SEALER));
        sealing.await.expect("no panic").expect("a sealed log");
    }
}

fn stack<const ENDPOINT: usize>() -> &'static Stack {
    STACKS[ENDPOINT].get().expect("a deployment")
}

/// Runs every case, which takes as long as all other tests together.
const WHOLE: &str = "EES_WHOLE_SUITE";

/// Cases of thousands of requests, and of the largest changesets: the rest is done in a minute or
/// two.
const LONG: [&str; 14] = [
    "counts_span_pages",
    "events_can_be_read_from_each_on",
    "every_limit_",
    "every_range_of_",
    "large_changesets_come_in_pages",
    "large_stream_comes_in_pages",
    "metadata_keeps_its_bytes",
    "no_commit_slips_past",
    "no_page_of_the_global_order",
    "numbers_keep_their_order",
    "prefixes::",
    "reads_cross_a_page_boundary",
    "store_answers_as_the_model",
    "the_order_goes_on_at_a_page_boundary",
];

/// Cases that a client of the API can be held to: what it writes by hand does not reach the function
/// (`raw_http`).
fn chosen() -> Vec<Runnable> {
    let whole = std::env::var_os(WHOLE).is_some();
    let mut chosen = http_cases::runnable::<Deployed<REST>>();
    chosen.extend(cases::runnable::<Deployed<REST>>());
    chosen.retain(|Runnable { case, .. }| {
        let is_long = LONG.iter().any(|name| case.name.contains(name));
        !case.name.starts_with("raw_http::") && (whole || !is_long)
    });
    chosen
}

/// The cases in which a function URL can differ from a REST API: what a request looks like.
const OF_REQUESTS: [&str; 6] = [
    "answers::",
    "commit_bodies::",
    "endpoints::",
    "keys::",
    "stream_paths::",
    // Tiles are bytes, which the front must not take for text.
    "verifiable_log::",
];

/// The deployment keeps a log.
const SEALED: (&str, &str) = ("SealerSchedule", "rate(1 day)");

/// Starts the deployment for cases of an endpoint.
fn start<const ENDPOINT: usize>(parameters: &[(&str, &str)], front: Front) -> Runtime {
    let runtime = Runtime::new().unwrap();
    let mut options = options();
    options.concurrency = CONCURRENCY;
    let services = runtime.block_on(Services::start()).unwrap();
    let stack = Stack::of(template(parameters), front, services, options);
    let stack = runtime.block_on(stack);
    // What subscribers get is tested beside; here it would only take its time.
    stack.aws.pause(PUBLISHER_STREAM, true).unwrap();
    assert!(STACKS[ENDPOINT].set(stack).is_ok());
    assert!(RUNTIMES[ENDPOINT].set(runtime.handle().clone()).is_ok());
    runtime
}

/// Runs cases one by one: cases at once would read each other's largest changesets.
fn pass(chosen: Vec<Runnable>) {
    let failed = chosen.into_iter().filter_map(|Runnable { case, run, .. }| {
        let begun = Instant::now();
        let passed = catch_unwind(run).is_ok();
        let took = begun.elapsed().as_secs_f64();
        eprintln!("{}: passed {passed} in {took:.1} s", case.name);
        (!passed).then_some(case.name)
    });
    assert_eq!(failed.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_deployment_passes_the_conformance_suite() {
    let runtime = start::<REST>(&[SEALED], Front::ApiGateway);
    // The schedule of the template, faster.
    runtime.spawn(async {
        loop {
            // A restart kills this one, too.
            let _ = stack::<REST>().aws.run_schedule(PROJECTOR).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    let chosen = chosen();
    assert!(chosen.len() > 100);
    pass(chosen);
}

#[test]
fn a_function_url_passes_the_cases_of_requests() {
    let _runtime = start::<URL>(&[("Endpoint", "function-url"), SEALED], Front::FunctionUrl);
    let mut chosen = http_cases::runnable::<Deployed<URL>>();
    chosen.retain(|it| {
        OF_REQUESTS
            .iter()
            .any(|group| it.case.name.starts_with(group))
    });
    assert!(chosen.len() > 20, "{}", chosen.len());
    pass(chosen);
}
