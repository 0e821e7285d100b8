//! The flags of `ees serve`.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::StorageArgs;

/// The groups of options in the help.
const ACCESS: &str = "Options for access";
const DYNAMODB: &str = "Options for DynamoDB";
const PUBLISHING: &str = "Options for publishing";
const EVIDENCE: &str = "Options for the verifiable log";
const LOGS: &str = "Options for logs and traces";

/// The flags of `ees serve`.
#[derive(Debug, Clone, Args)]
#[command(mut_arg("storage", |arg| arg.help("The storage, as a URL (see below)")))]
pub struct ServeArgs {
    /// The store.
    #[command(flatten)]
    pub storage: StorageArgs,
    /// The address to listen on; port 0 selects a free port
    #[arg(
        long,
        value_name = "ADDR",
        env = "EES_LISTEN",
        default_value = "127.0.0.1:8080",
        value_parser = address
    )]
    pub listen: SocketAddr,
    /// The file with the keys of clients, made by `ees keys add`. Without it, every client that
    /// reaches the server can read and append everything
    #[arg(long, value_name = "FILE", env = "EES_KEYS", help_heading = ACCESS)]
    pub keys: Option<PathBuf>,
    /// The certificate for TLS, as PEM, with those between it and a root. The server then speaks
    /// HTTP/2 and HTTP/1.1 over TLS alone. Read again when it changes
    #[arg(long, value_name = "FILE", env = "EES_TLS_CERT", requires = "tls_key", help_heading = ACCESS)]
    pub tls_cert: Option<PathBuf>,
    /// The private key of the certificate, as PEM
    #[arg(long, value_name = "FILE", env = "EES_TLS_KEY", requires = "tls_cert", help_heading = ACCESS)]
    pub tls_key: Option<PathBuf>,
    /// Accept only clients with a certificate from one of these roots, as PEM. Keys still decide
    /// about rights
    #[arg(
        long,
        value_name = "FILE",
        env = "EES_TLS_CLIENT_CA",
        requires = "tls_cert",
        help_heading = ACCESS
    )]
    pub tls_client_ca: Option<PathBuf>,
    /// Allow --listen on an address that other machines can reach, without --keys
    #[arg(long, env = "EES_ALLOW_UNAUTHENTICATED_REMOTE", help_heading = ACCESS)]
    pub allow_unauthenticated_remote: bool,
    /// Allow --listen on an address that other machines can reach, without TLS: normal behind a
    /// proxy that has TLS
    #[arg(long, env = "EES_ALLOW_PLAIN_REMOTE", help_heading = ACCESS)]
    pub allow_plain_remote: bool,
    /// Without --keys: a further host name that requests may be addressed to. Several: separated by
    /// commas, or repeated. `localhost` and loopback addresses are allowed always
    #[arg(
        long,
        value_name = "HOST",
        env = "EES_ALLOWED_HOST",
        value_delimiter = ',',
        help_heading = ACCESS
    )]
    pub allowed_host: Vec<String>,
    /// A second address, with /metrics and the health checks alone. It asks for no key and has no TLS
    #[arg(long, value_name = "ADDR", env = "EES_METRICS_LISTEN", value_parser = address)]
    pub metrics_listen: Option<SocketAddr>,
    /// Records no metrics, to measure what they cost
    #[arg(long, env = "EES_WITHOUT_METRICS", hide = true)]
    pub without_metrics: bool,
    /// The most concurrent requests; further requests get 503 OVERLOADED
    #[arg(long, value_name = "N", env = "EES_MAX_REQUESTS", default_value = "512",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_requests: u32,
    /// The longest time a request may take, in seconds; it must exceed the longest `wait`, 20 s
    #[arg(long, value_name = "SECONDS", env = "EES_REQUEST_TIMEOUT", default_value = "30",
          value_parser = clap::value_parser!(u32).range(21..=3600))]
    pub request_timeout: u32,
    /// Run the indexer and the statistics worker for a storage that orders after the commit
    /// (DynamoDB). Switch it off if AWS Lambda functions or other servers run them
    #[arg(
        long,
        value_name = "SWITCH",
        env = "EES_INDEXER",
        default_value = "on",
        help_heading = DYNAMODB
    )]
    pub indexer: Switch,
    /// Hours between full-table scans for changesets that never got a position (DynamoDB). 0: scan
    /// only when the table's stream may have lost records
    #[arg(long, value_name = "N", env = "EES_SWEEP_HOURS", default_value = "24",
          help_heading = DYNAMODB, value_parser = clap::value_parser!(u32).range(0..=8760))]
    pub sweep_hours: u32,
    /// Publish a message for each commit: `sns:changesets=ARN&events=ARN`. Set it on one server per
    /// store; each further server would publish every message again
    #[arg(long, value_name = "URL", env = "EES_PUBLISH", help_heading = PUBLISHING)]
    pub publish: Option<String>,
    /// Where the first run of publishing begins; later runs continue where the last one stopped
    #[arg(
        long,
        value_name = "WHERE",
        env = "EES_PUBLISH_FROM",
        default_value = "start",
        requires = "publish",
        help_heading = PUBLISHING
    )]
    pub publish_from: PublishFrom,
    /// Seal the global order in the verifiable log, a second behind the commits. Where others run the
    /// indexer (`--indexer off`), they seal too
    #[arg(
        long,
        value_name = "SWITCH",
        env = "EES_SEAL",
        default_value = "on",
        help_heading = EVIDENCE
    )]
    pub seal: Switch,
    /// The file of the key that signs the log, made by `ees log keygen`. Read once, at the start
    #[arg(long, value_name = "FILE", env = "EES_LOG_KEY", help_heading = EVIDENCE)]
    pub log_key: Option<PathBuf>,
    /// How many signed heads are kept: a proof can be made for each
    #[arg(long, value_name = "N", env = "EES_KEEP_HEADS", default_value = "1",
          help_heading = EVIDENCE, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub keep_heads: u16,
    /// Serve the web console at /console, and lead browsers from / to it
    #[cfg(feature = "console")]
    #[arg(long, value_name = "SWITCH", env = "EES_CONSOLE", default_value = "on")]
    pub console: Switch,
    /// Send traces and metrics to this OpenTelemetry collector, over HTTP with protobuf: `/v1/traces` and
    /// `/v1/metrics` are added to the URL. The collector never holds a request up
    #[cfg(feature = "otlp")]
    #[arg(
        long,
        value_name = "URL",
        env = "EES_OTLP_ENDPOINT",
        help_heading = LOGS
    )]
    pub otlp_endpoint: Option<String>,
    /// The log filter for standard error: a level (error, warn, info, debug) or filter directives
    #[arg(
        long,
        value_name = "FILTER",
        env = "EES_LOG",
        default_value = "info",
        help_heading = LOGS
    )]
    pub log: String,
    /// The format of log lines
    #[arg(
        long,
        value_name = "FORMAT",
        env = "EES_LOG_FORMAT",
        default_value = "text",
        help_heading = LOGS
    )]
    pub log_format: LogFormat,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Run it.
    On,
    /// Do not run it.
    Off,
}

/// Where publishing begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PublishFrom {
    /// With the first changeset of the store.
    Start,
    /// With the next one that is committed.
    Now,
}

impl From<PublishFrom> for ees_workers::PublishFrom {
    fn from(from: PublishFrom) -> Self {
        match from {
            PublishFrom::Start => Self::Start,
            PublishFrom::Now => Self::Now,
        }
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// An address, or the first one of a name; IPv4 before IPv6, as clients that ask for 127.0.0.1 are
/// more common.
fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = "expected ADDRESS:PORT, as 127.0.0.1:8080 or localhost:8080";
    let found = text.to_socket_addrs();
    let found = found.map_err(|error| format!("{wrong}: {error}"))?;
    found
        .min_by_key(SocketAddr::is_ipv6)
        .ok_or_else(|| wrong.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_name() {
        assert_eq!(address("localhost:80"), address("127.0.0.1:80"));
        assert!(address("127.0.0.1").is_err(), "there is no port");
    }
}
