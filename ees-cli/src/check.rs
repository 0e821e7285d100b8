//! `ees check`: whether a server is well, and why not.

use std::time::Instant;

use crate::Failure;
use crate::args::RemoteArgs;
use crate::client::{Answer, Client};

/// Asks a server and prints what it answers.
///
/// # Errors
/// [`Failure::Usage`] if the URL or the file of roots is wrong, [`Failure::Run`] if the server is not
/// well.
pub async fn run(args: &RemoteArgs) -> Result<(), Failure> {
    let client = Client::new(args).map_err(Failure::Usage)?;
    let begun = Instant::now();
    let ready = client.get("/health/ready").await.map_err(Failure::Run)?;
    let took = begun.elapsed().as_millis();
    if ready.status != 200 {
        return Err(unwell(args, "it is not ready", &ready));
    }
    let version = client.get("/version").await.map_err(Failure::Run)?;
    let version = version.text("version").unwrap_or("unknown").to_owned();
    let read = client.get("/changesets?checkpoint=head&limit=1").await;
    let read = read.map_err(Failure::Run)?;
    let reading = match (read.status, &args.access.key) {
        (200, _) => "reads are answered",
        (401, None) => "it asks for a key, and none was given",
        (403, Some(_)) => "the key is valid, and may not read all streams",
        _ => return Err(unwell(args, "it does not answer a read", &read)),
    };
    println!(
        "{}: well: version {version}, ready in {took} ms, {reading}",
        args.url
    );
    Ok(())
}

fn unwell(args: &RemoteArgs, what: &str, answer: &Answer) -> Failure {
    let why = answer
        .text("message")
        .unwrap_or("the answer has no message");
    Failure::Run(format!("{}: {what}: {} {why}", args.url, answer.status))
}
