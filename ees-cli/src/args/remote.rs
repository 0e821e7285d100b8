//! The flags of commands that ask a server.

use std::path::PathBuf;

use clap::Args;

/// A server, and how to reach it: the flags of `ees check`, `ees consumers` and `ees log`.
#[derive(Debug, Clone, Args)]
pub struct RemoteArgs {
    /// The server: http://HOST:PORT or https://HOST:PORT
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "EES_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub url: String,
    /// How it is reached.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// How a server is reached.
#[derive(Debug, Clone, Args)]
pub struct AccessArgs {
    /// The secret of a key, for a server that has keys. Other users of the machine see the command
    /// line: use the variable
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "EES_KEY",
        hide_env_values = true
    )]
    pub key: Option<String>,
    /// Trust certificates from these roots, as PEM. Default: those of the system
    #[arg(long, global = true, value_name = "FILE", env = "EES_CA")]
    pub ca: Option<PathBuf>,
}
