//! A server's folder, and the guardian that removes it, and the server in it, when nobody uses it
//! any more.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;
use crate::machine::Machine;

/// The file that everyone who uses the server holds locked. The system lets go of it when a
/// process ends, however it ends.
const USERS: &str = "users";

/// Where PostgreSQL leaves the number of its process.
pub(crate) const PID: &str = "pid";

/// Waits until no user is left, and none has come for so many seconds, and stops and removes what
/// is there. Whoever wants to join at that moment finds the lock taken and starts a server anew.
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

/// A folder in use.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    _users: File,
}

impl Folder {
    /// Makes a folder that PostgreSQL can write to, with a guardian that keeps it so many seconds
    /// longer than it is used.
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

    /// Becomes a user of a folder that others use too; `None` if nobody does any more.
    pub(crate) fn join(path: &Path) -> Option<Self> {
        let users = File::open(path.join(USERS)).ok()?;
        users.try_lock_shared().ok()?;
        // It may have been removed before it was locked.
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

/// Where all folders of a user are. Nobody else can have made it.
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
        said: "it belongs to somebody else; remove it".to_owned(),
    })
}

/// 128 bits that nobody guesses.
pub(crate) fn random() -> Result<String, Error> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    let read = File::open(source).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(Error::file(source))?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// A process group of its own: what is done to the test's is not done to it.
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
