//! A running server: its folder, how it is started, and how it is reached.

use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::folder::{Folder, PID, random};
use crate::machine::{Machine, run, signal, state};
use crate::{Error, Settings};

/// The time limit for a start, recovery from a crash, or a stop.
pub(crate) const LONG: Duration = Duration::from_mins(5);

/// The interval at which the server's state is polled.
pub(crate) const SHORT: Duration = Duration::from_millis(20);

/// The range of ports that systems do not assign to outgoing connections.
const PORTS: std::ops::Range<u128> = 10_000..32_000;

/// Mounts a private file system for the data, which disappears with its last process. Then changes
/// back to a user that can run PostgreSQL.
const SMALL_DISK: &str = r#"
mount -t tmpfs -o "size=$1m,mode=0700,uid=$2,gid=$3" tmpfs data && shift 3 && exec "$0" "$@"
"#;

/// Creates a cluster if there is none, and becomes its server.
const SERVE: &str = r#"
[ -e data/PG_VERSION ] || "$0" --pgdata=data --pwfile=password --username=postgres \
    --auth=password --encoding=UTF8 --locale=C --no-sync >log 2>&1 || exit 1
exec "$@" >>log 2>&1
"#;

/// A running server, and how to reach it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) machine: Machine,
    pub(crate) folder: Folder,
    pub(crate) port: u16,
    pub(crate) password: String,
    pub(crate) settings: Settings,
}

