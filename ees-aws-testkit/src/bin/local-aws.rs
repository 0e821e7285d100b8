//! Runs a SAM template's stack on this machine.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ees_aws_testkit::template::{Settings, Template};
use ees_aws_testkit::{Error, LocalAws, Options, Pace, Services};

const AFTER_HELP: &str = "\
Everything is in memory and gone when it ends: DynamoDB in this process; SNS, SQS and S3 in moto, a \
Python package, which is looked for in target/moto unless --python says otherwise.

Example, in the repository's root:
  python3 -m venv target/moto
  target/moto/bin/pip install -r ees-aws-testkit/requirements.txt
  cargo build --release -p ees-lambda
  cargo run -p ees-aws-testkit -- \\
    --template ees-lambda/template.yaml --function target/release/ees-lambda";

/// Runs a SAM template's stack on this machine, without AWS: tables, topics, queues, buckets,
/// functions, what invokes them, and the API.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Args {
    /// The SAM template.
    #[arg(long, value_name = "FILE")]
    template: PathBuf,

    /// The program of all functions, as a custom runtime's `bootstrap`. `_HANDLER` selects the
    /// function.
    #[arg(long, value_name = "FILE")]
    function: PathBuf,

    /// A parameter of the template. May be given more than once.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    parameter: Vec<(String, String)>,

    /// The API's port on the loopback interface. 0 selects a free port.
    #[arg(long, default_value = "0")]
    port: u16,

    /// The maximum number of concurrent invocations of a function for which the template sets no
    /// limit.
    #[arg(long, value_name = "N", default_value = "10")]
    concurrency: usize,

    /// Refuse requests to the API that are not signed with the secret access key `test`.
    #[arg(long)]
    signed: bool,

    /// The Python interpreter in which moto is installed.
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=');
    let parts = parts.map(|(name, value)| (name.to_owned(), value.to_owned()));
    parts.ok_or_else(|| format!("`{text}` has no `=`: expected NAME=VALUE"))
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-aws: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: Args) -> Result<(), Error> {
    let settings = Settings {
        parameters: args.parameter.into_iter().collect(),
        ..Settings::default()
    };
    let template = Template::read(&args.template, &settings)?;
    let program = args
        .function
        .canonicalize()
        .map_err(|source| Error::Start {
            what: "the function's program (build it, and set its path with --function)",
            source,
        })?;
    eprintln!("Starting DynamoDB, SNS, SQS and S3 ...");
    let python = args.python.unwrap_or_else(Services::python);
    let services = Services::with_python(&python).await?;
    eprintln!("Creating the resources of {} ...", args.template.display());
    let mut options = options(program.into(), args.port, args.concurrency);
    options.signed = args.signed;
    let aws = LocalAws::start(template, services, options).await?;
    describe(&aws);
    // Any outcome of the wait ends the program.
    let _ = tokio::signal::ctrl_c().await;
    eprintln!("Stopped.");
    Ok(())
}

/// The options of the stack: the speed of AWS where a user waits, and all schedules.
fn options(program: OsString, port: u16, concurrency: usize) -> Options {
    Options {
        concurrency,
        schedules: true,
        port,
        pace: Pace {
            poll: Duration::from_millis(250),
            ..Pace::default()
        },
        ..Options::new(program)
    }
}

fn describe(aws: &LocalAws) {
    println!("API         {}", aws.url());
    for topic in aws.template().of_type("AWS::SNS::Topic") {
        println!("Topic       {}", topic.arn.as_deref().unwrap_or_default());
    }
    for (kind, name) in [
        ("AWS::DynamoDB::Table", "Table"),
        ("AWS::S3::Bucket", "Bucket"),
        ("AWS::SQS::Queue", "Queue"),
    ] {
        for resource in aws.template().of_type(kind) {
            println!("{name:<11} {}", resource.name);
        }
    }
    println!("\nFor the AWS CLI and SDKs, with any credentials and the region us-east-1:");
    for (name, value) in aws.variables() {
        println!("  export {name}={value}");
    }
    println!("\nTry it:");
    println!("  curl {}/version", aws.url());
    println!("\nCtrl+C stops it and deletes all its data.");
}
