//! The clients, with this server.

mod in_rust;
mod modelled;

use std::process::{Command, Stdio};

#[test]
fn the_client_in_python_keeps_to_its_cases() {
    test("python");
}

#[test]
fn the_client_in_typescript_keeps_to_its_cases() {
    test("typescript");
}

/// Runs a client's tests with this binary.
fn test(client: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/clients");
    let mut command = Command::new(script);
    command.arg(client).stdin(Stdio::null());
    command.env("EES_BINARY", env!("CARGO_BIN_EXE_ees"));
    let tested = command.output().expect("the script runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (output, errors) = (text(&tested.stdout), text(&tested.stderr));
    assert!(tested.status.success(), "{output}{errors}");
}
