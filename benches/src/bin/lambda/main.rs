//! Measures the size of the functions' binary, and the time until a function requests its first
//! invocation, against a Python function that creates a boto3 client.
//!
//! `cargo build --profile lambda -p ees-lambda`, then
//! `cargo run -p benches --bin lambda`. `--python` names a Python that has boto3;
//! `.ci/venv moto ees-aws-testkit/requirements.txt` makes one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ffi::OsString;
use std::path::PathBuf;

use benches::report::{Spread, spread};
use clap::Parser;
use ees_aws_testkit::{Function, FunctionSettings};
use ees_dynamodb::{Admin, DynamoConfig};
use ees_dynamodb_testkit::Emulator;

/// The least that a Python function of this kind does before it is ready.
const PYTHON: &str = r#"
import os, urllib.request
import boto3
boto3.client("dynamodb", region_name=os.environ["AWS_REGION"])
runtime = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
urllib.request.urlopen(runtime + "invocation/next").read()
"#;

/// Measures the start of functions.
#[derive(Debug, Parser)]
struct Args {
    /// The functions' binary.
    #[arg(long, default_value = "target/lambda/ees-lambda")]
    function: PathBuf,
    /// A Python that has boto3.
    #[arg(long, default_value = "target/moto/bin/python")]
    python: PathBuf,
    /// The number of starts of each function.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let size = std::fs::metadata(&args.function).expect("the binary: build it first");
    println!("binary: {:.1} MB", megabytes(size.len()));

    let emulator = Emulator::start().unwrap();
    let mut config: DynamoConfig = "dynamodb://ees_db?region=us-east-1".parse().unwrap();
    let over_tls = config.to_string();
    config.endpoint.url = Some(emulator.endpoint().to_owned());
    let sdk = config.endpoint.sdk_with_key("any", "key");
    let admin = Admin::new(&config, &sdk).await.unwrap();
    admin.create_tables().await.unwrap();

    let function = |handler: &str, url: &str| {
        let mut settings = FunctionSettings::new(&args.function, handler);
        settings.environment = vec![("EES_STORAGE".to_owned(), url.to_owned())];
        settings
    };
    let mut python = FunctionSettings::new(&args.python, "python");
    python.command.extend(["-c", PYTHON].map(OsString::from));
    let sides = [
        ("no warm-up, HTTPS client", function("indexer", &over_tls)),
        (
            "warm-up: opens a store",
            function("api", &config.to_string()),
        ),
        ("Python, boto3 client", python),
    ];
    let mut times = [const { Vec::new() }; 3];
    // The first round warms the machine's caches.
    for round in 0..=args.rounds {
        for ((_, settings), times) in sides.iter().zip(&mut times) {
            let millis = init(settings).await;
            if round > 0 {
                times.push(millis);
            }
        }
    }
    let spreads = times.map(|times| spread(times.into_iter()));
    let python = spreads[2].median;
    for ((name, _), spread) in sides.iter().zip(&spreads) {
        let Spread {
            least,
            median,
            most,
        } = spread;
        println!(
            "{name}: {median:.1} ms to the first `next` ({least:.1} to {most:.1}), Python takes {:.0}x",
            python / median
        );
    }
}

/// The time until a new process requests its first invocation, in milliseconds.
async fn init(settings: &FunctionSettings) -> f64 {
    let function = Function::new(settings.clone()).unwrap();
    if let Err(error) = function.warm_up().await {
        panic!("{}: {error}: {}", settings.handler, function.log());
    }
    function.init_times()[0].as_secs_f64() * 1e3
}

#[allow(clippy::cast_precision_loss)] // far below 2^52
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
