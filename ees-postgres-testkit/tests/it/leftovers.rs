//! Nothing is left behind, however it ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ees_postgres_testkit::Server;

/// Longer than anything takes that is waited for.
const LONG: Duration = Duration::from_mins(5);

/// The test kit as a process of its own.
pub(crate) struct Kit {
    process: Child,
    pub(crate) url: String,
}

impl Kit {
    pub(crate) fn start(words: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ees-postgres-testkit"));
        command.args(words).stdin(Stdio::piped());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        let stdout = process.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut url).unwrap();
        assert!(url.starts_with("postgres://"), "{url}");
        let url = url.trim_end().to_owned();
        Self { process, url }
    }

    /// Where its server listens.
    fn address(&self) -> String {
        let (_, rest) = self.url.split_once('@').unwrap();
        rest.split_once('/').unwrap().0.to_owned()
    }
}

impl Drop for Kit {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folders of all servers that have this port.
fn folders(address: &str) -> Vec<PathBuf> {
    let (_, port) = address.split_once(':').unwrap();
    let all = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let bases = all.filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("ees-postgres-testkit-")
    });
    let folders = bases.filter_map(|base| fs::read_dir(base.path()).ok());
    let folders = folders.flatten().flatten().map(|folder| folder.path());
    let listens = |folder: &PathBuf| {
        let pid = fs::read_to_string(folder.join("data/postmaster.pid"));
        pid.is_ok_and(|pid| pid.lines().nth(3) == Some(port))
    };
    folders.filter(listens).collect()
}

fn wait_until_gone(address: &str, folders: &[PathBuf]) {
    let begun = Instant::now();
    while TcpStream::connect(address).is_ok() || folders.iter().any(|folder| folder.exists()) {
        assert!(begun.elapsed() < LONG, "{address} {folders:?} are left");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_process_that_ends_leaves_nothing() {
    let mut kit = Kit::start(&[]);
    let (address, folders) = (kit.address(), folders(&kit.address()));
    assert_eq!(folders.len(), 1);
    drop(kit.process.stdin.take());
    assert!(kit.process.wait().unwrap().success());
    assert!(TcpStream::connect(&address).is_err(), "at once");
    assert!(!folders[0].exists(), "at once");
}

#[test]
fn a_process_that_is_killed_leaves_nothing() {
    let mut kit = Kit::start(&[]);
    let (address, folders) = (kit.address(), folders(&kit.address()));
    assert_eq!(folders.len(), 1);
    kit.process.kill().unwrap();
    wait_until_gone(&address, &folders);
}

#[test]
fn a_panic_leaves_nothing() {
    let (told, heard) = std::sync::mpsc::channel();
    let panicked = std::thread::spawn(move || {
        let server = Server::start().unwrap();
        let url = server.database().unwrap().url();
        told.send(url).unwrap();
        panic!("as tests do");
    });
    let url = heard.recv().unwrap();
    assert!(panicked.join().is_err());
    let (_, rest) = url.split_once('@').unwrap();
    wait_until_gone(rest.split_once('/').unwrap().0, &[]);
}

#[test]
fn a_server_that_was_killed_leaves_nothing() {
    let server = Server::start().unwrap();
    let url = server.database().unwrap().url();
    let (_, rest) = url.split_once('@').unwrap();
    let address = rest.split_once('/').unwrap().0.to_owned();
    let folders = folders(&address);
    assert_eq!(folders.len(), 1);
    server.kill().unwrap();
    drop(server);
    wait_until_gone(&address, &folders);
}
