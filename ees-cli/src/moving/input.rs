//! The file that an import reads.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use tokio::sync::mpsc;

use crate::Failure;

/// How many batches of lines wait for the import.
const WAITING: usize = 2;

/// A batch ends after so many bytes.
const BATCH_BYTES: usize = 1024 * 1024;

/// What a file begins with that zstd has compressed.
#[cfg(feature = "zstd")]
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The lines of a file or of standard input. A thread of its own reads them.
pub(crate) struct Input {
    batches: mpsc::Receiver<Result<Vec<String>, String>>,
}

impl Input {
    /// Opens a file. A line has at most `max_line` bytes.
    pub(crate) fn open(path: &Path, max_line: usize) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::Run(format!("`{}` cannot be read: {error}", path.display()))
        };
        let source: Box<dyn Read + Send> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(failed)?)
        };
        let (sender, batches) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new().name("ees-import".to_owned());
        let thread = thread.spawn(move || {
            if let Err(problem) = read(source, max_line, &sender) {
                // The import may have ended before.
                let _ = sender.blocking_send(Err(problem));
            }
        });
        thread.map_err(failed)?;
        Ok(Self { batches })
    }

    /// The next lines; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<String>>, Failure> {
        let batch = self.batches.recv().await.transpose();
        batch.map_err(|problem| Failure::Run(format!("the export cannot be read: {problem}")))
    }
}

type Sender = mpsc::Sender<Result<Vec<String>, String>>;

fn read(source: Box<dyn Read + Send>, max_line: usize, to: &Sender) -> Result<(), String> {
    let mut source = BufReader::with_capacity(256 * 1024, source);
    let begin = source.fill_buf().map_err(|error| error.to_string())?;
    #[cfg(feature = "zstd")]
    if begin.starts_with(&ZSTD) {
        let decoder = zstd::Decoder::with_buffer(source).map_err(|error| error.to_string())?;
        return read_lines(BufReader::with_capacity(256 * 1024, decoder), max_line, to);
    }
    let _ = begin;
    read_lines(source, max_line, to)
}

fn read_lines(mut source: impl BufRead, max_line: usize, to: &Sender) -> Result<(), String> {
    let mut number = 0_u64;
    let (mut batch, mut bytes) = (Vec::new(), 0);
    loop {
        number += 1;
        let mut line = Vec::new();
        let limit = max_line as u64 + 1;
        let read = (&mut source).take(limit).read_until(b'\n', &mut line);
        let problem = match read {
            Ok(0) => None,
            Ok(_) if line.ends_with(b"\n") => {
                line.pop();
                bytes += line.len();
                match String::from_utf8(line) {
                    Ok(line) => batch.push(line),
                    Err(_) => return flush(batch, to, format!("line {number} is not UTF-8")),
                }
                if bytes < BATCH_BYTES {
                    continue;
                }
                bytes = 0;
                if to.blocking_send(Ok(std::mem::take(&mut batch))).is_err() {
                    return Ok(());
                }
                continue;
            }
            Ok(read) if read as u64 == limit => {
                Some(format!("line {number} is longer than {max_line} bytes"))
            }
            Ok(_) => Some(format!("it ends inside line {number}")),
            Err(error) => Some(format!("in line {number}: {error}")),
        };
        return match problem {
            None => to.blocking_send(Ok(batch)).or(Ok(())),
            Some(problem) => flush(batch, to, problem),
        };
    }
}

/// Hands over what was read before a problem.
fn flush(batch: Vec<String>, to: &Sender, problem: String) -> Result<(), String> {
    let _ = to.blocking_send(Ok(batch));
    Err(problem)
}
