//! How far a long task has come: a line that is written over on a terminal, and lines elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use ees_core::Checkpoint;
use serde_json::json;

/// How often a terminal shows it.
const SHOWN_EVERY: Duration = Duration::from_millis(200);

/// How often a line tells it elsewhere.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// The progress of a task over the global order.
pub(crate) struct Progress {
    task: &'static str,
    as_json: bool,
    is_terminal: bool,
    begun: Instant,
    first: Option<Checkpoint>,
    told: Instant,
}

impl Progress {
    /// The progress of a task: `exported`, `verified`.
    pub(crate) fn of(task: &'static str, as_json: bool) -> Self {
        let now = Instant::now();
        Self {
            task,
            as_json,
            is_terminal: !as_json && std::io::stderr().is_terminal(),
            begun: now,
            first: None,
            told: now,
        }
    }

    /// The task has come so far. `end` is not known for a task that reads a file.
    pub(crate) fn reached(&mut self, at: Checkpoint, end: Option<Checkpoint>) {
        let first = *self.first.get_or_insert(at);
        let every = if self.is_terminal {
            SHOWN_EVERY
        } else {
            TOLD_EVERY
        };
        if self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        let elapsed = self.begun.elapsed().as_secs_f64().max(0.001);
        let rate = at.get().saturating_sub(first.get()) as f64 / elapsed;
        let left = end.map(|end| end.get().saturating_sub(at.get()) as f64 / rate.max(0.001));
        self.tell(at, end, rate, left);
    }

    /// Removes the line from a terminal.
    pub(crate) fn end(&self) {
        if self.is_terminal {
            write("\r\x1b[K");
        }
    }

    fn tell(&self, at: Checkpoint, end: Option<Checkpoint>, rate: f64, left: Option<f64>) {
        let task = self.task;
        if self.as_json {
            let line = json!({
                "progress": task,
                "checkpoint": at,
                "end": end,
                "per_second": rate.round(),
                "seconds_left": left.map(f64::round),
            });
            write(&format!("{line}\n"));
            return;
        }
        let mut line = format!("{task} up to {at}");
        if let Some(end) = end {
            line.push_str(&format!(" of {end}"));
        }
        line.push_str(&format!(", {rate:.0}/s"));
        if let Some(left) = left {
            line.push_str(&format!(", {} left", duration(left)));
        }
        if self.is_terminal {
            write(&format!("\r\x1b[K{line}"));
        } else {
            write(&format!("{line}\n"));
        }
    }
}

/// A failure to tell the progress does not stop the task.
fn write(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}

fn duration(seconds: f64) -> String {
    match seconds.round() {
        seconds if seconds < 120.0 => format!("{seconds} s"),
        seconds if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn the_time_left_is_short_to_read() {
        let shown = [1.4, 119.0, 600.0, 36_000.0].map(duration);
        assert_eq!(shown, ["1 s", "119 s", "10 min", "10 h"]);
    }
}
