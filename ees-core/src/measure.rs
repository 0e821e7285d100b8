//! What the core measures. It records through the facade `metrics`, which does nothing until a host
//! installs a recorder. [docs/operating.md](https://github.com/doitintl/elastic-event-store/blob/main/docs/operating.md)
//! says what each name means.
//!
//! A metric is looked up in the recorder at each call, as a host may install one at any time. The keys are
//! made once: to make one for each call took most of the time of measuring.

use std::time::Instant;

use metrics::{Counter, Histogram, Key, Level, Metadata, counter, histogram};

use crate::{Error, StorageError, Written};

/// A call that is measured. It is not a future around another: these nest too deep already.
pub(crate) struct Begun(Instant);

/// Begins to measure a call.
pub(crate) fn begin() -> Begun {
    Begun(Instant::now())
}

impl Begun {
    /// Measures a read of a kind.
    pub(crate) fn read<T>(
        self,
        kind: &'static str,
        read: Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        reads(kind).record(self.0.elapsed());
        read.inspect_err(count_error)
    }

    /// Measures a commit to a storage, or a set of commits; its outcome.
    pub(crate) fn commit<T>(
        self,
        storage: &StorageName,
        committed: &Result<T, Error>,
        replayed: bool,
    ) -> &'static str {
        let (took, outcome) = (self.0.elapsed(), outcome(committed, replayed));
        commits(outcome).increment(1);
        storage.commits().record(took);
        if let Err(Error::Storage(error)) = committed {
            count_error(error);
        }
        outcome
    }
}

/// The name of a storage in metrics.
pub(crate) struct StorageName {
    name: &'static str,
    commits: Key,
}

impl StorageName {
    pub(crate) fn new(name: &'static str) -> Self {
        let commits = Key::from_parts("ees_commit_duration_seconds", &[("storage", name)]);
        // Its clones share what they have.
        let commits = commits.to_retained();
        Self { name, commits }
    }

    pub(crate) fn as_str(&self) -> &'static str {
        self.name
    }

    /// The times of commits to it.
    fn commits(&self) -> Histogram {
        static ABOUT: Metadata<'static> =
            Metadata::new(module_path!(), Level::INFO, Some(module_path!()));
        metrics::with_recorder(|recorder| recorder.register_histogram(&self.commits, &ABOUT))
    }
}

/// A metric with a label. With a value that is known to the compiler, it makes the key.
macro_rules! labelled {
    ($metric:ident, $name:literal, $label:literal => $value:expr, $($known:literal)+) => {
        match $value {
            $($known => $metric!($name, $label => $known),)+
            other => $metric!($name, $label => other),
        }
    };
}

/// The times of reads of a kind.
fn reads(kind: &'static str) -> Histogram {
    labelled!(histogram, "ees_read_duration_seconds", "kind" => kind, "head" "stream" "global")
}

/// The number of commits with an outcome.
fn commits(outcome: &'static str) -> Counter {
    labelled!(counter, "ees_commits_total", "outcome" => outcome, "committed" "conflict")
}

/// Measures how many changesets were written together.
pub(crate) fn batch(changesets: usize) {
    let changesets = u32::try_from(changesets).unwrap_or(u32::MAX);
    histogram!("ees_batch_changesets").record(changesets);
}

/// Counts an acknowledgement or a release of a batch that is not out any more.
pub(crate) fn fenced() {
    counter!("ees_consumer_fenced_total").increment(1);
}

fn outcome<T>(committed: &Result<T, Error>, replayed: bool) -> &'static str {
    match committed {
        Ok(_) if replayed => "replayed",
        Ok(_) => "committed",
        Err(Error::Conflict(_) | Error::SetConflict(_)) => "conflict",
        Err(Error::Storage(StorageError::Unavailable {
            written: Written::Unknown,
            ..
        })) => "unknown",
        Err(Error::Storage(StorageError::Fenced { .. })) => "refused",
        Err(Error::Storage(_)) => "failed",
        Err(_) => "refused",
    }
}

fn count_error(error: &StorageError) {
    let kind = match error {
        StorageError::Unavailable { .. } => "unavailable",
        StorageError::Corrupt(_) => "corrupt",
        StorageError::Fenced { .. } => return,
        StorageError::Backend(_) => "backend",
    };
    counter!("ees_storage_errors_total", "kind" => kind).increment(1);
}

#[cfg(test)]
mod tests {
    use metrics::with_local_recorder;
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;

    fn measure(storage: &StorageName) {
        for kind in ["head", "stream", "global", "other"] {
            assert!(begin().read(kind, Ok(())).is_ok());
        }
        let broken = Error::Storage(StorageError::Corrupt("broken".to_owned()));
        for (committed, replayed) in [(Ok(()), false), (Ok(()), true), (Err(broken), false)] {
            begin().commit(storage, &committed, replayed);
        }
    }

    /// A host may install a recorder when the store has long been in use.
    #[test]
    fn each_call_is_measured_with_its_label() {
        let storage = StorageName::new("memory");
        measure(&storage);
        let recorder = DebuggingRecorder::new();
        let told = recorder.snapshotter();
        with_local_recorder(&recorder, || measure(&storage));
        let told = told.snapshot().into_vec().into_iter();
        let mut told: Vec<_> = told
            .map(|(key, _, _, value)| {
                let labels = key.key().labels();
                let labels: Vec<_> = labels.map(metrics::Label::value).collect();
                let count = match value {
                    DebugValue::Counter(count) => count,
                    DebugValue::Histogram(times) => times.len() as u64,
                    DebugValue::Gauge(_) => 0,
                };
                format!("{} {} {count}", key.key().name(), labels.join(" "))
            })
            .collect();
        told.sort();
        let expected = [
            "ees_commit_duration_seconds memory 3",
            "ees_commits_total committed 1",
            "ees_commits_total failed 1",
            "ees_commits_total replayed 1",
            "ees_read_duration_seconds global 1",
            "ees_read_duration_seconds head 1",
            "ees_read_duration_seconds other 1",
            "ees_read_duration_seconds stream 1",
            "ees_storage_errors_total corrupt 1",
        ];
        assert_eq!(told, expected);
    }
}
