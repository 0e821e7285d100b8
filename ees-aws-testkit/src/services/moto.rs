//! Runs moto's server as a process that ends with this one.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::Error;

/// The script of the server. It serves on a free port and prints it. It runs until its standard
/// input ends, which is when the process at the other end ends. A FIFO queue accepts one message at
/// a time, since otherwise two equal messages could both pass the check for duplicates.
const SERVE: &str = r#"
import logging, os, sys, threading
logging.getLogger("werkzeug").setLevel(logging.ERROR)
from moto.server import ThreadedMotoServer
from moto.sqs.models import Queue
lock, add = threading.RLock(), Queue.add_message
def add_one(queue, message):
    with lock:
        add(queue, message)
Queue.add_message = add_one
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("%s:%s" % server.get_host_and_port(), flush=True)
sys.stdin.buffer.read()
os._exit(0)
"#;

/// The time limit for the start.
const LONG: Duration = Duration::from_mins(10);

#[derive(Debug)]
pub(super) struct Moto {
    endpoint: String,
    /// The process is killed when it is dropped. It has the other end of its standard input.
    _process: Child,
}

impl Moto {
    pub(super) async fn start(python: &Path) -> Result<Self, Error> {
        if !python.exists() {
            let python = python.to_owned();
            return Err(Error::NoMoto { python });
        }
        let failed = Error::start("moto");
        let mut command = Command::new(python);
        command.args(["-c", SERVE]).env("PYTHONWARNINGS", "ignore");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let spawned = command.stderr(Stdio::piped()).kill_on_drop(true).spawn();
        let mut process = match spawned {
            Ok(process) => process,
            Err(error) => return Err(failed(error)),
        };
        let Ok(address) = timeout(LONG, address(&mut process)).await else {
            return Err(failed(std::io::ErrorKind::TimedOut.into()));
        };
        match address {
            Ok(address) => Ok(Self {
                endpoint: format!("http://{address}"),
                _process: process,
            }),
            Err(error) => Err(failed(error)),
        }
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

/// Reads the address that the server prints once it serves. If it ends before, the error has its
/// output.
async fn address(process: &mut Child) -> std::io::Result<String> {
    let mut line = String::new();
    if let Some(stdout) = process.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).await?;
    }
    let stderr = process.stderr.take();
    if !line.trim().is_empty() {
        // Unread output would block the server.
        tokio::spawn(async move {
            if let Some(mut stderr) = stderr {
                let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
            }
        });
        return Ok(line.trim().to_owned());
    }
    let mut said = String::new();
    if let Some(mut stderr) = stderr {
        stderr.read_to_string(&mut said).await?;
    }
    Err(std::io::Error::other(said))
}
