//! The file of the key that signs the log.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use ees_evidence::LogKey;

use crate::Failure;

/// The largest file that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// Reads the key of `--log-key`.
///
/// # Errors
/// [`Failure::Usage`] if the file is missing, has no key, or can be read by everybody.
pub(crate) fn read(path: &Path) -> Result<LogKey, Failure> {
    let wrong = |wrong: String| {
        let path = path.display();
        Failure::Usage(format!(
            "`--log-key {path}`: {wrong}; `ees log keygen --origin NAME --out FILE` makes a key"
        ))
    };
    let text = read_secret(path).map_err(|error| wrong(error.to_string()))?;
    LogKey::parse(&text).map_err(|error| wrong(error.to_string()))
}

fn read_secret(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    check_rights(&file)?;
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Refuses a key that every user of the machine can read.
#[cfg(unix)]
fn check_rights(file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    if file.metadata()?.mode() & 0o004 == 0 {
        return Ok(());
    }
    Err(io::Error::other(
        "every user of the machine can read it: `chmod 600` it, and make a new key if others may have",
    ))
}

#[cfg(not(unix))]
fn check_rights(_: &File) -> io::Result<()> {
    Ok(())
}

/// Writes a key into a new file, which only its owner can read.
///
/// # Errors
/// [`Failure::Run`] if the file exists or cannot be written.
pub(super) fn write(path: &Path, key: &LogKey) -> Result<(), Failure> {
    let cannot =
        |error: &io::Error| Failure::Run(format!("cannot write {}: {error}", path.display()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| cannot(&error))?;
    let text = format!("{}\n", key.to_secret_text());
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.map_err(|error| {
        // A half-written key is of no use to anybody.
        let _ = fs::remove_file(path);
        cannot(&error)
    })
}
