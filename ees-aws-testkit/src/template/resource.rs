//! A resource of a template.

use serde_json::{Map, Value};

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
