//! How far consumers have come, as the metrics tell it. Their names are labels, and consumers come and
//! go: so this is kept here and not by a recorder, which forgets no label.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ees_core::Error;
use ees_core::consumer::{ConsumerError, ConsumerReport, Consumers};

/// The most consumers that one call measures: each costs a few reads. Where there are more, calls
/// measure them in turn.
const AT_ONCE: usize = 64;

/// How far the consumers had come when each was measured last.
#[derive(Debug, Default)]
pub(crate) struct ConsumerMetrics(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    consumers: BTreeMap<String, Lag>,
    /// The name of the consumer that was measured last.
    last: String,
}

/// How far one consumer had come.
#[derive(Debug, Clone, Copy)]
struct Lag {
    seconds: f64,
    changesets: u64,
    parked: usize,
}

impl ConsumerMetrics {
    /// Measures the consumers whose turn it is.
    ///
    /// # Errors
    /// If the storage fails. What was measured before is kept.
    pub(crate) async fn measure(&self, consumers: &Consumers) -> Result<(), Error> {
        let names = consumers.names().await?;
        let turn = self.lock().turn(names);
        for name in turn {
            let lag = match consumers
                .report(&name.parse().map_err(ConsumerError::Name)?)
                .await
            {
                Ok(report) => Some(Lag::new(&report)),
                Err(Error::Consumer(ConsumerError::NotFound(_))) => None,
                Err(error) => return Err(error),
            };
            self.lock().set(name, lag);
        }
        Ok(())
    }

    /// Writes the metrics as Prometheus text.
    pub(crate) fn write(&self, text: &mut String) {
        let state = self.lock();
        let lags = || state.consumers.iter();
        if lags().len() == 0 {
            return;
        }
        let name = "ees_consumer_lag_seconds";
        let help = "The age of the first changeset that a consumer has not passed";
        gauge(text, name, help, lags().map(|(of, lag)| (of, lag.seconds)));
        let name = "ees_consumer_lag_changesets";
        let help = "Changesets that a consumer has not passed";
        gauge(
            text,
            name,
            help,
            lags().map(|(of, lag)| (of, lag.changesets)),
        );
        let name = "ees_consumer_parked_streams";
        let help = "Streams that a consumer has parked";
        gauge(text, name, help, lags().map(|(of, lag)| (of, lag.parked)));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets the consumers that are gone. Returns those whose turn it is.
    fn turn(&mut self, names: Vec<String>) -> Vec<String> {
        self.consumers
            .retain(|name, _| names.binary_search(name).is_ok());
        let (done, mut turn): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| *name <= self.last);
        turn.extend(done);
        turn.truncate(AT_ONCE);
        turn
    }

    fn set(&mut self, name: String, lag: Option<Lag>) {
        self.last.clone_from(&name);
        match lag {
            Some(lag) => self.consumers.insert(name, lag),
            None => self.consumers.remove(&name),
        };
    }
}

impl Lag {
    fn new(report: &ConsumerReport) -> Self {
        Self {
            seconds: report.lag.as_secs_f64(),
            changesets: report.lag_changesets,
            parked: report.partitions.iter().map(|one| one.parked).sum(),
        }
    }
}

/// Writes a gauge of each consumer. Names have no character that a label would have to escape.
fn gauge<'a, T: Display>(
    text: &mut String,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (&'a String, T)>,
) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (consumer, value) in values {
        let _ = writeln!(text, "{name}{{consumer=\"{consumer}\"}} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(numbers: std::ops::Range<usize>) -> Vec<String> {
        numbers.map(|number| format!("c{number:04}")).collect()
    }

    const LAG: Lag = Lag {
        seconds: 0.5,
        changesets: 3,
        parked: 1,
    };

    #[test]
    fn every_consumer_has_its_turn() {
        let mut state = State::default();
        for _ in 0..4 {
            let turn = state.turn(names(0..200));
            assert_eq!(turn.len(), 64, "at most");
            for name in turn {
                state.set(name, Some(LAG));
            }
        }
        assert_eq!(state.consumers.len(), 200, "200 in 4 turns of 64");
        assert_eq!(state.turn(names(0..200))[0], "c0056", "it goes on");
        state.turn(names(100..130));
        assert_eq!(state.consumers.len(), 30, "the others are gone");
        state.set("c0100".to_owned(), None);
        assert_eq!(state.consumers.len(), 29, "it was deleted meanwhile");
    }

    #[test]
    fn metrics_are_prometheus_text() {
        let metrics = ConsumerMetrics::default();
        let mut text = String::new();
        metrics.write(&mut text);
        assert_eq!(text, "", "no consumer");
        metrics.lock().set("billing".to_owned(), Some(LAG));
        metrics.write(&mut text);
        let seconds = "# HELP ees_consumer_lag_seconds The age of the first changeset that a consumer \
                       has not passed\n# TYPE ees_consumer_lag_seconds gauge\n\
                       ees_consumer_lag_seconds{consumer=\"billing\"} 0.5\n";
        assert!(text.starts_with(seconds), "{text}");
        for line in [
            "lag_changesets{consumer=\"billing\"} 3",
            "parked_streams{consumer=\"billing\"} 1",
        ] {
            assert!(text.contains(&format!("\nees_consumer_{line}\n")), "{text}");
        }
    }
}
