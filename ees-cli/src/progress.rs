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
        let done = at.get().saturating_sub(first.get());
        let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let rate = done.saturating_mul(1000) / millis.max(1);
        let left = end.map(|end| end.get().saturating_sub(at.get()) / rate.max(1));
        self.tell(at, end, rate, left);
    }

    /// Removes the line from a terminal.
    pub(crate) fn end(&self) {
        if self.is_terminal {
            write("\r\x1b[K");
        }
    }

    fn tell(&self, at: Checkpoint, end: Option<Checkpoint>, rate: u64, left: Option<u64>) {
        let task = self.task;
        if self.as_json {
            let line = json!({
                "progress": task,
                "checkpoint": at,
                "end": end,
                "per_second": rate,
                "seconds_left": left,
            });
            write(&format!("{line}\n"));
            return;
        }
        let mut line = format!("{task} up to {at}");
        if let Some(end) = end {
            line.extend([" of ", &end.to_string()]);
        }
        line.extend([", ", &rate.to_string(), "/s"]);
        if let Some(left) = left {
            line.extend([", ", &duration(left), " left"]);
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

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn the_time_left_is_short_to_read() {
        let shown = [1, 119, 600, 36_000].map(duration);
        assert_eq!(shown, ["1 s", "119 s", "10 min", "10 h"]);
    }
}
