//! `ees serve` as a process of its own, and what it takes of the machine.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A server as a process; killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    /// Where it listens: `127.0.0.1:PORT`.
    pub address: String,
}

impl Process {
    /// Starts a binary on a free port.
    pub fn start(binary: &Path, storage: &str) -> Self {
        let mut command = Command::new(binary);
        Self::run(command.args(["--storage", storage, "--listen", "127.0.0.1:0"]))
    }

    /// Runs a command that serves, and prints where as the end of its first line.
    pub fn run(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let (_, address) = line.trim_end().rsplit_once("://").expect("it listens");
        Self {
            child,
            _stdout: stdout,
            address: address.to_owned(),
        }
    }

    /// Its memory that is resident, in MiB.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that was ever resident, in MiB.
    pub fn most_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// A line of its status that is in kB, in MiB.
    fn status(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.unwrap().trim().trim_end_matches(" kB");
        kib.parse::<u64>().unwrap() / 1024
    }

    /// The processor time that it has taken.
    pub fn processor_time(&self) -> Duration {
        // Time on the processor in nanoseconds, of each of its threads.
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let times = threads.map(|thread| {
            let path = thread.unwrap().path().join("schedstat");
            let text = fs::read_to_string(path).unwrap_or_default();
            let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
            Duration::from_nanos(nanos.unwrap_or_default())
        });
        times.sum()
    }

    /// Makes a request on a connection of its own; its status, 0 if it is not answered.
    pub fn request(&self, method: &str, path: &str, body: &str) -> u16 {
        let answer = self.try_request(method, path, body).unwrap_or_default();
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        status.unwrap_or_default()
    }

    fn try_request(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: \
             {length}\r\n\r\n{body}"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
