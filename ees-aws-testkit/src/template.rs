//! A SAM template, read and resolved to plain JSON.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

mod function;
mod globals;
mod names;
mod parameters;
mod read;
mod resolve;
mod yaml;

pub use function::{Function, Mapping, OnError, Route, Schedule, Trigger};
pub use names::table_of_stream;

use resolve::Resolver;

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

/// A template whose parameters, conditions and references are resolved.
#[derive(Debug, Clone)]
pub struct Template {
    resources: BTreeMap<String, Resource>,
    outputs: BTreeMap<String, Value>,
}

/// One resource that is really made: its condition, if any, is met.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its logical id.
    pub id: String,
    /// `AWS::DynamoDB::Table`.
    pub kind: String,
    /// Its name, or one made of the stack's and its id.
    pub name: String,
    /// Its ARN, where resources of its type have one.
    pub arn: Option<String>,
    /// Its properties; `{}` if it has none.
    pub properties: Value,
    /// What stands beside the properties: `DeletionPolicy`, `Metadata`, ...
    pub attributes: Map<String, Value>,
}

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
        source: std::io::Error,
    },
    /// It is no YAML.
    #[error("the template is not YAML: {0}")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// Something in it is wrong, or not known here.
    #[error("the template, at {at}: {what}")]
    Invalid {
        /// `Resources.Events.Properties.TableName`.
        at: String,
        /// What was found, and what was expected.
        what: String,
    },
}

impl TemplateError {
    pub(crate) fn new(at: impl Into<String>, what: impl Into<String>) -> Self {
        let (at, what) = (at.into(), what.into());
        Self::Invalid { at, what }
    }
}

impl Template {
    /// Reads a file.
    ///
    /// # Errors
    /// [`TemplateError`] if it cannot be read or resolved.
    pub fn read(path: impl AsRef<Path>, settings: &Settings) -> Result<Self, TemplateError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| TemplateError::File {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, settings)
    }

    /// Reads a template's text.
    ///
    /// # Errors
    /// [`TemplateError`] if it cannot be resolved.
    pub fn parse(text: &str, settings: &Settings) -> Result<Self, TemplateError> {
        let mut source = yaml::to_json(serde_yaml_ng::from_str(text)?)?;
        globals::apply(&mut source);
        let resolver = Resolver::new(&source, settings)?;
        let resources = resolver.resources()?;
        let outputs = resolver.outputs()?;
        Ok(Self { resources, outputs })
    }

    /// All resources, in the order of their ids.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values()
    }

    /// The resources of a type: `AWS::SNS::Topic`.
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        self.resources()
            .filter(move |resource| resource.kind == kind)
    }

    /// The resource with this id.
    ///
    /// # Errors
    /// [`TemplateError::Invalid`] if there is none.
    pub fn resource(&self, id: &str) -> Result<&Resource, TemplateError> {
        let missing = || TemplateError::new("Resources", format!("there is no resource `{id}`"));
        self.resources.get(id).ok_or_else(missing)
    }

    /// Its outputs' values.
    pub fn outputs(&self) -> &BTreeMap<String, Value> {
        &self.outputs
    }

    /// Its functions with what invokes them, in the order of their ids.
    ///
    /// # Errors
    /// [`TemplateError::Invalid`] if a property has a value that it cannot have.
    pub fn functions(&self) -> Result<Vec<Function>, TemplateError> {
        function::functions(self)
    }
}
