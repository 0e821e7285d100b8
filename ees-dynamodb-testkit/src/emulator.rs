//! Runs the emulator as a process that ends with this one.

use std::env::{self, consts::EXE_SUFFIX};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = "ees-dynamodb-emulator";

const MISSING: &str = "the program ees-dynamodb-emulator was not found, neither in a folder above this \
    program nor in PATH. Install it: cargo install --locked ees-dynamodb-emulator. In the repository of \
    the testkit, ./run-tests.sh builds it";

/// An empty `DynamoDB` emulator.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    /// It ends when its standard input is closed.
    process: Child,
}

impl Emulator {
    /// Starts an emulator in a process of its own.
    ///
    /// # Errors
    /// [`io::Error`] if the program `ees-dynamodb-emulator` is not installed, or cannot start.
    pub fn start() -> io::Result<Self> {
        let mut process = Command::new(program())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => io::Error::new(error.kind(), MISSING),
                _ => error,
            })?;
        let mut address = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut address)?;
        }
        let emulator = Self {
            endpoint: format!("http://{}", address.trim_end()),
            process,
        };
        if address.ends_with('\n') {
            Ok(emulator)
        } else {
            Err(io::Error::other("the emulator ended before it served"))
        }
    }

    /// The URL of the emulator: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It fails if the process has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program in a folder above this one, as cargo builds it into the folder of the tests; otherwise
/// its name, which is looked up in PATH.
fn program() -> PathBuf {
    let name = format!("{PROGRAM}{EXE_SUFFIX}");
    let here = env::current_exe().unwrap_or_default();
    let mut folders = here.ancestors().skip(1).take(3).map(Path::to_owned);
    folders
        .find_map(|folder| Some(folder.join(&name)).filter(|program| program.is_file()))
        .unwrap_or_else(|| name.into())
}
