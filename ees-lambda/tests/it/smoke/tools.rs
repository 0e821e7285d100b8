//! The steps that depend on tools, with other tools in their places.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::{failed, root, smoke_with};

/// The tools with versions that are new enough: the program, the name in messages, and what it prints.
const TOOLS: [(&str, &str, &str); 8] = [
    ("aws", "aws", "aws-cli/2.15.0"),
    ("jq", "jq", "jq-1.6"),
    ("curl", "curl", "curl 7.61.0"),
    ("openssl", "openssl", "OpenSSL 1.1.1"),
    ("sam", "SAM CLI", "SAM CLI, version 1.156.0"),
    ("rustc", "Rust", "rustc 1.999.0"),
    ("cargo", "cargo-lambda", "cargo-lambda 1.9.2"),
    ("zig", "zig", "0.15.2"),
];

/// Puts a program into a folder.
fn put(folder: &Path, program: &str, script: &str) {
    let path = folder.join(program);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A folder with all tools, which print their versions.
fn tools() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (program, _, prints) in TOOLS {
        put(folder.path(), program, &format!("echo '{prints}'"));
    }
    folder
}

#[tokio::test]
async fn a_tool_that_is_too_old_fails_the_preflight() {
    for (program, name, older) in [
        ("aws", "aws", "1.28.9"),
        ("jq", "jq", "1.5"),
        ("curl", "curl", "7.60.0"),
        ("openssl", "openssl", "1.0.2"),
        ("sam", "SAM CLI", "1.155.9"),
        ("rustc", "Rust", "1.60.0"),
        ("cargo", "cargo-lambda", "1.9.1"),
        ("zig", "zig", "0.14.1"),
    ] {
        let folder = tools();
        put(folder.path(), program, &format!("echo {older}"));
        let said = smoke_with(Some(folder.path()), &[], &["preflight"]).await;
        failed(said, "preflight", &format!("{name} is {older}; wanted is "));
    }
    let folder = tools();
    put(folder.path(), "sam", "exit 127");
    let said = smoke_with(Some(folder.path()), &[], &["preflight"]).await;
    failed(
        said,
        "preflight",
        "SAM CLI is not installed; wanted is 1.156.0 or later",
    );
}

/// An account that allows so many executions at once.
fn account(folder: &Path, most: u64) {
    let script = format!(
        r#"case "$1" in
--version) echo aws-cli/2.15.0 ;;
sts) echo '{{"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/me"}}' ;;
lambda) echo '{{"AccountLimit": {{"ConcurrentExecutions": {most}}}}}' ;;
esac"#
    );
    put(folder, "aws", &script);
}

#[tokio::test]
async fn an_account_without_room_fails_the_preflight() {
    let folder = tempfile::tempdir().unwrap();
    let preflight = ["--deployed", "preflight"];
    account(folder.path(), 9);
    let said = smoke_with(Some(folder.path()), &[], &preflight).await;
    failed(said, "preflight", "9 concurrent executions are too few");
    account(folder.path(), 10);
    let (passed, said) = smoke_with(Some(folder.path()), &[], &preflight).await;
    assert!(passed && said.contains("WARNING: fewer than 50"), "{said}");
}

#[tokio::test]
async fn a_deployment_that_fails_fails_its_step() {
    let folder = tempfile::tempdir().unwrap();
    let template = root().join("ees-lambda/template.yaml");
    let template = template.to_str().unwrap();
    put(folder.path(), "sam", "echo 'Error: no stack' >&2; exit 1");
    let said = smoke_with(
        Some(folder.path()),
        &[],
        &["--template", template, "deploy"],
    )
    .await;
    failed(said, "deploy", "Error: no stack");
    // A build that fails ends the step, too: nothing old is deployed.
    put(
        folder.path(),
        "sam",
        "[ $1 = deploy ] || { echo 'Error: no build' >&2; exit 1; }",
    );
    let said = smoke_with(Some(folder.path()), &[], &["deploy"]).await;
    failed(said, "deploy", "Error: no build");
}
