//! The settings of a deployment.

use std::collections::BTreeMap;

/// The settings of a deployment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The stack's name.
    pub stack: String,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// The values of parameters. Others have their defaults.
    pub parameters: BTreeMap<String, String>,
}

impl Default for Settings {
    /// A stack `local` in the default account and region of emulators.
    fn default() -> Self {
        Self {
            stack: "local".to_owned(),
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            parameters: BTreeMap::new(),
        }
    }
}
