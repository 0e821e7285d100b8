//! The command line.

use std::num::NonZeroUsize;

use clap::Parser;

use crate::address::Url;

const AFTER_HELP: &str = "\
The cases use streams with names of their own and read the global order from where they find its \
end, so that they may run beside other data and other writers. They do leave behind what they \
wrote: about 100 MB, in streams with names that end in a UUID. What needs a restart (G4) is not \
run, as a black box cannot restart a deployment; nor, through TLS, a path or signatures, what \
writes HTTP by hand (raw_http).

--sigv4 signs with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, which \
`eval \"$(aws configure export-credentials --format env)\"` sets. SSL_CERT_FILE names other \
certificate authorities to trust.

Exit codes:
  0  every case that ran passed
  1  a case failed
  2  the command line is wrong, or there is nothing to run
  3  the deployment cannot be reached

Examples:
  ees-conformance --url http://127.0.0.1:8080
  ees-conformance --url http://127.0.0.1:8080 --filter G6 --filter idempotent::
  ees-conformance --url http://127.0.0.1:8080 --json > report.json
  ees-conformance --url https://ID.execute-api.REGION.amazonaws.com/Prod --sigv4 \
    --behind api-gateway
  ees-conformance --list --filter G10";

/// Checks the guarantees of a running Elastic Event Store over HTTP.
///
/// Runs every case of the conformance suite that the REST contract can show, and prints a table by
/// guarantee.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The URL of the deployment: `http://HOST[:PORT][/PATH]`, or the same with https.
    #[arg(long, value_parser = Url::parse, required_unless_present = "list")]
    pub(crate) url: Option<Url>,

    /// Run only cases whose `group::case` contains this text, or that check this guarantee (`G6`).
    /// Repeat the flag to run the cases that match any of its values.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Vec<String>,

    /// What stands before the deployment. Cases then expect what it does with some requests by
    /// itself; conformance-tests/README.md lists them.
    #[arg(long, value_enum, value_name = "FRONT")]
    pub(crate) behind: Option<Behind>,

    #[command(flatten)]
    pub(crate) aws: Aws,

    /// Print the cases and the guarantees that they check, without running them.
    #[arg(long)]
    pub(crate) list: bool,

    /// Print the report as one JSON document.
    #[arg(long, conflicts_with = "list")]
    pub(crate) json: bool,

    /// Print a line for each case when it ends, also on a terminal.
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// The number of cases that run at the same time.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) jobs: NonZeroUsize,

    /// The deployment's limit on a changeset, in bytes of events and metadata. Cases commit up to
    /// this limit and one byte more. The default is that of `ees serve`.
    #[arg(long, value_name = "N", default_value_t = 16 * 1024 * 1024,
          value_parser = parse_size)]
    pub(crate) max_changeset_bytes: usize,

    /// The time limit of a case, in seconds. A case that exceeds it fails. Each wait in a case has
    /// half of this limit. The default is longer than an adapter's, because of the network.
    #[arg(long, value_name = "SECONDS", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) time_limit: u64,
}

/// What stands before a deployment on AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Behind {
    /// A REST API of API Gateway.
    ApiGateway,
    /// The function URL of a Lambda function; signatures are for the service `lambda`.
    FunctionUrl,
}

/// The flags for signed requests.
#[derive(Debug, clap::Args)]
pub(crate) struct Aws {
    /// Sign every request for AWS's IAM authorization (Signature Version 4).
    #[arg(long)]
    pub(crate) sigv4: bool,

    /// The region to sign for, if the URL does not contain it.
    #[arg(long = "aws-region", value_name = "REGION", env = "AWS_REGION")]
    pub(crate) region: Option<String>,

    #[arg(long, hide = true, env = "AWS_ACCESS_KEY_ID", hide_env_values = true)]
    pub(crate) access_key_id: Option<String>,

    #[arg(
        long,
        hide = true,
        env = "AWS_SECRET_ACCESS_KEY",
        hide_env_values = true
    )]
    pub(crate) secret_access_key: Option<String>,

    #[arg(long, hide = true, env = "AWS_SESSION_TOKEN", hide_env_values = true)]
    pub(crate) session_token: Option<String>,
}

/// Smaller than any storage's limit, but large enough for the commits of all cases.
const LEAST_LIMIT: usize = 64 * 1024;

fn parse_size(text: &str) -> Result<usize, String> {
    let size: usize = text.parse().map_err(|error| format!("{error}"))?;
    if size < LEAST_LIMIT {
        return Err(format!("the cases need at least {LEAST_LIMIT}"));
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
