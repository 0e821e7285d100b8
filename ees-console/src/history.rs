//! The last hour of what the plots show.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a sample is taken.
pub(crate) const EVERY: Duration = Duration::from_secs(10);

/// How far back the plots go.
pub(crate) const SPAN: Duration = Duration::from_hours(1);

/// How many samples there are at most.
const MOST: usize = 361;

/// What has happened since the server began, when a sample was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Totals {
    /// Commits that succeeded.
    pub(crate) commits: f64,
    /// Reads of the storage.
    pub(crate) reads: f64,
    /// Answers of 5xx, and failures of the storage.
    pub(crate) errors: f64,
}

/// A value at a time, which is counted in seconds before now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) ago: f64,
    pub(crate) value: f64,
}

/// The samples of the last hour, in memory.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<Samples>);

#[derive(Debug, Default)]
struct Samples {
    totals: VecDeque<(Instant, Totals)>,
    lags: HashMap<String, VecDeque<(Instant, f64)>>,
}

impl History {
    /// Adds a sample of the metrics.
    pub(crate) fn add(&self, now: Instant, totals: Totals) {
        push(&mut self.lock().totals, now, totals);
    }

    /// Adds a sample of a consumer's lag, in seconds.
    pub(crate) fn add_lag(&self, now: Instant, consumer: &str, lag: f64) {
        let mut samples = self.lock();
        push(
            samples.lags.entry(consumer.to_owned()).or_default(),
            now,
            lag,
        );
    }

    /// Forgets the consumers that do not exist any more.
    pub(crate) fn keep_only(&self, consumers: &[String]) {
        self.lock().lags.retain(|name, _| consumers.contains(name));
    }

    /// The rate of something per second, between each two samples.
    pub(crate) fn rates(&self, now: Instant, of: impl Fn(&Totals) -> f64) -> Vec<Point> {
        let samples = self.lock();
        let pairs = samples.totals.iter().zip(samples.totals.iter().skip(1));
        let rates = pairs.filter_map(|((begun, before), (ended, after))| {
            let took = ended.saturating_duration_since(*begun).as_secs_f64();
            let grown = of(after) - of(before);
            (took > 0.0).then(|| Point {
                ago: ago(now, *ended),
                value: (grown / took).max(0.0),
            })
        });
        rates.filter(is_shown).collect()
    }

    /// The lag of a consumer, in seconds.
    pub(crate) fn lag(&self, now: Instant, consumer: &str) -> Vec<Point> {
        let samples = self.lock();
        let lags = samples.lags.get(consumer).into_iter().flatten();
        let points = lags.map(|(at, value)| Point {
            ago: ago(now, *at),
            value: *value,
        });
        points.filter(is_shown).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Samples> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push<T>(samples: &mut VecDeque<(Instant, T)>, now: Instant, sample: T) {
    samples.push_back((now, sample));
    if samples.len() > MOST {
        samples.pop_front();
    }
}

fn ago(now: Instant, at: Instant) -> f64 {
    now.saturating_duration_since(at).as_secs_f64()
}

fn is_shown(point: &Point) -> bool {
    point.ago <= SPAN.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_what_happened_between_two_samples() {
        let history = History::default();
        let begun = Instant::now();
        let commits = |commits| Totals {
            commits,
            ..Totals::default()
        };
        history.add(begun, commits(100.0));
        history.add(begun + EVERY, commits(150.0));
        // The process began anew, or a counter did.
        history.add(begun + EVERY * 2, commits(0.0));
        let now = begun + EVERY * 2;
        let rates = history.rates(now, |totals| totals.commits);
        let values: Vec<_> = rates.iter().map(|point| (point.ago, point.value)).collect();
        assert_eq!(values, [(10.0, 5.0), (0.0, 0.0)]);
        let much_later = history.rates(now + SPAN * 2, |totals| totals.commits);
        assert_eq!(much_later, []);
    }

    #[test]
    fn an_hour_of_samples_is_kept_and_no_consumer_that_is_gone() {
        let history = History::default();
        let begun = Instant::now();
        for n in 0..1000 {
            history.add_lag(begun + EVERY * n, "a", f64::from(n));
        }
        history.add_lag(begun, "b", 1.0);
        let now = begun + EVERY * 999;
        let lag = history.lag(now, "a");
        assert_eq!(lag.len(), MOST);
        assert_eq!(lag.last().map(|point| point.value), Some(999.0));
        history.keep_only(&["a".to_owned()]);
        assert_eq!(history.lag(begun, "b"), []);
    }
}
