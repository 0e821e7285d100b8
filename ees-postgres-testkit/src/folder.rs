//! A server's folder, and the guardian process that removes the folder and stops its server once
//! they are no longer used.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;
use crate::machine::Machine;

/// The file on which every user of the server holds a shared lock. The operating system releases
/// the lock when the process ends, for whatever reason.
const USERS: &str = "users";

/// The file in which PostgreSQL stores its process id.
pub(crate) const PID: &str = "pid";

/// Waits until the server has no user, and has had none for `$1` seconds. Then it stops the server
/// and removes the folder. A process that wants to join at that moment finds the lock taken and
/// starts a new server.
const GUARDIAN: &str = r#"
trap '' HUP INT TERM
until flock --exclusive "$0/users" true && sleep "$1" && flock --exclusive --nonblock "$0/users" sh -c '
    pid=$(head -n 1 "$0/pid" 2>/dev/null) && kill -s QUIT "$pid" && for _ in $(seq 300); do
        kill -s 0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    rm -rf "$0" || { sleep 1; rm -rf "$0"; }
' "$0"; do
    [ -e "$0/users" ] || exit
done
"#;

/// A folder that this process uses.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    _users: File,
}

impl Folder {
    /// Creates a folder that PostgreSQL can write to, with a guardian. The guardian removes the
    /// folder `linger` seconds after its last use.
    pub(crate) fn create(machine: &Machine, linger: u32) -> Result<Self, Error> {
        let path = base(machine)?.join(random()?);
        let file = |source| Error::file(&path)(source);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(file)?;
        if let Some((uid, gid)) = machine.runs_as {
            chown(&path, Some(uid), Some(gid)).map_err(file)?;
        }
        let users = File::create(path.join(USERS)).map_err(file)?;
        users.lock_shared().map_err(file)?;
        guard(&path, linger)?;
        Ok(Self {
            path,
            _users: users,
        })
    }

    /// Joins the users of an existing folder; `None` if it has no users any more.
    pub(crate) fn join(path: &Path) -> Option<Self> {
        let users = File::open(path.join(USERS)).ok()?;
        users.try_lock_shared().ok()?;
        // The folder may have been removed before the lock was acquired.
        path.join(USERS).exists().then(|| Self {
            path: path.to_owned(),
            _users: users,
        })
    }

    pub(crate) fn read(&self, name: &str) -> Result<String, Error> {
        let path = self.path.join(name);
        fs::read_to_string(&path).map_err(Error::file(&path))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(Error::file(&path))?;
        Ok(path)
    }
}

/// The parent of all folders of a user. Fails if another user created it.
pub(crate) fn base(machine: &Machine) -> Result<PathBuf, Error> {
    let name = format!("ees-postgres-testkit-{}", machine.uid);
    let path = std::env::temp_dir().join(name);
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(&path);
    made.map_err(Error::file(&path))?;
    let found = fs::symlink_metadata(&path).map_err(Error::file(&path))?;
    if found.is_dir() && found.uid() == machine.uid {
        return Ok(path);
    }
    Err(Error::Failed {
        program: path.display().to_string(),
        said: "it belongs to another user; remove it".to_owned(),
    })
}

/// 128 random bits in hexadecimal.
pub(crate) fn random() -> Result<String, Error> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    let read = File::open(source).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(Error::file(source))?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// Starts the guardian in its own process group, so that signals to the test's group do not reach
/// it.
fn guard(folder: &Path, linger: u32) -> Result<(), Error> {
    let mut guardian = Command::new("sh");
    guardian.args(["-c", GUARDIAN]).arg(folder);
    guardian.arg(linger.to_string());
    guardian.process_group(0).current_dir("/");
    guardian.stdin(Stdio::null()).stdout(Stdio::null());
    let spawned = guardian.stderr(Stdio::null()).spawn();
    spawned.map(drop).map_err(|source| Error::Spawn {
        program: "sh".to_owned(),
        source,
    })
}
