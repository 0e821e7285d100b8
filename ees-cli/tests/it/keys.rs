//! Servers with keys: who may do what (G18).

mod changing;
mod consumers;
mod file;
mod routes;
mod secrets;

use std::path::{Path, PathBuf};

use crate::http::{Answer, receive, send};
use crate::process::{Ees, ees, run};
use tempfile::TempDir;

/// A server with a file of keys.
struct Guarded {
    ees: Ees,
    folder: TempDir,
}

/// Where a folder has its keys.
pub(crate) fn keys(folder: &Path) -> PathBuf {
    folder.join("keys.toml")
}

/// Adds a key to the file of a folder; its secret.
pub(crate) fn add(folder: &Path, name: &str, more: &[&str]) -> String {
    let file = keys(folder).display().to_string();
    let args = ["keys", "add", "--file", &file, "--name", name];
    let (code, secret, errors) = run(&[&args, more].concat());
    assert_eq!(code, Some(0), "{errors}");
    assert!(!errors.contains(secret.trim()), "shown once: {errors}");
    secret.trim().to_owned()
}

pub(crate) fn revoke(folder: &Path, name: &str) {
    let file = keys(folder).display().to_string();
    let (code, _, errors) = run(&["keys", "revoke", "--file", &file, "--name", name]);
    assert_eq!(code, Some(0), "{errors}");
}

impl Guarded {
    /// Starts a server over a folder that has keys.
    fn serve(folder: TempDir) -> Self {
        let file = keys(folder.path()).display().to_string();
        let serve = ["--storage", "memory:", "--listen", "127.0.0.1:0"];
        let log = ["--log", "debug", "--keys", &file];
        let ees = Ees::spawn(ees(&[&serve[..], &log].concat()));
        Self { ees, folder }
    }

    fn call(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> Answer {
        let header = key.map(|key| format!("Authorization: Bearer {key}\r\n"));
        let header = header.unwrap_or_default();
        let sent = send(&self.ees.address(), method, path, &header, body);
        receive(sent.expect("a request")).expect("an answer")
    }

    /// Calls until the answer has a status, as a change of the keys takes a moment.
    fn until(&self, status: u16, path: &str, key: &str) -> Answer {
        let begun = std::time::Instant::now();
        loop {
            let answer = self.call("GET", path, Some(key), "");
            if answer.status == status {
                return answer;
            }
            let is_late = begun.elapsed() > crate::process::LONG;
            assert!(!is_late, "{path} should come to {status}: {}", answer.body);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}
