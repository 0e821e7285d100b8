//! The flag that names a store.

use clap::Args;

use super::scheme::storage_url;

/// The store of a command.
#[derive(Debug, Clone, Args)]
pub struct StorageArgs {
    /// The store, as a URL
    #[arg(
        id = "storage",
        long = "storage",
        value_name = "URL",
        env = "EES_STORAGE",
        default_value = "sqlite:./ees.db",
        value_parser = storage_url()
    )]
    pub url: String,
}
