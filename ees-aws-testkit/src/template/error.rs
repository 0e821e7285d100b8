//! What is wrong with a template.

use std::path::PathBuf;

use serde_json::Value;

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Its file cannot be read.
    #[error("the template {path} cannot be read: {source}; give the path of a SAM template")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        r#source: std::io::Error,
    },
    /// It is no YAML.
    #[error("the template is not YAML: {0}")]
    Yaml(serde_yaml_ng::Error),
    /// Something in it is wrong, or not known here.
    #[error("the template, at {at}: {what}")]
    Invalid {
        /// `Resources.Events.Properties.TableName`.
        at: String,
        /// What was found, and what was expected.
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

/// What a template says, or what is wrong with it.
pub(super) type Resolved<T = Value> = Result<T, TemplateError>;
