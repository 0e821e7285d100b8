//! Environment variables.

use tempfile::TempDir;

use super::{Ees, ees, ended, sqlite};

#[test]
fn the_environment_sets_and_flags_win() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ees.db");
    let mut command = ees(&[]);
    command
        .env("EES_STORAGE", sqlite(&file))
        .env("EES_LISTEN", "127.0.0.1:0");
    command
        .env("EES_LOG", "debug")
        .env("EES_LOG_FORMAT", "json");
    let server = Ees::spawn(command);
    assert!(server.line.contains(&sqlite(&file)), "{}", server.line);
    server.ok("GET", "/version", "");
    server.wait_for_log("{\"");
    drop(server);

    let mut command = ees(&["serve", "--storage", "memory:"]);
    command
        .env("EES_STORAGE", "nonsense")
        .env("EES_LISTEN", "127.0.0.1:0");
    let server = Ees::spawn(command);
    assert!(
        server.line.contains(" serves memory: (new, "),
        "{}",
        server.line
    );
}

#[test]
fn what_is_set_to_nothing_is_unset() {
    let mut command = ees(&["serve", "--storage", "memory:", "--listen", "127.0.0.1:0"]);
    for name in [
        "EES_STORAGE",
        "EES_KEYS",
        "EES_METRICS_LISTEN",
        "EES_TLS_CERT",
        "EES_ALLOW_UNAUTHENTICATED_REMOTE",
        "EES_ALLOWED_HOST",
        "EES_MAX_REQUESTS",
        "EES_LOG",
        "EES_PUBLISH",
        "EES_PUBLISH_FROM",
    ] {
        command.env(name, "");
    }
    Ees::spawn(command).ok("GET", "/version", "");
}

#[test]
fn a_wrong_value_in_the_environment_is_named() {
    for (name, value) in [
        ("EES_STORAGE", "nonsense"),
        ("EES_LISTEN", "nowhere"),
        ("EES_MAX_REQUESTS", "-7"),
        ("EES_REQUEST_TIMEOUT", "never"),
        ("EES_LOG_FORMAT", "xml"),
        ("EES_LOG", "ees=loud"),
        ("EES_ALLOW_UNAUTHENTICATED_REMOTE", "perhaps"),
    ] {
        let mut command = ees(&[]);
        command.env(name, value);
        let (code, _, stderr) = ended(command);
        assert_eq!(code, Some(2), "{name}={value}: {stderr}");
        assert!(stderr.contains(value), "names `{value}`: {stderr}");
    }
}
