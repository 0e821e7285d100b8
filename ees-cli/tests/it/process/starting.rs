//! How it starts, and why it may not.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use super::{Ees, ees, ended, run, sqlite};
use crate::serving;

/// The exit codes that `--help` lists.
const USAGE: Option<i32> = Some(2);
const STORAGE: Option<i32> = Some(3);
const LISTEN: Option<i32> = Some(4);

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder to read");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Tries to serve a file that must be refused; what was said.
fn refused(file: &Path) -> String {
    let args = ["--storage", &sqlite(file), "--listen", "127.0.0.1:0"];
    let (code, stdout, stderr) = run(&args);
    assert_eq!((code, stdout.as_str()), (STORAGE, ""), "{stderr}");
    let name = file.display().to_string();
    assert!(stderr.contains(&name), "names the file: {stderr}");
    stderr
}

/// Runs SQL on a file as any program may.
fn sql(file: &Path, statements: &str) {
    let connection = Connection::open(file).expect("a database");
    let ran = connection.execute_batch(statements);
    ran.expect("statements that run");
}

#[test]
fn it_says_what_it_serves_and_where() {
    let folder = folder();
    for storage in ["memory:", &sqlite(&folder.path().join("ees.db"))] {
        let ees = Ees::serve(storage);
        let version = ees.ok("GET", "/version", "")["version"].clone();
        assert_eq!(version, env!("CARGO_PKG_VERSION"), "one version");
        let address = ees.address();
        let version = env!("CARGO_PKG_VERSION");
        let begin = format!("ees {version} serves {storage} (new, store ");
        let end = format!(") on http://{address}\n");
        let id = ees
            .line
            .strip_prefix(&begin)
            .and_then(|rest| rest.strip_suffix(&end));
        assert_eq!(id.map(str::len), Some(36), "{}", ees.line);
        assert!(!address.ends_with(":0"), "the port in truth: {address}");
        for health in ["live", "ready"] {
            let body = ees.ok("GET", &format!("/health/{health}"), "");
            assert_eq!(body, serde_json::json!({ "status": health }));
        }
    }
}

