//! A resource of a template.

use serde_json::{Map, Value};

/// A resource that is created, since its condition is met or it has none.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The logical id.
    pub id: String,
    /// `AWS::DynamoDB::Table`.
    pub kind: String,
    /// The name: the given one, or one made of the stack's name and the logical id.
    pub name: String,
    /// The ARN, if resources of this type have one.
    pub arn: Option<String>,
    /// The properties; `{}` if there are none.
    pub properties: Value,
    /// The attributes other than the properties: `DeletionPolicy`, `Metadata`, ...
    pub attributes: Map<String, Value>,
}
