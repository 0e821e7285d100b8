//! Reads a SAM template and resolves it to plain JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

mod error;
mod function;
mod globals;
mod names;
mod parameters;
mod read;
mod resolve;
mod resource;
mod settings;
mod yaml;

pub use error::TemplateError;
pub use function::{Function, Mapping, OnError, Route, Schedule, Trigger};
pub use names::table_of_stream;
pub use resource::Resource;
pub use settings::Settings;

use resolve::Resolver;

/// A template with resolved parameters, conditions and references.
#[derive(Debug, Clone)]
pub struct Template {
    resources: BTreeMap<String, Resource>,
    outputs: BTreeMap<String, Value>,
    stack: String,
}

impl Template {
    /// Reads a template from a file.
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

    /// Reads a template from a text.
    ///
    /// # Errors
    /// [`TemplateError`] if it cannot be resolved.
    pub fn parse(text: &str, settings: &Settings) -> Result<Self, TemplateError> {
        let mut source = yaml::to_json(serde_yaml_ng::from_str(text)?)?;
        globals::apply(&mut source);
        let resolver = Resolver::new(&source, settings)?;
        let resources = resolver.resources()?;
        let outputs = resolver.outputs()?;
        let stack = settings.stack.clone();
        Ok(Self {
            resources,
            outputs,
            stack,
        })
    }

    /// The stack's name.
    pub fn stack(&self) -> &str {
        &self.stack
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
    /// [`TemplateError::Invalid`] if it does not exist.
    pub fn resource(&self, id: &str) -> Result<&Resource, TemplateError> {
        let missing = || TemplateError::new("Resources", format!("there is no resource `{id}`"));
        self.resources.get(id).ok_or_else(missing)
    }

    /// The values of its outputs.
    pub fn outputs(&self) -> &BTreeMap<String, Value> {
        &self.outputs
    }
}
