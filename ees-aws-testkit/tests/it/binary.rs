//! The program `local-aws`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::gateway::call;
use crate::stack::path;

fn local_aws() -> Command {
    Command::new(env!("CARGO_BIN_EXE_local-aws"))
}

/// The program, and what it printed up to how it is stopped.
fn started() -> (Child, Vec<String>) {
    let mut command = local_aws();
    command.arg("--template").arg(path("stack.yaml"));
    command.arg("--function").arg(path("stack.py"));
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let lines = lines.map_while(Result::ok);
    let mut printed: Vec<_> = lines
        .take_while(|line| !line.starts_with("Ctrl+C"))
        .collect();
    printed.retain(|line| !line.is_empty());
    (process, printed)
}

/// What follows a name in the lines.
fn told<'a>(printed: &'a [String], name: &str) -> &'a str {
    let found = printed
        .iter()
        .find_map(|line| line.trim().strip_prefix(name));
    found
        .unwrap_or_else(|| panic!("{name} is not in {printed:?}"))
        .trim()
}

fn failed(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

#[tokio::test]
async fn it_tells_where_everything_is_and_leaves_nothing_behind_however_it_ends() {
    let (mut process, printed) = started();
    let url = format!("{}/things/x", told(&printed, "API"));
    // A machine under load may take longer than the API waits.
    let mut tries = 0;
    while call("GET", &url, "").await.status != 201 {
        tries += 1;
        assert!(tries < 20, "{url} does not answer");
    }
    let topic = told(&printed, "Topic");
    assert_eq!(topic, "arn:aws:sns:us-east-1:123456789012:things.fifo");
    let moto = told(&printed, "export AWS_ENDPOINT_URL_SNS=http://");
    assert!(TcpStream::connect(moto).is_ok());
    let mut children = children(&process);
    assert!(children.len() >= 2, "moto, and a function");
    // Not even a chance to clean up.
    process.kill().unwrap();
    process.wait().unwrap();
    while children.iter_mut().any(runs) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the system tells of each process that this one started.
fn children(process: &Child) -> Vec<File> {
    let parent = process.id().to_string();
    let all = fs::read_dir("/proc").unwrap();
    let stats = all.filter_map(|entry| File::open(entry.unwrap().path().join("stat")).ok());
    let child = |mut stat| (state_and_parent(&mut stat)?.1 == parent).then_some(stat);
    stats.filter_map(child).collect()
}

/// Whether a process has not ended, though perhaps nobody was told.
fn runs(stat: &mut File) -> bool {
    state_and_parent(stat).is_some_and(|(state, _)| state != "Z")
}

/// Nothing of a process that is gone, whoever has its number then.
fn state_and_parent(stat: &mut File) -> Option<(String, String)> {
    let mut told = String::new();
    stat.rewind().ok()?;
    stat.read_to_string(&mut told).ok()?;
    // Its name may be anything.
    let (_, rest) = told.rsplit_once(") ")?;
    let mut rest = rest.split(' ').map(str::to_owned);
    Some((rest.next()?, rest.next()?))
}

#[test]
fn what_is_missing_is_told() {
    let mut command = local_aws();
    command.args(["--template", "none.yaml", "--function", "none"]);
    assert!(failed(&mut command).contains("none.yaml cannot be read"));
    let mut command = local_aws();
    command.arg("--template").arg(path("stack.yaml"));
    command.args(["--function", "none"]);
    assert!(failed(&mut command).contains("build it"));
    command.args(["--parameter", "Name"]);
    assert!(failed(&mut command).contains("NAME=VALUE"));
}