#[test]
fn it_says_how_much_it_serves_by_an_absolute_path() {
    let folder = folder();
    let file = folder.path().join("ees.db");
    let server = Ees::serve(&sqlite(&file));
    server.ok("POST", "/streams/s", r#"{"events":[1]}"#);
    drop(server);
    let mut relative = ees(&[
        "--storage",
        "sqlite:./ees.db?readers=2",
        "--listen",
        "127.0.0.1:0",
    ]);
    relative.current_dir(folder.path());
    let server = Ees::spawn(relative);
    let file = file.canonicalize().expect("a path");
    let shown = format!("{}?readers=2 (1 changesets, store ", sqlite(&file));
    assert!(server.line.contains(&shown), "{}", server.line);
}

#[test]
fn help_hides_what_the_environment_holds() {
    for args in [["-h"], ["--help"]] {
        let mut command = ees(&args);
        command.env("EES_STORAGE", "postgres://u:S3CR3T@h/db");
        let (code, help, _) = ended(command);
        assert_eq!(code, Some(0));
        assert!(
            help.contains("EES_STORAGE") && !help.contains("S3CR3T"),
            "{help}"
        );
        let groups = [
            "Options:",
            "Options for DynamoDB:",
            "Options for publishing:",
        ];
        for group in groups {
            assert!(help.contains(group), "`{group}` in {help}");
        }
        for group in help.split("\n\n") {
            let lines = group.lines().count();
            assert!(lines <= 24, "{lines} lines do not fit a screen: {group}");
        }
    }
}

#[test]
fn help_tells_what_one_needs_to_know() {
    let settings = [
        "EES_STORAGE",
        "EES_LISTEN",
        "EES_KEYS",
        "EES_METRICS_LISTEN",
        "EES_TLS_CERT",
        "EES_TLS_KEY",
        "EES_TLS_CLIENT_CA",
        "EES_ALLOW_UNAUTHENTICATED_REMOTE",
        "EES_ALLOW_PLAIN_REMOTE",
        "EES_ALLOWED_HOST",
        "EES_MAX_REQUESTS",
        "EES_REQUEST_TIMEOUT",
        "EES_LOG",
        "EES_LOG_FORMAT",
    ];
    for args in [vec!["--help"], vec!["serve", "--help"]] {
        let (code, help, _) = run(&args);
        assert_eq!(code, Some(0));
        for setting in settings {
            assert!(help.contains(setting), "{args:?} names {setting}");
        }
        for part in [
            "Exit codes",
            "sqlite:PATH",
            "postgres://",
            "dynamodb://",
            "memory:",
            "127.0.0.1:8080",
        ] {
            assert!(help.contains(part), "{args:?} tells of {part}");
        }
        for exit in 0..=4 {
            assert!(help.contains(&format!("\n  {exit}  ")), "exit code {exit}");
        }
    }
    let (code, help, _) = run(&["backup", "--help"]);
    assert_eq!(code, Some(0));
    assert!(
        help.contains("EES_STORAGE") && help.contains("ees restore"),
        "{help}"
    );
    let version = format!("ees {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["--version"]), (Some(0), version, String::new()));
}

#[test]
fn a_wrong_command_line_is_refused() {
    for (args, named) in [
        (
            vec!["--storage", "dynamodb://localhost/x"],
            "dynamodb://localhost/x",
        ),
        (vec!["--storage", "postgres://u@h/"], "names no database"),
        (vec!["--storage", "dynamodb://"], "names no events table"),
        (vec!["--storage", "dynamodb://tab?page=1"], "`page`"),
        (
            vec!["--storage", "dynamodb://tab?region=a&region=a"],
            "`region` is given twice",
        ),
        (vec!["--storage", "postgres://u@h/d?x=1"], "`x`"),
        (
            vec!["--storage", "postgres://u@h/d?schema=a&schema=b"],
            "`schema` is given twice",
        ),
        (
            vec!["backup", "f", "--storage", "postgres://h/d"],
            "pg_dump",
        ),
        (vec!["--storage", "ees.db"], "`--storage ees.db`"),
        (vec!["--storage", ""], "--storage"),
        (vec!["--storage", "memory:x"], "memory:x"),
        (vec!["--storage", "memory://"], "memory://"),
        (vec!["--storage", "sqlite:"], "names no file"),
        (vec!["--storage", "sqlite::memory:"], "names no file"),
        (vec!["--storage", "sqlite:x?readers=0"], "readers=0"),
        (
            vec!["--storage", "sqlite:x?reader=1"],
            "did you mean `readers`?",
        ),
        (vec!["--storage", "./ees.db"], "`sqlite:./ees.db`"),
        (vec!["--storage", "sqlite:x?readers=1&readers=2"], "twice"),
        (
            vec!["backup", "f", "--storage", "dynamodb://tab"],
            "point-in-time recovery",
        ),
        (vec!["--listen", "localhost"], "expected ADDRESS:PORT"),
        (vec!["--listen", ":8099"], "expected ADDRESS:PORT"),
        (vec!["--publish-from", "now"], "--publish <URL>"),
        (
            vec!["--listen", "0.0.0.0:0"],
            "--allow-unauthenticated-remote",
        ),
        (vec!["--listen", "[::]:0"], "--allow-unauthenticated-remote"),
        (
            vec!["--listen", "0.0.0.0:0", "--allow-unauthenticated-remote"],
            "--allow-plain-remote",
        ),
        (
            vec!["--listen", "0.0.0.0:0", "--allow-plain-remote"],
            "--allow-unauthenticated-remote",
        ),
        (
            vec!["--keys", "/nowhere/keys"],
            "ees keys add --file /nowhere/keys",
        ),
        (vec!["keys", "add", "--file", "x", "--name", "a"], "--right"),
        (
            vec![
                "keys", "add", "--file", "x", "--name", "a b", "--right", "read",
            ],
            "a name has 1 to 64",
        ),
        (
            vec![
                "keys", "add", "--file", "x", "--name", "a", "--right", "write",
            ],
            "`write` is not a right",
        ),
        (vec!["--max-requests", "0"], "--max-requests"),
        (vec!["--request-timeout", "20"], "--request-timeout"),
        (vec!["--log-format", "xml"], "--log-format"),
        (vec!["--log", "ees=loud"], "--log"),
        (vec!["--log", "info,inof"], "`inof` is not a level"),
        (vec!["--colour"], "--colour"),
        (vec!["frobnicate"], "frobnicate"),
        (vec!["serve", "x"], "x"),
        (vec!["backup"], "FILE"),
    ] {
        let (code, stdout, stderr) = run(&args);
        assert_eq!((code, stdout.as_str()), (USAGE, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(named), "{args:?} names {named}: {stderr}");
    }
    assert!(
        !Path::new("x").exists() && !Path::new("ees.db").exists(),
        "no file is made"
    );
}

#[test]
fn no_url_however_wrong_shows_its_password() {
    for url in [
        "postgrse://u:SECRET@127.0.0.1:1/d",
        "Postgres://u:SECRET@127.0.0.1:1/d",
        "postgres://u:SEC?SECRET@127.0.0.1:1/d",
        "postgres://u:p@127.0.0.1:1/d?Password=SECRET",
        "postgres:u:SECRET@127.0.0.1:1/d",
        "u:SECRET@127.0.0.1:1/d",
    ] {
        for command in [&["serve"][..], &["backup", "x"], &["admin", "sweep"]] {
            let (code, _, stderr) = run(&[command, &["--storage", url]].concat());
            assert!(code == USAGE || code == STORAGE, "{url}: {stderr}");
            assert!(!stderr.contains("SEC"), "{url}: {stderr}");
        }
    }
}

#[test]
fn a_scheme_may_be_written_in_any_case() {
    assert!(
        Ees::serve("Memory:")
            .line
            .contains(" serves memory: (new, ")
    );
    let (_, _, stderr) = run(&["backup", "x", "--storage", "PostgreSQL://h/d"]);
    assert!(stderr.contains("pg_dump"), "{stderr}");
}

#[test]
fn a_file_has_one_server() {
    let folder = folder();
    let file = folder.path().join("ees.db");
    let first = Ees::serve(&sqlite(&file));
    first.ok("POST", "/streams/s", r#"{"events":[1]}"#);
    let said = refused(&file);
    assert!(
        said.contains(&first.pid().to_string()),
        "names the process: {said}"
    );
    let path = "/streams/s?expected_last_changeset=1";
    first.ok("POST", path, r#"{"events":[2]}"#);
}

#[test]
fn what_is_no_database_is_left_alone() {
    let folder = folder();
    let file = folder.path().join("notes.txt");
    let notes = "Not a database, but long enough to have a page's header.\n".repeat(100);
    for content in [notes.as_str(), "short", "SQLite format 3\0 but no more"] {
        fs::write(&file, content).expect("a file");
        refused(&file);
        let left = fs::read(&file).expect("the file");
        assert_eq!(left, content.as_bytes(), "the file is as it was");
    }
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = folder();
    let file = folder.path().join("other.db");
    sql(
        &file,
        "CREATE TABLE changesets (a); INSERT INTO changesets VALUES (1);",
    );
    let before = fs::read(&file).expect("the file");
    let said = refused(&file);
    assert!(
        said.contains("another program"),
        "says what was found: {said}"
    );
    let after = fs::read(&file).expect("the file");
    assert!(before == after, "the file is as it was");
    let made = names(folder.path());
    assert!(
        !made.contains(&"other.db-wal".to_owned()),
        "no log beside it: {made:?}"
    );
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let folder = folder();
    let file = folder.path().join("ees.db");
    let ees = Ees::serve(&sqlite(&file));
    ees.ok("POST", "/streams/s", r#"{"events":[1]}"#);
    ees.signal("TERM");
    assert_eq!(ees.wait().0, Some(0));
    sql(
        &file,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99, 'from the future', TRUE, x'00', 0);",
    );
    let said = refused(&file);
    assert!(said.contains("99"), "names the version: {said}");
    sql(&file, "DELETE FROM _sqlx_migrations WHERE version = 99;");
    let ees = Ees::serve(&sqlite(&file));
    let head = ees.ok("GET", "/streams/s", "");
    assert_eq!(head["last_changeset"], 1, "G4: the refusal harmed nothing");
}

#[test]
fn a_file_needs_a_folder() {
    let folder = folder();
    let missing = folder.path().join("missing");
    refused(&missing.join("ees.db"));
    assert!(!missing.exists(), "no folder is made");
    refused(folder.path());
}

#[test]
fn a_dynamodb_that_does_not_answer_is_named() {
    let endpoint = "http://127.0.0.1:1";
    let storage = format!("dynamodb://ees_db?endpoint={endpoint}");
    let (code, stdout, stderr) = run(&["--storage", &storage, "--listen", "127.0.0.1:0"]);
    assert_eq!((code, stdout.as_str()), (STORAGE, ""), "{stderr}");
    assert!(stderr.contains(endpoint), "names the endpoint: {stderr}");
}

#[test]
fn an_address_in_use_is_named() {
    let folder = folder();
    let storage = sqlite(&folder.path().join("ees.db"));
    let taken = TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = taken.local_addr().expect("an address").to_string();
    let (code, stdout, stderr) = run(&["--storage", &storage, "--listen", &address]);
    assert_eq!((code, stdout.as_str()), (LISTEN, ""), "{stderr}");
    assert!(stderr.contains(&address), "names the address: {stderr}");
}

/// Within one process it shows whether the storage was closed.
#[tokio::test]
async fn an_address_in_use_leaves_the_storage_free() {
    let folder = folder();
    let storage = sqlite(&folder.path().join("ees.db"));
    let taken = TcpListener::bind("127.0.0.1:0").expect("an address");
    let mut args = serving::serve_args(&storage);
    args.listen = taken.local_addr().expect("an address");
    let refused = ees_cli::server::Server::start(&args).await;
    assert!(matches!(refused, Err(ees_cli::Failure::Listen(_))));
    let server = serving::start(&storage).await;
    server.stop().await.expect("an end");
}

/// A server that was started with a limit on open files.
#[cfg(target_os = "linux")]
fn with_files(limit: &str) -> Ees {
    let serve = format!("ulimit {limit}; exec \"$0\" \"$@\"");
    let mut command = std::process::Command::new("bash");
    let args = ["--storage", "memory:", "--listen", "127.0.0.1:0"];
    command.env_clear().args(["-c", &serve]);
    command.arg(env!("CARGO_BIN_EXE_ees")).args(args);
    Ees::spawn(command)
}

#[cfg(target_os = "linux")]
#[test]
fn the_limit_on_open_files_is_raised_or_the_lack_is_told() {
    let ees = with_files("-S -n 256");
    let limits = fs::read_to_string(format!("/proc/{}/limits", ees.pid())).expect("limits");
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = files.and_then(|files| files.split_whitespace().next());
    let soft: u64 = soft.and_then(|soft| soft.parse().ok()).expect("a number");
    assert!(soft > 256, "{soft}");
    with_files("-n 256").wait_for_log("at most 256 open files are allowed");
}
