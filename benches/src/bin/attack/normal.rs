//! A client that takes no more than its share.

use std::thread;
use std::time::{Duration, Instant};

use benches::process::Process;

/// How many requests it makes.
pub(crate) const REQUESTS: usize = 500;

/// What it was told.
pub(crate) struct Told {
    pub(crate) succeeded: usize,
    pub(crate) longest: Duration,
}

/// Makes its requests, and repeats none.
pub(crate) fn requests(server: &Process) -> Told {
    let mut told = Told {
        succeeded: 0,
        longest: Duration::ZERO,
    };
    for at in 0..REQUESTS {
        let stream = format!("/streams/normal-{}", at / 5);
        let (method, path, body) = match at % 5 {
            0 => ("POST", stream, r#"{"events":[{"type":"init"}]}"#),
            1 => ("GET", stream, ""),
            2 => ("GET", format!("{stream}/events"), ""),
            3 => ("GET", format!("{stream}/changesets"), ""),
            _ => ("GET", "/health/ready".to_owned(), ""),
        };
        let begun = Instant::now();
        let status = server.request(method, &path, body);
        let took = begun.elapsed();
        told.longest = told.longest.max(took);
        if status == 200 {
            told.succeeded += 1;
        } else {
            println!("  {method} {path}: {status} after {} ms", took.as_millis());
        }
        thread::sleep(Duration::from_millis(10));
    }
    told
}
