//! The server that all test processes of a user share.

use std::fs::{self, File};
use std::sync::{Arc, Mutex, PoisonError};

use crate::folder::{Folder, base};
use crate::machine::Machine;
use crate::running::Running;
use crate::{Error, Settings};

/// The number of seconds that the server runs without a user before it is removed. Tests that run
/// as processes one after another find it again.
const LINGER: u32 = 5;

/// The server that this process has joined. A static is never dropped, but the process's lock on
/// the server's folder ends with the process.
static KNOWN: Mutex<Option<Arc<Running>>> = Mutex::new(None);

/// The shared server, running or new. It need not be durable, since no test may stop or kill it.
pub(crate) fn server() -> Result<Arc<Running>, Error> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = known.as_ref() {
        return Ok(Arc::clone(running));
    }
    let running = Arc::new(join_or_start()?);
    *known = Some(Arc::clone(&running));
    Ok(running)
}

/// Joins the shared server, or starts it if there is none. A lock allows one process at a time to
/// do so.
fn join_or_start() -> Result<Running, Error> {
    let settings = Settings {
        durable: false,
        ..Settings::default()
    };
    let machine = Machine::find()?;
    let base = base(&machine)?;
    let version = env!("CARGO_PKG_VERSION");
    let lock_path = base.join(format!("shared-{version}.lock"));
    let lock = File::create(&lock_path).map_err(Error::file(&lock_path))?;
    lock.lock().map_err(Error::file(&lock_path))?;
    let name_path = base.join(format!("shared-{version}"));
    let name = fs::read_to_string(&name_path).unwrap_or_default();
    let folder = match name.as_str() {
        "" => None,
        name => Folder::join(&base.join(name)),
    };
    if let Some(folder) = folder
        && let Some(running) = Running::join(machine, folder, settings.clone())
    {
        return Ok(running);
    }
    // The process is not waited for, since it may outlive this one.
    let (running, _process) = Running::start(settings, LINGER)?;
    running.folder.write("port", &running.port.to_string())?;
    let name = running.folder.path.file_name().unwrap_or_default();
    let written = fs::write(&name_path, name.as_encoded_bytes());
    written.map_err(Error::file(&name_path))?;
    Ok(running)
}
