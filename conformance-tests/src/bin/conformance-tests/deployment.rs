//! A deployment as a harness: what it promises is found out before the first case.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use conformance_tests::subject::{Ask, Expect, GlobalRead, Remote, Subject, unique};
use conformance_tests::{Capabilities, Harness, HttpHarness};

/// How long a deployment that orders after the commit may take to do so.
const ORDERED_WITHIN: Duration = Duration::from_secs(90);

/// How long it may take to answer at all.
const REACHED_WITHIN: Duration = Duration::from_secs(30);

/// `http://HOST:PORT`
pub(crate) type Url = String;

/// What is tested.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    url: Url,
    capabilities: Capabilities,
}

/// A case starts its harness by itself, so that where it is must be known to all.
static TARGET: OnceLock<Target> = OnceLock::new();

/// Says what is tested; once.
pub(crate) fn set(target: Target) {
    TARGET.set(target).expect("one target");
}

/// Takes a URL of plain HTTP without a path, and writes its port out.
pub(crate) fn parse_url(text: &str) -> Result<Url, String> {
    if text.starts_with("https://") {
        return Err(
            "this build speaks plain HTTP only: it has no TLS client; go through a proxy that \
             ends TLS, such as `socat` or `stunnel`, and give its http:// URL"
                .to_owned(),
        );
    }
    let rest = text
        .strip_prefix("http://")
        .ok_or("it begins with http://")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@']) || authority.contains(char::is_whitespace) {
        return Err("a host and a port are all it may have: http://HOST[:PORT]".to_owned());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, "80"),
    };
    let port: u16 = port.parse().map_err(|_| format!("`{port}` is no port"))?;
    if host.is_empty() || (host.contains(':') && !host.starts_with('[')) {
        return Err(format!("`{host}` is no host"));
    }
    Ok(format!("http://{host}:{port}"))
}

impl Target {
    /// Finds out whether the deployment is there and what it promises; or says why it cannot.
    pub(crate) fn find(url: &str, max_changeset_bytes: usize) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("no runtime: {error}"))?;
        runtime.block_on(async {
            let asked = tokio::time::timeout(REACHED_WITHIN, orders_at_commit(url));
            let seconds = REACHED_WITHIN.as_secs();
            let late = |_| format!("{url} does not answer within {seconds} seconds");
            let orders_at_commit = asked.await.map_err(late)??;
            Ok(Self {
                url: url.to_owned(),
                capabilities: Capabilities {
                    // Not shown by a black box: what would show it is not run.
                    durable: true,
                    orders_at_commit,
                    max_changeset_bytes,
                },
            })
        })
    }
}

/// Commits a changeset to see whether it has its position at once. A deployment that refuses it is
/// there all the same: the cases will tell.
async fn orders_at_commit(url: &str) -> Result<bool, String> {
    let remote = Remote::new(url);
    let reached = remote.try_get("/version").await;
    reached.map_err(|error| format!("{url} cannot be reached: {error}"))?;
    let path = format!("/streams/{}?details=true", unique("probe"));
    let answer = remote
        .post(&path, r#"{"events":[{"type":"tested"}]}"#)
        .await;
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok(answer.status != 200 || body.get("checkpoint").is_some())
}

/// The deployment, as a case sees it.
pub(crate) struct Deployment {
    target: &'static Target,
    remote: Arc<Remote>,
    /// Where the global order ended when the case began.
    begin: u64,
}

#[async_trait]
impl Harness for Deployment {
    async fn start() -> Self {
        let target = TARGET.get().expect("a target");
        let remote = Remote::new(&target.url);
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

    /// Commits one more changeset and follows the order to it: by then an indexer that goes through
    /// what was committed has come by all that was there before.
    async fn settle(&self) {
        if self.capabilities().orders_at_commit {
            return;
        }
        let marker = Ask::new(&unique("settled"), Expect::Changeset(0));
        let committed = self.remote.commit(&marker).await;
        committed.unwrap_or_else(|failure| panic!("G2: {failure:?}"));
        let begun = Instant::now();
        let mut at = self.begin;
        loop {
            let read = GlobalRead::from(at)
                .limit(1000)
                .wait(Duration::from_secs(1));
            let page = self.remote.global_changesets(&read).await;
            let page = page.expect("G6: a page");
            if page.changesets.iter().any(|c| c.stream == marker.stream) {
                return;
            }
            at = page.next_checkpoint;
            let waited = begun.elapsed();
            assert!(waited < ORDERED_WITHIN, "G8: no position after {waited:?}");
        }
    }
}

impl HttpHarness for Deployment {
    fn url(&self) -> String {
        self.target.url.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::parse_url;

    #[test]
    fn urls_are_of_a_host_and_a_port() {
        for (text, url) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://store.internal", "http://store.internal:80"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]:80"),
        ] {
            assert_eq!(parse_url(text).as_deref(), Ok(url), "{text}");
        }
    }

    #[test]
    fn others_are_refused() {
        for text in [
            "",
            "localhost:8080",
            "ftp://host",
            "http://",
            "http://:80",
            "http://host:http",
            "http://host:70000",
            "http://host/prod",
            "http://me@host",
            "http://ho st",
            "http://::1:8080",
        ] {
            assert!(parse_url(text).is_err(), "{text}");
        }
        let refusal = parse_url("https://host").expect_err("no TLS");
        assert!(refusal.contains("TLS"), "{refusal}");
    }
}
