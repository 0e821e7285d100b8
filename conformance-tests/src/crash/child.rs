//! The child process: opens the store, and answers calls until it is killed.

use std::io::{self, Write};
use std::process;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::harness::CrashHarness;
use super::message::{Answer, Asked, Call, Said, written};
use super::target::Target;
use crate::subject::Direct;

/// The exit code of a test that panicked.
const PANICKED: i32 = 101;

/// Serves the store at a location.
pub(super) fn serve<H: CrashHarness>(location: &str) -> ! {
    let (sender, mut calls) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
        // The test's own process has ended.
        process::exit(0);
    });
    let runtime = Runtime::new().expect("a runtime for the child");
    runtime.block_on(async {
        say(&Said::Opening);
        let store = Direct::new(H::open(location).await);
        say(&Said::Ready);
        while let Some(line) = calls.recv().await {
            let answering = tokio::spawn(answer(Arc::clone(&store), line));
            tokio::spawn(async move {
                if answering.await.is_err() {
                    process::exit(PANICKED);
                }
            });
        }
    });
    process::exit(0);
}

async fn answer(store: Arc<Direct>, line: String) {
    let Call { id, asked } = serde_json::from_str(&line).expect("a call");
    let answer = match asked {
        Asked::Commit(ask) => Answer::Commit(Target::commit(&*store, &ask).await),
        Asked::CommitAll(ask) => Answer::CommitAll(Target::commit_all(&*store, &ask).await),
        Asked::Page(read) => Answer::Page(store.page(&read).await),
    };
    say(&Said::Answer { id, answer });
}

/// Says it, so that it is in the pipe when this returns.
fn say(said: &Said) {
    let mut out = io::stdout().lock();
    let text = written(said);
    if out
        .write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        // The test's own process has ended.
        process::exit(0);
    }
}
