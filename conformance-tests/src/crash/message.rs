//! The messages between the two processes: JSON, one message per line.

use serde::{Deserialize, Serialize};

use crate::subject::{Ask, AskSet, Committed, Failure, GlobalPage, GlobalRead};

/// The beginning of a message. The child's standard output also has lines of the test runner.
const MARK: &str = "ees-crash:";

/// A call, to the child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) asked: Asked,
}

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Asked {
    Commit(Ask),
    CommitAll(AskSet),
    Page(GlobalRead<u64>),
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    /// It begins to open the store.
    Opening,
    /// The store is open.
    Ready,
    /// The answer to a call.
    Answer { id: u64, answer: Answer },
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Commit(Result<Committed, Failure>),
    CommitAll(Result<Vec<Committed>, Failure>),
    Page(Result<GlobalPage, Failure>),
}

/// A message of the child as lines. The test runner may have begun a line and not ended it.
pub(super) fn written(said: &Said) -> String {
    let text = serde_json::to_string(said).expect("a message is JSON");
    format!("\n{MARK}{text}\n")
}

/// The message in a line of the child; `None` if it is a line of someone else, or was cut off.
pub(super) fn read(line: &[u8]) -> Option<Said> {
    let text = std::str::from_utf8(line).ok()?;
    let text = text.strip_prefix(MARK)?.strip_suffix('\n')?;
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Changeset;

    #[test]
    fn a_line_that_was_cut_off_is_no_message() {
        let changeset = Changeset {
            stream: "s".to_owned(),
            changeset_id: 1,
            first_event_id: 1,
            last_event_id: 2,
            timestamp: "2021-01-05T13:15:30.000000Z".to_owned(),
            events: "[1.0,\"\\n\"]".to_owned(),
            metadata: "{}".to_owned(),
            checkpoint: Some(0),
            idempotency_key: None,
        };
        let page = GlobalPage {
            changesets: vec![changeset],
            next_checkpoint: 1,
        };
        let answer = Answer::Page(Ok(page.clone()));
        let text = written(&Said::Answer { id: 7, answer });
        let line = text.trim_start().as_bytes();
        let Some(Said::Answer { id: 7, answer }) = read(line) else {
            panic!("a message");
        };
        assert!(matches!(answer, Answer::Page(Ok(found)) if found == page));
        for length in 0..line.len() {
            assert!(read(&line[..length]).is_none(), "{length}");
        }
        assert!(read(b"running 1 test\n").is_none());
    }
}
