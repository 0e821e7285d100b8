//! The script `smoke`, in full, against a deployment on a local AWS; and that its steps can fail.

mod tools;

use std::path::{Path, PathBuf};
use std::process::Output;

use ees_aws_testkit::template::{Settings, Template};
use ees_aws_testkit::{LocalAws, Services};
use tokio::process::Command;

use crate::stack::{INDEXER_STREAM, PUBLISHER_STREAM, options, template};

/// The steps that a stack that stands goes through.
const STEPS: [&str; 11] = [
    "preflight",
    "stack",
    "queue",
    "tour",
    "wait",
    "messages",
    "suite",
    "redrive",
    "sweep",
    "writers",
    "watch",
];

async fn start(parameters: &[(&str, &str)], signed: bool) -> LocalAws {
    start_of(template(parameters), signed).await
}

async fn start_of(template: Template, signed: bool) -> LocalAws {
    let mut options = options();
    options.signed = signed;
    let services = Services::start().await.unwrap();
    LocalAws::start(template, services, options).await.unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A program of the workspace: `cargo test --workspace` builds it beside the functions' own.
fn program(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_ees-lambda")).parent();
    folder.unwrap().join(name)
}

/// Runs the script with these arguments against a stack.
async fn smoke(aws: &LocalAws, arguments: &[&str]) -> (bool, String) {
    smoke_with(None, &aws.variables(), arguments).await
}

/// Runs the script with these variables, and with the tools of a folder before all others.
async fn smoke_with(
    tools: Option<&Path>,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (bool, String) {
    let mut command = Command::new("bash");
    command.arg(root().join("ees-lambda/smoke"));
    command.args(["--stack", "local"]).args(arguments);
    run(command, tools, variables).await
}

/// Runs a command of somebody who has an account.
async fn run(
    mut command: Command,
    tools: Option<&Path>,
    variables: &[(&str, &str)],
) -> (bool, String) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let python = root().join("target/moto/bin");
    let folders = tools.map(Path::to_owned).into_iter().chain([python]);
    let folders = folders.chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command.env("AWS_REGION", "us-east-1");
    command.env("AWS_DEFAULT_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "test");
    command.env("AWS_SECRET_ACCESS_KEY", "test");
    for (name, value) in variables {
        command.env(name, value);
    }
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.success(), text(stdout) + &text(stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_passes_every_step_and_goes() {
    let aws = start(&[], true).await;
    let suite = program("ees-conformance");
    let suite = suite.to_str().unwrap();
    let (passed, said) = smoke(&aws, &["--deployed", "--seconds", "2", "--suite", suite]).await;
    assert!(passed, "{said}");
    for step in STEPS {
        assert!(said.contains(&format!("== {step}\n")), "{step}: {said}");
    }
    let (passed, said) = smoke(&aws, &["teardown"]).await;
    assert!(!passed && said.contains("--delete local"), "{said}");
    let (passed, said) = smoke(&aws, &["--delete", "local", "teardown"]).await;
    assert!(passed, "{said}");
    let (passed, said) = smoke(&aws, &["stack"]).await;
    assert!(!passed && said.contains("there is no stack"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_url_passes_the_steps_of_requests() {
    let aws = start(&[("Endpoint", "function-url")], true).await;
    let (passed, said) = smoke(&aws, &["stack", "tour", "wait"]).await;
    assert!(passed, "{said}");
    aws.pause(INDEXER_STREAM, true).unwrap();
    fails(&aws, &["tour", "wait"], "has_position").await;
    // A topic that is gone.
    let mut delete = Command::new("aws");
    let topic = aws.template().outputs()["EventsTopic"].clone();
    delete.args(["sns", "delete-topic", "--topic-arn"]);
    delete.arg(topic.as_str().unwrap());
    let (deleted, said) = run(delete, None, &aws.variables()).await;
    assert!(deleted, "{said}");
    fails(&aws, &["queue"], "(NotFound)").await;
}

/// Runs steps that must fail at the last of them.
async fn fails(aws: &LocalAws, steps: &[&str], reason: &str) {
    let arguments = [&["--patience", "2", "--seconds", "1"], steps].concat();
    let said = smoke(aws, &arguments).await;
    failed(said, steps.last().unwrap(), reason);
}

/// Whether the script has failed in this step, and said why.
#[track_caller]
fn failed((passed, said): (bool, String), step: &str, reason: &str) {
    let failed = said.contains(&format!("FAILED in {step}: "));
    assert!(!passed && failed && said.contains(reason), "{step}: {said}");
}

/// A deployment whose sweep has no time.
fn hurried() -> Template {
    let text = include_str!("../../template.yaml");
    let (before, sweep) = text.split_once("Handler: sweep\n").unwrap();
    let sweep = sweep.replacen("Timeout: 900", "Timeout: 0", 1);
    let text = format!("{before}Handler: sweep\n{sweep}");
    Template::parse(&text, &Settings::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_fails_the_step_that_looks_for_it() {
    // Whoever does not check signatures answers everybody.
    let aws = start_of(hurried(), false).await;
    fails(&aws, &["tour"], "unsigned").await;
    fails(&aws, &["sweep"], "the sweep answered").await;
    fails(&aws, &["--suite", "false", "suite"], "cases failed").await;
    aws.pause(INDEXER_STREAM, true).unwrap();
    fails(&aws, &["stack"], "mapping_is_on indexer").await;
    fails(&aws, &["writers"], "has_position").await;
    aws.pause(PUBLISHER_STREAM, true).unwrap();
    fails(&aws, &["queue", "messages"], "tour_arrived").await;
    let bucket = aws.template().outputs()["FailuresBucket"].clone();
    let bucket = bucket.as_str().unwrap();
    let put = aws
        .services()
        .put_object(bucket, "wrong", "wrong".to_owned());
    put.await.unwrap();
    fails(&aws, &["redrive"], "the function redrive failed").await;
    // That was logged as an error.
    fails(&aws, &["watch"], "").await;
}
