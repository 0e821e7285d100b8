//! Changes the file of keys.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::file::{Key, check_name, parse};
use super::secret::Secret;
use crate::Failure;
use crate::args::KeysAdd;

/// The beginning of a new file.
const HEADER: &str = "\
# The keys of `ees serve --keys`. `ees keys add` and `ees keys revoke` change this file; it may also
# be changed by hand. A running server reads it again within two seconds.
";

/// Adds a key and returns its secret.
pub(super) fn add(new: &KeysAdd) -> Result<String, Failure> {
    check_name(&new.name)
        .map_err(|wrong| Failure::Usage(format!("`--name {}`: {wrong}", new.name)))?;
    let secret = Secret::generate();
    let secret = secret.map_err(|error| Failure::Run(format!("no random numbers: {error}")))?;
    let mut key = Table::new();
    key.insert("name", value(&new.name));
    key.insert("hash", value(secret.hash().to_string()));
    let rights = new.right.iter().map(|right| right.as_str());
    key.insert("rights", value(rights.collect::<toml_edit::Array>()));
    if !new.stream_prefix.is_empty() {
        let prefixes = new.stream_prefix.iter().collect::<toml_edit::Array>();
        key.insert("stream_prefixes", value(prefixes));
    }
    if let Some(expires) = new.expires {
        let time: toml_edit::Datetime = expires
            .to_string()
            .parse()
            .map_err(|error| Failure::Usage(format!("`--expires {expires}`: {error}")))?;
        key.insert("expires", value(time));
    }
    change(&new.file, true, |document| {
        let keys = document
            .entry("key")
            .or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        let keys = keys.as_array_of_tables_mut();
        let keys = keys.ok_or_else(|| Failure::Run("`key` is not a list of tables".to_owned()))?;
        if keys.iter().any(|known| is_named(known, &new.name)) {
            let name = &new.name;
            return Err(Failure::Usage(format!(
                "there is a key `{name}` already; revoke it first"
            )));
        }
        keys.push(key);
        Ok(())
    })?;
    Ok(secret.reveal())
}

/// Removes a key.
pub(super) fn revoke(file: &Path, name: &str) -> Result<(), Failure> {
    change(file, false, |document| {
        let keys = document
            .get_mut("key")
            .and_then(Item::as_array_of_tables_mut);
        let unknown = || Failure::Usage(format!("{} has no key `{name}`", file.display()));
        let keys = keys.ok_or_else(unknown)?;
        let before = keys.len();
        keys.retain(|key| !is_named(key, name));
        (keys.len() < before).then_some(()).ok_or_else(unknown)
    })
}

/// Reads the keys of a file.
pub(super) fn read(file: &Path) -> Result<Vec<Key>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| cannot("read", file, &error))?;
    parse(&text).map_err(|wrong| Failure::Usage(format!("{}: {wrong}", file.display())))
}

fn is_named(key: &Table, name: &str) -> bool {
    key.get("name").and_then(Item::as_str) == Some(name)
}

/// Changes a file in one step: a server reads the old one or the new one. Comments stay.
fn change(
    file: &Path,
    may_be_new: bool,
    act: impl FnOnce(&mut DocumentMut) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // A symbolic link stays, and what it points to is replaced.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let new = Replacement::begin(&file)?;
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && may_be_new => HEADER.to_owned(),
        text => text.map_err(|error| cannot("read", &file, &error))?,
    };
    let wrong = |wrong: String| Failure::Usage(format!("{}: {wrong}", file.display()));
    parse(&text).map_err(wrong)?;
    let document = text.parse::<DocumentMut>();
    let mut document = document.map_err(|error| wrong(error.to_string()))?;
    act(&mut document)?;
    let mut text = document.to_string();
    if text.trim().is_empty() {
        HEADER.clone_into(&mut text);
    }
    parse(&text).map_err(wrong)?;
    new.finish(&text)
}

fn cannot(act: &str, file: &Path, error: &io::Error) -> Failure {
    Failure::Run(format!("cannot {act} {}: {error}", file.display()))
}

/// A file that takes the place of another. While it exists, nobody else changes that one.
struct Replacement<'a> {
    file: &'a Path,
    path: PathBuf,
    open: File,
}

impl<'a> Replacement<'a> {
    fn begin(file: &'a Path) -> Result<Self, Failure> {
        let mut path = file.as_os_str().to_owned();
        path.push(".new");
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(open) => Ok(Self { file, path, open }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Failure::Run(format!(
                    "{} exists: another `ees keys` changes the file, or one was killed; remove it then",
                    path.display()
                )))
            }
            Err(error) => Err(cannot("write", &path, &error)),
        }
    }

    fn finish(mut self, text: &str) -> Result<(), Failure> {
        self.write(text)
            .map_err(|error| cannot("write", self.file, &error))
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.open.write_all(text.as_bytes())?;
        if let Ok(known) = fs::metadata(self.file) {
            self.open.set_permissions(known.permissions())?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::{MetadataExt, fchown};
                fchown(&self.open, Some(known.uid()), Some(known.gid()))?;
            }
        }
        self.open.sync_all()?;
        fs::rename(&self.path, self.file)
    }
}

impl Drop for Replacement<'_> {
    fn drop(&mut self) {
        // After the renaming there is nothing to remove.
        let _ = fs::remove_file(&self.path);
    }
}
