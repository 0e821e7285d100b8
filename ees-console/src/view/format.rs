//! Numbers, sizes and times for people.

use std::time::Duration;

use ees_core::Timestamp;
use maud::{Markup, html};

/// A number with its thousands apart.
pub(crate) fn amount(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A size.
#[allow(clippy::cast_precision_loss)] // it is rounded anyway
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut size = bytes as f64;
    if size < 1024.0 {
        return format!("{bytes} bytes");
    }
    let mut unit = "";
    for larger in units {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = larger;
    }
    format!("{size:.1} {unit}")
}

/// A span of time in its two largest units.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match () {
        () if span < Duration::from_secs(1) => format!("{} ms", span.as_millis()),
        () if seconds < 60 => format!("{seconds} s"),
        () if minutes < 60 => format!("{minutes} min {} s", seconds % 60),
        () if hours < 24 => format!("{hours} h {} min", minutes % 60),
        () => format!("{days} d {} h", hours % 24),
    }
}

/// The time from one moment to another; 0 if the clocks disagree.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    let micros = to.as_micros().saturating_sub(from.as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// How long ago a time is, in its largest unit; the whole time is in its title.
pub(crate) fn age(of: Timestamp, now: Timestamp) -> Markup {
    let passed = between(of, now);
    let seconds = passed.as_secs();
    let told = match seconds {
        0 => "now".to_owned(),
        1..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86400),
    };
    let whole = of.to_string();
    html! { time datetime=(whole) title=(whole) { (told) } }
}

/// A time in full, to the second, with its age.
pub(crate) fn time(of: Timestamp, now: Timestamp) -> Markup {
    html! { span.time { (clock(of)) } " " span.quiet { "(" (age(of, now)) ")" } }
}

/// A time to the second, in UTC.
pub(crate) fn clock(of: Timestamp) -> String {
    let whole = of.to_string();
    let seconds = whole.split('.').next().unwrap_or_default();
    format!("{} UTC", seconds.replacen('T', " ", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sizes_and_spans_are_short() {
        assert_eq!(amount(0), "0");
        assert_eq!(amount(999), "999");
        assert_eq!(amount(1_234_567), "1,234,567");
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(3 << 30), "3.0 GiB");
        for (seconds, told) in [(59, "59 s"), (61, "1 min 1 s"), (3600, "1 h 0 min")] {
            assert_eq!(span(Duration::from_secs(seconds)), told);
        }
        assert_eq!(span(Duration::from_hours(49)), "2 d 1 h");
        assert_eq!(span(Duration::from_millis(12)), "12 ms");
    }
}
