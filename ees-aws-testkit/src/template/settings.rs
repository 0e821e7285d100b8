//! Where a template is deployed to, and how.

use std::collections::BTreeMap;

/// Where a template is deployed to, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The stack's name.
    pub stack: String,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// Values of parameters; the others have their defaults.
    pub parameters: BTreeMap<String, String>,
}

impl Default for Settings {
    /// A stack `local` in the account and region that emulators take for granted.
    fn default() -> Self {
        Self {
            stack: "local".to_owned(),
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            parameters: BTreeMap::new(),
        }
    }
}
