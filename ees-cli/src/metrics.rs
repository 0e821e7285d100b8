//! The recorder of the process's metrics.

#[cfg(feature = "otlp")]
mod sent;

use std::path::PathBuf;
use std::sync::OnceLock;

use ees_http::MetricsText;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use crate::Failure;
#[cfg(feature = "otlp")]
pub(crate) use sent::Sending;

/// The bounds of times, in seconds: from a commit in memory to the longest request.
const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// The bounds of batches.
const CHANGESETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// The metrics of the process.
#[derive(Clone)]
pub(crate) struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts recording, once in a process.
    pub(crate) fn start() -> Result<Self, Failure> {
        static STARTED: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
        let started = STARTED.get_or_init(|| install().map_err(|error| error.to_string()));
        let failed = |error| Failure::Run(format!("metrics cannot be recorded: {error}"));
        started.clone().map(Self).map_err(failed)
    }

    /// The text of all metrics. `storage_bytes` tells the size of the storage, if that is known.
    pub(crate) fn text(
        &self,
        storage_bytes: impl Fn() -> Option<u64> + Send + Sync + 'static,
    ) -> MetricsText {
        let handle = self.0.clone();
        let process = Collector::default();
        MetricsText::new(move || {
            process.collect();
            if let Some(bytes) = storage_bytes() {
                #[allow(clippy::cast_precision_loss)] // metrics are floating-point numbers
                gauge!("ees_storage_bytes").set(bytes as f64);
            }
            handle.render()
        })
    }

    /// Takes recorded times into their histograms, which otherwise grow until somebody reads.
    pub(crate) fn tidy(&self) {
        self.0.run_upkeep();
    }
}

/// Tells the bytes of a SQLite store's files; nothing of other storages.
pub(crate) fn storage_bytes(url: &str) -> impl Fn() -> Option<u64> + Send + Sync + 'static {
    let files = sqlite_files(url);
    move || {
        let sizes = files.iter().map(std::fs::metadata);
        let sizes = sizes.filter_map(Result::ok).map(|file| file.len());
        (!files.is_empty()).then(|| sizes.sum())
    }
}

#[cfg(feature = "sqlite")]
fn sqlite_files(url: &str) -> Vec<PathBuf> {
    let config = url.parse::<ees_sqlite::SqliteConfig>();
    let file = config.map(|config| config.path.into_os_string());
    let Ok(file) = file else {
        return Vec::new();
    };
    let mut log = file.clone();
    log.push("-wal");
    vec![file.into(), log.into()]
}

#[cfg(not(feature = "sqlite"))]
fn sqlite_files(_: &str) -> Vec<PathBuf> {
    Vec::new()
}

fn install() -> Result<PrometheusHandle, BuildError> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Full("ees_batch_changesets".to_owned()), CHANGESETS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    describe();
    Collector::default().describe();
    gauge!("ees_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
    // They exist from the start, so that an alert on an increase sees the first one.
    for kind in ["unavailable", "corrupt", "backend"] {
        counter!("ees_storage_errors_total", "kind" => kind).absolute(0);
    }
    for kind in ["unavailable", "corrupt", "other"] {
        counter!("ees_seal_failures_total", "kind" => kind).absolute(0);
    }
    counter!("ees_consumer_fenced_total").absolute(0);
    Ok(handle)
}

fn describe() {
    let seconds = Unit::Seconds;
    describe_counter!("ees_commits_total", "Commits, by outcome");
    describe_histogram!(
        "ees_commit_duration_seconds",
        seconds,
        "The time of a commit"
    );
    describe_histogram!(
        "ees_batch_changesets",
        "Changesets that were written together"
    );
    describe_histogram!(
        "ees_read_duration_seconds",
        seconds,
        "The time of a read of the storage"
    );
    describe_counter!(
        "ees_storage_errors_total",
        "Failures of the storage, by kind"
    );
    describe_counter!("ees_http_requests_total", "Answered requests");
    describe_histogram!(
        "ees_http_request_duration_seconds",
        seconds,
        "The time of a request"
    );
    describe_counter!(
        "ees_unauthorized_requests_total",
        "Requests that a key did not allow"
    );
    describe_gauge!(
        "ees_requests_in_flight",
        "Requests that run or are being answered"
    );
    describe_gauge!("ees_waiting_readers", "Open long polls");
    describe_gauge!("ees_event_streams", "Open event streams");
    describe_gauge!("ees_buffered_bytes", "Bytes of request bodies in memory");
    describe_gauge!("ees_head_checkpoint", "The end of the global order");
    describe_gauge!(
        "ees_statistics_lag",
        "Changesets that the statistics have not counted yet"
    );
    describe_gauge!("ees_log_size", "Positions that the verifiable log has");
    describe_gauge!(
        "ees_log_lag",
        "Positions that the verifiable log does not have yet"
    );
    describe_counter!(
        "ees_seal_failures_total",
        "Failures of sealing the verifiable log, by kind"
    );
    describe_gauge!(
        "ees_publish_lag_seconds",
        seconds,
        "The age of the oldest unpublished changeset"
    );
    describe_gauge!(
        "ees_index_lag_seconds",
        seconds,
        "The age of the oldest delivered commit when it got its position"
    );
    describe_gauge!(
        "ees_index_held_seconds",
        seconds,
        "How long readers of the order have been held, by reason"
    );
    describe_counter!(
        "ees_consumer_fenced_total",
        "Acknowledgements and releases of batches that were not out any more"
    );
    describe_gauge!("ees_storage_bytes", "The size of the storage's files");
    describe_gauge!("ees_build_info", "The version of the program");
}
