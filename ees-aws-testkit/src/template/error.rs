//! The errors of templates.

use std::path::PathBuf;

use serde_json::Value;

/// A template cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("the template {path} cannot be read: {source}; give the path of a SAM template")]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        r#source: std::io::Error,
    },
    /// The text is not YAML.
    #[error("the template is not YAML: {0}")]
    Yaml(serde_yaml_ng::Error),
    /// A part of the template is wrong or not supported.
    #[error("the template, at {at}: {what}")]
    Invalid {
        /// The location: `Resources.Events.Properties.TableName`.
        at: String,
        /// The problem: what was found, and what was expected.
        what: String,
    },
}

impl From<serde_yaml_ng::Error> for TemplateError {
    fn from(error: serde_yaml_ng::Error) -> Self {
        Self::Yaml(error)
    }
}

impl TemplateError {
    pub(crate) fn new(at: impl Into<String>, what: impl Into<String>) -> Self {
        let (at, what) = (at.into(), what.into());
        Self::Invalid { at, what }
    }
}

/// A value of a template, or an error.
pub(super) type Resolved<T = Value> = Result<T, TemplateError>;
