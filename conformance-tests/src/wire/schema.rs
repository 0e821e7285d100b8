//! Checks answers against the description that the server gives of them: as much of JSON Schema as
//! the description uses.

use serde_json::Value;

use super::{Call, accepted};
use crate::subject::{Remote, Response};

/// The server's OpenAPI description.
pub(crate) struct Description(Value);

impl Description {
    /// Asks for it.
    pub(crate) async fn of(remote: &Remote) -> Self {
        Self(accepted(&remote.get("/openapi.json").await))
    }

    /// The description itself.
    pub(crate) fn json(&self) -> &Value {
        &self.0
    }

    /// A call's answers, by status.
    pub(crate) fn responses(&self, call: &Call) -> &Value {
        let method = call.method.as_str().to_lowercase();
        &self.0["paths"][call.template][method]["responses"]
    }

    /// Checks an answer against what the call is described to answer with that status.
    pub(crate) fn assert_describes(&self, call: &Call, response: &Response) {
        let status = response.status.as_str();
        let described = &self.responses(call)[status];
        let schema = &described["content"]["application/json"]["schema"];
        let (method, template) = (&call.method, call.template);
        assert!(
            schema.is_object(),
            "G12: {status} of {method} {template} is not described"
        );
        let at = format!("{status} of {method} {template}");
        self.check(schema, &response.json(), &at);
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let Some(reference) = schema["$ref"].as_str() else {
            return schema;
        };
        let pointer = reference.strip_prefix('#').expect("a reference inside");
        let found = self.0.pointer(pointer);
        found.unwrap_or_else(|| panic!("{reference} refers to nothing"))
    }

    /// Every reference in the description leads somewhere in it.
    pub(crate) fn assert_references_lead_somewhere(&self) {
        let mut left = vec![&self.0];
        while let Some(value) = left.pop() {
            self.resolve(value);
            match value {
                Value::Array(values) => left.extend(values),
                Value::Object(fields) => left.extend(fields.values()),
                _ => {}
            }
        }
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) {
        let schema = self.resolve(schema);
        assert_type(&schema["type"], value, at);
        assert_bounds(schema, value, at);
        if let Some(values) = schema["enum"].as_array() {
            assert!(
                values.contains(value),
                "{at}: {value} is not one of {values:?}"
            );
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().expect("a name");
            assert!(value.get(name).is_some(), "{at}: `{name}` is required");
        }
        if let (Some(properties), Some(object)) =
            (schema["properties"].as_object(), value.as_object())
        {
            for (name, value) in object {
                let schema = properties.get(name);
                let schema = schema.unwrap_or_else(|| panic!("{at}: `{name}` is not described"));
                self.check(schema, value, &format!("{at}, {name}"));
            }
        }
        if let Some((schema, values)) = schema.get("items").zip(value.as_array()) {
            for value in values {
                self.check(schema, value, &format!("{at}, item"));
            }
        }
    }
}

/// `type` is a name, several, or absent, which allows all.
fn assert_type(names: &Value, value: &Value, at: &str) {
    let is = |name: &Value| match name.as_str().expect("a type's name") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{at}: the type `{other}` is not known here"),
    };
    let fits = match names {
        Value::Null => true,
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    };
    assert!(fits, "{at}: {value} is not of type {names}");
}

fn assert_bounds(schema: &Value, value: &Value, at: &str) {
    if let Some(number) = value.as_u64() {
        let minimum = schema["minimum"].as_u64().unwrap_or(0);
        let maximum = schema["maximum"].as_u64().unwrap_or(u64::MAX);
        assert!((minimum..=maximum).contains(&number), "{at}: {number}");
    }
    if let ("date-time", Some(text)) = (schema["format"].as_str().unwrap_or(""), value.as_str()) {
        let is_utc = text.len() >= 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z');
        assert!(is_utc, "{at}: `{text}` is no RFC 3339 time in UTC");
    }
}
