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
  ees-conformance --url https://ID.execute-api.REGION.amazonaws.com/Prod --sigv4
  ees-conformance --list --filter G10";

/// Holds a running Elastic Event Store to its promises, by nothing but HTTP.
///
/// Runs every case of the conformance suite that can be seen through the REST contract, and
/// prints a table by guarantee.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Where the deployment is: `http://HOST[:PORT][/PATH]`, or the same with https.
    #[arg(long, value_parser = Url::parse, required_unless_present = "list")]
    pub(crate) url: Option<Url>,

    /// Run only cases whose `group::case` has this text in it, or which hold this guarantee (`G6`).
    /// May be given more than once: what any of them names is run.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Vec<String>,

    #[command(flatten)]
    pub(crate) aws: Aws,

    /// Print the cases and the guarantees they hold, and run none.
    #[arg(long)]
    pub(crate) list: bool,

    /// Print the report as one JSON document.
    #[arg(long, conflicts_with = "list")]
    pub(crate) json: bool,

    /// A line for each case as it ends, also on a terminal.
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// How many cases to run at the same time.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) jobs: NonZeroUsize,

    /// The largest changeset that the deployment takes, in bytes of events and metadata; cases go
    /// right up to it and one byte beyond. The default is that of `ees serve`.
    #[arg(long, value_name = "N", default_value_t = 16 * 1024 * 1024,
          value_parser = parse_size)]
    pub(crate) max_changeset_bytes: usize,

    /// How long a case may take, in seconds; one that takes longer has failed. It waits half as
    /// long for one thing. The network is in between, so it is more than an adapter gets.
    #[arg(long, value_name = "SECONDS", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) time_limit: u64,
}

/// Whether and with what requests are signed.
#[derive(Debug, clap::Args)]
pub(crate) struct Aws {
    /// Sign every request for AWS's IAM authorization (Signature Version 4).
    #[arg(long)]
    pub(crate) sigv4: bool,

    /// The region to sign for, where the URL does not tell it.
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

/// Smaller than any storage's limit, but large enough for what all cases commit.
const LEAST_LIMIT: usize = 64 * 1024;

fn parse_size(text: &str) -> Result<usize, String> {
    let size: usize = text.parse().map_err(|error| format!("{error}"))?;
    if size < LEAST_LIMIT {
        return Err(format!("at least {LEAST_LIMIT} are needed by the cases"));
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
