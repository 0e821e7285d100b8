//! The binary as a process: its command line, its ends, its logs, its backups.

mod administering;
mod backing_up;
mod consuming;
mod damaged;
mod disk;
mod logging;
mod publishing;
mod restoring;
mod settings;
mod starting;
mod stopping;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ees_dynamodb_testkit::Emulator;

use crate::http;

/// Longer than anything takes that is waited for.
pub(crate) const LONG: Duration = Duration::from_mins(5);

/// The binary, with no settings from the environment.
pub(crate) fn ees(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ees"));
    command.env_clear().args(args).stdin(Stdio::null());
    command
}

/// Runs the binary to its end; its exit code, standard output and standard error.
pub(crate) fn run(args: &[&str]) -> (Option<i32>, String, String) {
    ended(ees(args))
}

/// Runs a command that must come to its end.
pub(crate) fn ended(mut command: Command) -> (Option<i32>, String, String) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("ees starts");
    // They are read as they come: a pipe holds only so much.
    let stdout = collect(child.stdout.take().expect("a pipe"));
    let stderr = collect(child.stderr.take().expect("a pipe"));
    let status = wait(&mut child);
    if status.is_none() {
        child.kill().expect("SIGKILL is sent");
        child.wait().expect("an end");
    }
    let text = |reader: JoinHandle<Vec<u8>>| {
        let bytes = reader.join().expect("all that was written");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let code = status.and_then(|status| status.code());
    (code, text(stdout), text(stderr))
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("bytes");
        bytes
    })
}

/// Waits for a process's end, but not for ever.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    let begun = Instant::now();
    while begun.elapsed() < LONG {
        let status = child.try_wait().expect("a status");
        if status.is_some() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// The storage URL of a file.
pub(crate) fn sqlite(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// The storage URL of a table on an emulator.
pub(crate) fn dynamodb(emulator: &Emulator) -> String {
    format!("dynamodb://ees_db?endpoint={}", emulator.endpoint())
}

/// A server as a process of its own; killed when it is dropped.
pub(crate) struct Ees {
    child: Child,
    stdout: BufReader<ChildStdout>,
    errors: Arc<Errors>,
    /// What it said when it began.
    pub(crate) line: String,
}

impl Ees {
    /// Starts a server on a free port.
    pub(crate) fn serve(storage: &str) -> Self {
        Self::spawn(ees(&["--storage", storage, "--listen", "127.0.0.1:0"]))
    }

    /// Starts a server by a command, and waits until it listens.
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("ees starts");
        let errors = Errors::collect(child.stderr.take().expect("a pipe"));
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        assert!(line.contains(" on http"), "{line}{}", errors.text());
        Self {
            child,
            stdout,
            errors,
            line,
        }
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        let (_, address) = self.line.trim_end().rsplit_once("://").expect("a URL");
        address.to_owned()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its memory that is resident, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.expect("a size").trim().parse().expect("a number")
    }

    /// Makes a request that must be answered with 200.
    pub(crate) fn ok(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let answer = http::persist(&self.address(), method, path, body).expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill runs").success(), "{name} is sent");
    }

    /// Ends the process as the system would under need of memory.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("SIGKILL is sent");
        self.child.wait().expect("an end");
    }

    /// Waits until the log says something.
    pub(crate) fn wait_for_log(&self, text: &str) {
        self.errors.wait_for(text);
    }

    /// Waits for a line of the log that has a text.
    pub(crate) fn log_line(&self, text: &str) -> String {
        self.errors.wait_for(text);
        let log = self.errors.text();
        let line = log.lines().find(|line| line.contains(text));
        line.expect("the line").to_owned()
    }

    /// Waits for its end; its exit code, what else it said on standard output, and its log.
    pub(crate) fn wait(mut self) -> (Option<i32>, String, String) {
        let status = wait(&mut self.child);
        let status = status.unwrap_or_else(|| panic!("it goes on: {}", self.errors.text()));
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("text");
        self.errors.wait_for_end();
        (status.code(), rest, self.errors.text())
    }
}

impl Drop for Ees {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process writes to standard error, as it comes.
#[derive(Default)]
struct Errors {
    /// The text, and whether it has come to its end.
    written: Mutex<(String, bool)>,
    grown: Condvar,
}

impl Errors {
    fn collect(pipe: impl Read + Send + 'static) -> Arc<Self> {
        let errors = Arc::new(Self::default());
        let collected = Arc::clone(&errors);
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                collected.add(&line, false);
            }
            collected.add("", true);
        });
        errors
    }

    fn add(&self, line: &str, is_end: bool) {
        let mut written = self.written.lock().expect("a lock");
        written.0.push_str(line);
        written.0.push('\n');
        written.1 = is_end;
        self.grown.notify_all();
    }

    fn wait_for(&self, text: &str) {
        self.wait_until(|(written, is_end)| {
            assert!(
                !is_end || written.contains(text),
                "no `{text}` in {written}"
            );
            written.contains(text)
        });
    }

    fn wait_for_end(&self) {
        self.wait_until(|(_, is_end)| *is_end);
    }

    fn wait_until(&self, is_so: impl Fn(&(String, bool)) -> bool) {
        let written = self.written.lock().expect("a lock");
        let waited = self
            .grown
            .wait_timeout_while(written, LONG, |now| !is_so(now));
        let (written, waited) = waited.expect("a lock");
        assert!(
            !waited.timed_out(),
            "waited in vain; the log: {}",
            written.0
        );
    }

    fn text(&self) -> String {
        self.written.lock().expect("a lock").0.clone()
    }
}