impl Running {
    pub(crate) fn start(settings: Settings, linger: u32) -> Result<(Self, Child), Error> {
        let machine = Machine::find()?;
        let folder = Folder::create(&machine, linger)?;
        let password = random()?;
        folder.write("password", &password)?;
        make_data(&folder.path, &machine)?;
        if let Some(size) = settings.disk {
            try_small_disk(&folder.path, &machine, size)?;
        }
        let mut running = Self {
            machine,
            folder,
            port: 0,
            password,
            settings,
        };
        loop {
            running.port = free_port()?;
            let mut process = running.spawn()?;
            match running.wait_until_ready(&mut process) {
                Ok(()) => return Ok((running, process)),
                // Another process took the port.
                Err(Error::Server { log, .. }) if log.contains("Address already in use") => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Joins a server that another process started.
    pub(crate) fn join(machine: Machine, folder: Folder, settings: Settings) -> Option<Self> {
        let running = Self {
            machine,
            port: folder.read("port").ok()?.parse().ok()?,
            password: folder.read("password").ok()?,
            folder,
            settings,
        };
        running.is_ready().then_some(running)
    }

    /// Runs statements. Returns their result with one line for each row and `|` between columns.
    pub(crate) fn sql(&self, database: &str, statements: &str) -> Result<String, Error> {
        let mut psql = self.psql(database);
        psql.args(["--command", statements]);
        run(psql).map(|said| said.trim_end().to_owned())
    }

    pub(crate) fn psql(&self, database: &str) -> Command {
        let mut psql = self.machine.command("psql", &self.folder.path);
        let port = self.port.to_string();
        psql.env("PGPASSWORD", &self.password);
        psql.args(["--host=127.0.0.1", "--port", &port, "--username=postgres"]);
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        psql.args(["--set=ON_ERROR_STOP=1", "--dbname", database]);
        psql
    }

    pub(crate) fn spawn(&self) -> Result<Child, Error> {
        let mut serve = self.server_command();
        let program = serve.get_program().to_string_lossy().into_owned();
        let group = serve.process_group(0).stdout(Stdio::null());
        let spawned = group.stderr(Stdio::null()).spawn();
        spawned.map_err(|source| Error::Spawn { program, source })
    }

    /// The command of the server: a chain of programs, each of which becomes the next one. So the
    /// process is the server's.
    fn server_command(&self) -> Command {
        let machine = &self.machine;
        let serve = ["sh", "-c", SERVE].map(str::to_owned);
        let programs = ["initdb", "postgres"].map(|name| machine.program(name));
        let programs = programs.map(|path| path.display().to_string());
        let mut words: Vec<String> = serve.into_iter().chain(programs).collect();
        words.extend(["-D".to_owned(), "data".to_owned()]);
        for (name, value) in self.options() {
            words.extend(["-c".to_owned(), format!("{name}={value}")]);
        }
        let mut command = match self.settings.disk {
            None => machine.unprivileged("sh"),
            Some(size) => machine.with_small_disk(SMALL_DISK, size),
        };
        let words = match self.settings.disk {
            None => &words[1..],
            Some(_) => &words[..],
        };
        command.args(words).current_dir(&self.folder.path);
        command
    }

    fn options(&self) -> Vec<(String, String)> {
        let on = if self.settings.durable { "on" } else { "off" };
        let pid = self.folder.path.join(PID).display().to_string();
        let port = self.port.to_string();
        let options = [
            ("listen_addresses", "127.0.0.1"),
            ("port", port.as_str()),
            ("unix_socket_directories", ""),
            ("external_pid_file", pid.as_str()),
            // Shared memory is in the folder, so that nothing is left elsewhere.
            ("dynamic_shared_memory_type", "mmap"),
            ("max_connections", "400"),
            ("fsync", on),
            ("full_page_writes", on),
        ];
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let further = self.settings.options.iter().cloned();
        options.into_iter().map(own).chain(further).collect()
    }

    fn is_ready(&self) -> bool {
        let mut ask = self.machine.command("pg_isready", &self.folder.path);
        ask.args(["--host=127.0.0.1", "--port", &self.port.to_string()]);
        ask.arg("--timeout=60");
        run(ask).is_ok()
    }

    pub(crate) fn wait_until_ready(&self, process: &mut Child) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            if !matches!(process.try_wait(), Ok(None)) {
                return Err(self.failed("has not started"));
            }
            // Another server may answer at the port.
            let pid = self.folder.read(PID).unwrap_or_default();
            if pid.trim_end() == process.id().to_string() && self.is_ready() {
                return Ok(());
            }
            if begun.elapsed() > LONG {
                signal(process.id(), "KILL");
                return Err(self.failed("takes too long to start"));
            }
            std::thread::sleep(SHORT);
        }
    }

    /// Waits until a process is in one of these states or does not exist.
    pub(crate) fn wait_for(&self, pid: u32, states: &[char]) -> Result<(), Error> {
        let begun = Instant::now();
        while state(pid).is_some_and(|state| !states.contains(&state)) {
            if begun.elapsed() > LONG {
                return Err(self.failed("does not end"));
            }
            std::thread::sleep(SHORT);
        }
        Ok(())
    }

    pub(crate) fn wait_for_end(&self, process: &mut Child) -> Result<(), Error> {
        let begun = Instant::now();
        while matches!(process.try_wait(), Ok(None)) {
            if begun.elapsed() > LONG {
                return Err(self.failed("does not end"));
            }
            std::thread::sleep(SHORT);
        }
        Ok(())
    }

    fn failed(&self, what: &'static str) -> Error {
        let log = self.folder.read("log").unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(20)..].join("\n");
        Error::Server {
            folder: self.folder.path.clone(),
            what,
            log: end,
        }
    }
}

fn make_data(folder: &Path, machine: &Machine) -> Result<(), Error> {
    let mut mkdir = machine.unprivileged("mkdir");
    mkdir.args(["-m", "0700", "data"]).current_dir(folder);
    run(mkdir).map(drop)
}

/// Mounts a small disk for a program that does nothing, to learn whether this machine allows it.
fn try_small_disk(folder: &Path, machine: &Machine, size: u32) -> Result<(), Error> {
    let mut nothing = machine.with_small_disk(SMALL_DISK, size);
    nothing.arg("true").current_dir(folder);
    run(nothing)
        .map(drop)
        .map_err(|error| Error::NoLimitedDisk {
            said: error.to_string(),
        })
}

/// A free port of the loopback address.
fn free_port() -> Result<u16, Error> {
    for _ in 0..100 {
        let number = u128::from_str_radix(&random()?, 16).unwrap_or_default();
        let port = PORTS.start + number % (PORTS.end - PORTS.start);
        let port = u16::try_from(port).unwrap_or_default();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::Spawn {
        program: "postgres".to_owned(),
        source: io::Error::from(io::ErrorKind::AddrInUse),
    })
}
