//! A deployment as a harness. Its capabilities are determined before the first case.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use ees_conformance::subject::{Access, GlobalRead, Read, Remote, Subject, unique};
use ees_conformance::{Capabilities, Case, Harness, HttpHarness};

/// The time limit for the position of a changeset, if the deployment orders after the commit.
const ORDERED_WITHIN: Duration = Duration::from_mins(4);

/// The time limit for the first answer.
const REACHED_WITHIN: Duration = Duration::from_mins(2);

/// The time limit for the sealing of what is committed, if the deployment keeps a verifiable log.
const SEALED_WITHIN: Duration = Duration::from_secs(10);

/// The deployment under test.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    url: String,
    access: Access,
    capabilities: Capabilities,
    /// Why the cases of the verifiable log cannot be run.
    no_log: Option<&'static str>,
    time_limit: Duration,
}

/// The target is global, since each case starts its own harness.
static TARGET: OnceLock<Target> = OnceLock::new();

/// Sets the target, once.
pub(crate) fn set(target: Target) {
    TARGET.set(target).expect("one target");
}

/// The reason why a case cannot run against the target, if there is one.
pub(crate) fn why_not(case: &Case) -> Option<&'static str> {
    let target = TARGET.get().filter(|_| is_of_the_log(case));
    target.and_then(|target| target.no_log)
}

/// Whether a case needs a verifiable log.
pub(crate) fn is_of_the_log(case: &Case) -> bool {
    case.group() == "verifiable_log"
}

impl Target {
    /// Checks that the deployment answers, and determines its capabilities, with those of its log if it
    /// `needs_log`. Returns the reason if it cannot.
    pub(crate) fn find(
        url: &str,
        access: Access,
        max_changeset_bytes: usize,
        time_limit: Duration,
        needs_log: bool,
    ) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("no runtime: {error}"))?;
        runtime.block_on(async {
            let remote = Remote::with_access(url, &access);
            let asked = tokio::time::timeout(REACHED_WITHIN, orders_at_commit(&remote));
            let seconds = REACHED_WITHIN.as_secs();
            let late = |_| format!("{url} does not answer within {seconds} seconds");
            let orders_at_commit = asked.await.map_err(late)??;
            let no_log = if needs_log {
                why_no_log(&remote).await
            } else {
                None
            };
            Ok(Self {
                url: url.to_owned(),
                access,
                capabilities: Capabilities {
                    // A black box cannot show durability, so the cases about it are not run.
                    durable: true,
                    orders_at_commit,
                    max_changeset_bytes,
                },
                no_log,
                time_limit,
            })
        })
    }
}

/// Commits a changeset to see whether it has its position at once. A refused commit is not an error
/// here: the cases will report it.
async fn orders_at_commit(remote: &Remote) -> Result<bool, String> {
    let reached = remote.try_get("/version").await;
    let url = remote.url();
    let version = reached.map_err(|error| format!("{url} cannot be reached: {error}"))?;
    if [401, 403].contains(&version.status.as_u16()) {
        return Err(format!(
            "{url} requires authentication ({}: {}); --sigv4 signs requests for AWS",
            version.status,
            version.text()
        ));
    }
    let path = format!("/streams/{}?details=true", unique("probe"));
    let answer = remote
        .post(&path, r#"{"events":[{"type":"tested"}]}"#)
        .await;
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok(answer.status != 200 || body.get("checkpoint").is_some())
}

/// Why the deployment cannot be held to a verifiable log, if there is a reason.
async fn why_no_log(remote: &Remote) -> Option<&'static str> {
    let end = remote.next_checkpoint().await.ok()?;
    let sealed = async {
        loop {
            let head = remote.get("/log/head").await;
            let body: serde_json::Value = serde_json::from_slice(&head.body).unwrap_or_default();
            if body["error"] == "NO_LOG" {
                return Some("the deployment keeps no verifiable log");
            }
            if body["size"].as_u64() >= Some(end.max(1)) {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let late = Some("the deployment does not seal its log within 10 s");
    tokio::time::timeout(SEALED_WITHIN, sealed)
        .await
        .unwrap_or(late)
}

/// The deployment, as a case sees it.
pub(crate) struct Deployment {
    target: &'static Target,
    remote: Arc<Remote>,
    /// The head of the global order when the case began.
    begin: u64,
}

#[async_trait]
impl Harness for Deployment {
    async fn start() -> Self {
        let target = TARGET.get().expect("a target");
        let remote = Remote::with_access(&target.url, &target.access);
        let begin = remote.next_checkpoint().await.expect("G6: the end");
        Self {
            target,
            remote,
            begin,
        }
    }

    fn capabilities(&self) -> Capabilities {
        self.target.capabilities
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Arc::clone(&self.remote) as Arc<dyn Subject>
    }

    async fn restart(&mut self) {
        panic!("a black box cannot restart a deployment");
    }

    /// Reads the order until it contains all commits of the case. Then waits until reads of the
    /// streams show the positions too, since the order may show a position before they do.
    async fn settle(&self) {
        if self.capabilities().orders_at_commit {
            return;
        }
        let committed = self.remote.committed();
        let settled = async {
            self.meet(committed.clone()).await;
            for (stream, last) in &committed {
                self.await_position(stream, *last).await;
            }
        };
        let settled = tokio::time::timeout(ORDERED_WITHIN, settled).await;
        settled.unwrap_or_else(|_| panic!("G8: no position after {ORDERED_WITHIN:?}"));
    }

    fn time_limit(&self) -> Duration {
        self.target.time_limit
    }
}

impl Deployment {
    async fn meet(&self, mut awaited: BTreeMap<String, u64>) {
        let mut at = self.begin;
        while !awaited.is_empty() {
            let read = GlobalRead::from(at)
                .limit(1000)
                .wait(Duration::from_secs(1));
            let page = self.remote.global_changesets(&read).await;
            let page = page.expect("G6: a page");
            for met in &page.changesets {
                if awaited.get(&met.stream) == Some(&met.changeset_id) {
                    awaited.remove(&met.stream);
                }
            }
            at = page.next_checkpoint;
        }
    }

    /// A stream's positions are written in its order.
    async fn await_position(&self, stream: &str, changeset: u64) {
        let read = Read {
            from: Some(changeset),
            limit: Some(1),
            ..Read::default()
        };
        loop {
            let page = self.remote.changesets(stream, &read).await;
            let page = page.expect("G5: a page");
            if page.items.iter().all(|item| item.checkpoint.is_some()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl HttpHarness for Deployment {
    fn remote(&self) -> Arc<Remote> {
        Arc::clone(&self.remote)
    }
}
