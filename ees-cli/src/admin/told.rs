//! The result of a task.

use serde_json::Value;

/// The result of a task, as text and as JSON.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) json: Value,
}

impl Told {
    pub(super) fn print(&self, as_json: bool) {
        if as_json {
            println!("{}", self.json);
        } else {
            println!("{}", self.text);
        }
    }
}
