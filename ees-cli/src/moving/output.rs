//! The file that an export writes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use ees_evidence::Part;
use tokio::sync::mpsc;

use crate::Failure;

/// How many pieces wait for the disk.
const WAITING: usize = 2;

/// A file that gets its name when it is complete, or standard output. A thread of its own writes it.
pub(crate) struct Output {
    pieces: mpsc::Sender<Vec<Part>>,
    thread: JoinHandle<io::Result<()>>,
    name: PathBuf,
}

impl Output {
    /// Begins a file, which must not exist.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let name = path.to_owned();
        let failed = |error: io::Error| not_written(&name, &error);
        let (pieces, waiting) = mpsc::channel(WAITING);
        let target = if path == Path::new("-") {
            Target::Pipe
        } else {
            if path.exists() {
                return Err(Failure::Run(format!(
                    "`{}` already exists and was not changed; name a new file",
                    path.display()
                )));
            }
            let partial = partial(path);
            let file = File::create(&partial).map_err(failed)?;
            Target::File(file, partial, path.to_owned())
        };
        let thread = std::thread::Builder::new().name("ees-export".to_owned());
        let thread = thread
            .spawn(move || write(target, waiting))
            .map_err(failed)?;
        Ok(Self {
            pieces,
            thread,
            name,
        })
    }

    /// Writes parts, each as a line.
    pub(crate) async fn write(&self, piece: Vec<Part>) -> Result<(), Failure> {
        // A thread that has failed takes no more. `finish` tells why.
        let sent = self.pieces.send(piece).await;
        sent.map_err(|_| Failure::Run("the file is not written".to_owned()))
    }

    /// Ends the file. `is_complete` says whether it gets its name.
    pub(crate) async fn finish(self, is_complete: bool) -> Result<(), Failure> {
        if is_complete {
            // An empty piece is the end.
            let _ = self.pieces.send(Vec::new()).await;
        }
        drop(self.pieces);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        let ended = joined.ok().and_then(Result::ok);
        let lost = || Err(io::Error::other("the thread that writes it has ended"));
        let written = ended.unwrap_or_else(lost);
        written.map_err(|error| not_written(&self.name, &error))
    }
}

enum Target {
    Pipe,
    File(File, PathBuf, PathBuf),
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn write(target: Target, pieces: mpsc::Receiver<Vec<Part>>) -> io::Result<()> {
    match target {
        Target::Pipe => write_all(io::stdout().lock(), pieces).map(drop),
        Target::File(file, partial, path) => {
            let written = write_file(&file, &path, pieces);
            if let Ok(true) = written {
                file.sync_all()?;
                fs::rename(&partial, &path)?;
                return sync_folder(&path);
            }
            fs::remove_file(&partial)?;
            written.map(drop)
        }
    }
}

/// Writes the pieces, compressed if the name says so. Returns whether they were all.
fn write_file(file: &File, path: &Path, pieces: mpsc::Receiver<Vec<Part>>) -> io::Result<bool> {
    if path.extension().is_some_and(|ending| ending == "zst") {
        return compressed(file, pieces);
    }
    write_all(BufWriter::new(file), pieces)
}

#[cfg(feature = "zstd")]
fn compressed(file: &File, pieces: mpsc::Receiver<Vec<Part>>) -> io::Result<bool> {
    let mut encoder = zstd::Encoder::new(BufWriter::new(file), 0)?;
    encoder.include_checksum(true)?;
    let is_complete = write_all(&mut encoder, pieces)?;
    encoder.finish()?.flush()?;
    Ok(is_complete)
}

#[cfg(not(feature = "zstd"))]
fn compressed(_: &File, _: mpsc::Receiver<Vec<Part>>) -> io::Result<bool> {
    Err(io::Error::other("this build of ees does not compress"))
}

fn write_all(mut out: impl Write, mut pieces: mpsc::Receiver<Vec<Part>>) -> io::Result<bool> {
    let mut is_complete = false;
    let mut lines = Vec::new();
    while let Some(piece) = pieces.blocking_recv() {
        is_complete = piece.is_empty();
        for part in &piece {
            part.write_line(&mut lines);
            lines.push(b'\n');
        }
        out.write_all(&lines)?;
        lines.clear();
    }
    out.flush()?;
    Ok(is_complete)
}

/// Makes the name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if cfg!(unix) {
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    Failure::Run(format!(
        "`{}` could not be written: {error}",
        path.display()
    ))
}
