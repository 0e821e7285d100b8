//! Parameters and their values.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Settings;
use super::error::{Resolved, TemplateError};

/// The values of all parameters: the given value, or the default.
pub(super) fn parameters<'a>(
    source: &'a Value,
    settings: &Settings,
) -> Resolved<BTreeMap<&'a str, Value>> {
    let none = Map::new();
    let declared = source["Parameters"].as_object();
    if let Some(unknown) = settings
        .parameters
        .keys()
        .find(|name| !declared.unwrap_or(&none).contains_key(*name))
    {
        let what = format!("the template has no parameter `{unknown}`");
        return Err(TemplateError::new("Parameters", what));
    }
    let Some(declared) = declared else {
        return Ok(BTreeMap::new());
    };
    let value = |(name, parameter): (&'a String, &'a Value)| {
        let given = settings.parameters.get(name).map(|value| json!(value));
        let value = given.unwrap_or_else(|| parameter["Default"].clone());
        checked(name, parameter, &value).map(|value| (name.as_str(), value))
    };
    declared.iter().map(value).collect()
}

/// The value in `CloudFormation`'s form: a text, or a list of texts.
fn checked(name: &str, parameter: &Value, value: &Value) -> Resolved {
    let at = format!("Parameters.{name}");
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => return Err(TemplateError::new(at, "has no default: set a value")),
        other => other.to_string(),
    };
    if let Some(allowed) = parameter["AllowedValues"].as_array() {
        let is_text = |allowed: &Value| match allowed {
            Value::String(allowed) => *allowed == text,
            other => *other.to_string() == text,
        };
        if !allowed.iter().any(is_text) {
            let allowed = &parameter["AllowedValues"];
            return Err(TemplateError::new(
                at,
                format!("`{text}` is not one of {allowed}"),
            ));
        }
    }
    Ok(match parameter["Type"].as_str() {
        Some(kind) if kind == "CommaDelimitedList" || kind.starts_with("List<") => {
            json!(text.split(',').map(str::trim).collect::<Vec<_>>())
        }
        _ => json!(text),
    })
}
