//! The flags of `ees check`.

use std::path::PathBuf;

use clap::Args;

/// The flags of `ees check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The server: http://HOST:PORT or https://HOST:PORT
    #[arg(
        long,
        value_name = "URL",
        env = "EES_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub url: String,
    /// The secret of a key, for a server that has keys. Other users of the machine see the command
    /// line: use the variable
    #[arg(long, value_name = "KEY", env = "EES_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Trust certificates from these roots, as PEM. Default: those of the system
    #[arg(long, value_name = "FILE", env = "EES_CA")]
    pub ca: Option<PathBuf>,
}
