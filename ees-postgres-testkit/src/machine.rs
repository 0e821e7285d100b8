//! Finds PostgreSQL's programs on this machine, and a user to run them as.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

/// The folder of the programs on Debian and Ubuntu, by version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The users that can run PostgreSQL instead of root.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// PostgreSQL's programs, and the user who runs them.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    programs: PathBuf,
    /// The user id of the test.
    pub(crate) uid: u32,
    /// The ids of the user and group that run PostgreSQL; `None` if the test's user can run it.
    pub(crate) runs_as: Option<(u32, u32)>,
}

impl Machine {
    pub(crate) fn find() -> Result<Self, Error> {
        let mut found = by_pg_config().into_iter().chain(by_version());
        let programs = found.find(|folder| folder.join("initdb").exists());
        let programs = programs.ok_or(Error::NotInstalled)?;
        // The guardian needs `flock`, a part of util-linux.
        let mut flock = Command::new("flock");
        flock.arg("--version");
        run(flock)?;
        let uid = id(&["-u"]).ok_or(Error::NoUser)?;
        Ok(Self {
            programs,
            uid,
            runs_as: match uid {
                0 => Some(unprivileged()?),
                _ => None,
            },
        })
    }

    /// A command of one of PostgreSQL's programs.
    pub(crate) fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = self.unprivileged(self.program(program));
        command.current_dir(folder);
        command
    }

    /// A command that runs as a user that can run PostgreSQL.
    pub(crate) fn unprivileged(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = bare(program);
        if let Some((uid, gid)) = self.runs_as {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// A shell that runs a script in its own mount namespace. The script's first arguments are the
    /// size, the user and the group. After them come the words that change back to an unprivileged
    /// user.
    pub(crate) fn with_small_disk(&self, script: &str, size: u32) -> Command {
        let mut command = bare("unshare");
        let (uid, gid) = self.runs_as.unwrap_or((0, 0));
        let back = if self.runs_as.is_some() {
            format!("setpriv --reuid={uid} --regid={gid} --clear-groups")
        } else {
            command.args(["--user", "--map-root-user"]);
            format!("unshare --user --map-user={}", self.uid)
        };
        command.args(["--mount", "sh", "-c", script]);
        let mut back = back.split(' ');
        command.args(back.next());
        command.args([size, uid, gid].map(|number| number.to_string()));
        command.args(back);
        command
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

/// A command with an empty environment and no input.
fn bare(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// Runs a program to its end. Returns its standard output.
pub(crate) fn run(mut command: Command) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = match command.output() {
        Ok(output) => output,
        Err(source) => return Err(Error::Spawn { program, source }),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Failed { program, said })
}

/// Sends a process a signal by its name. Signal 0 only checks that the process exists.
pub(crate) fn signal(pid: u32, name: &str) -> bool {
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -s \"$0\" \"$1\"", name, &pid.to_string()]);
    run(kill).is_ok()
}

/// The state of a process as Linux's letter: `T` is stopped, `Z` has ended. `None` if the process
/// does not exist.
pub(crate) fn state(pid: u32) -> Option<char> {
    stat(pid)?.chars().next()
}

/// The child processes of a process, from Linux's `/proc`.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = pid.to_string();
    all.filter(|&child| stat(child).is_some_and(|stat| stat.split(' ').nth(1) == Some(&parent)))
        .collect()
}

/// The fields of a process in `/proc/PID/stat`, from its state on.
fn stat(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name comes before the state, in brackets, and may contain any character.
    Some(stat.rsplit_once(") ")?.1.to_owned())
}

fn by_pg_config() -> Option<PathBuf> {
    let mut pg_config = Command::new("pg_config");
    pg_config.arg("--bindir");
    Some(run(pg_config).ok()?.trim().into())
}

/// The installed versions, newest first.
fn by_version() -> Vec<PathBuf> {
    let folders = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let versions = folders.filter_map(|folder| Some((version(&folder.path())?, folder.path())));
    let mut versions: Vec<_> = versions.collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    let folders = versions.into_iter().map(|(_, folder)| folder.join("bin"));
    folders.collect()
}

fn unprivileged() -> Result<(u32, u32), Error> {
    let ids = |name| Some((id(&["-u", name])?, id(&["-g", name])?));
    UNPRIVILEGED.into_iter().find_map(ids).ok_or(Error::NoUser)
}

fn id(args: &[&str]) -> Option<u32> {
    let mut id = Command::new("id");
    id.args(args).stderr(Stdio::null());
    run(id).ok()?.trim().parse().ok()
}
