//! Golden files: an example of every form of an event that was ever stored.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ees_core::Json;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Upcasts;

/// Compares the golden files of a folder with what becomes of them today.
///
/// `NAME.json` has one event as it was once stored. `NAME.today.json` beside it has the event as it is
/// written today. Every type that has a step needs a file.
///
/// ```no_run
/// # use ees_model::Upcasts;
/// # const ORDERS: Upcasts = Upcasts::NONE;
/// # type OrderEvent = u8;
/// ees_model::testing::golden::<OrderEvent>(ORDERS, "tests/events");
/// ```
///
/// # Panics
/// An event has become another one, cannot be read, or has no file; or the folder cannot be read.
#[track_caller]
pub fn golden<E: Serialize + DeserializeOwned>(upcasts: Upcasts, folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    let checked = stored(folder).and_then(|files| {
        let kinds = files.iter().map(|file| check::<E>(upcasts, file));
        let kinds: Vec<String> = kinds.collect::<io::Result<_>>()?;
        let mut steps = upcasts.steps().iter();
        match steps.find(|step| !kinds.iter().any(|kind| kind == step.from())) {
            Some(step) => Err(wrong(
                folder,
                &format!("no event has the type `{}`", step.from()),
            )),
            None if kinds.is_empty() => Err(wrong(folder, "no event is there")),
            None => Ok(()),
        }
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
}

/// The files with stored events.
fn stored(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| wrong(folder, &error.to_string()))? {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if name.ends_with(".json") && !name.ends_with(".today.json") {
            files.push(path);
        }
    }
    Ok(files)
}

/// Compares one event. Returns its stored type.
fn check<E: Serialize + DeserializeOwned>(upcasts: Upcasts, file: &Path) -> io::Result<String> {
    let stored = Json::parse(&fs::read_to_string(file)?);
    let stored = stored.map_err(|error| wrong(file, &error.to_string()))?;
    let today: E = upcasts
        .read(&stored)
        .map_err(|error| wrong(file, &format!("it cannot be read: {error}")))?;
    let today = serde_json::to_value(today)?;
    let golden = file.with_extension("today.json");
    match fs::read_to_string(&golden) {
        Ok(expected) => {
            let expected: Value = serde_json::from_str(&expected)?;
            if expected != today {
                let problem = format!("it has become {today}, but was {expected}");
                return Err(wrong(file, &problem));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(wrong(
                &golden,
                &format!("it is not there; it would have {today}"),
            ));
        }
        Err(error) => return Err(wrong(&golden, &error.to_string())),
    }
    let kind = stored.event_type().unwrap_or_default();
    Ok(kind.into_owned())
}

fn wrong(path: &Path, problem: &str) -> io::Error {
    io::Error::other(format!("{}: {problem}", path.display()))
}
