//! Converts YAML with `CloudFormation`'s short forms to JSON with the long forms.

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;
use serde_yaml_ng::value::TaggedValue;

use super::TemplateError;

pub(super) fn to_json(yaml: Yaml) -> Result<Value, TemplateError> {
    Ok(match yaml {
        Yaml::Sequence(items) => items.into_iter().map(to_json).collect::<Result<_, _>>()?,
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                object.insert(key_of(&key)?, to_json(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => long_form(*tagged)?,
        plain => serde_json::to_value(plain)
            .map_err(|error| TemplateError::new("a value", error.to_string()))?,
    })
}

fn key_of(key: &Yaml) -> Result<String, TemplateError> {
    let wrong = || TemplateError::new("a key", format!("{key:?} is not a text"));
    match key {
        Yaml::String(text) => Ok(text.clone()),
        Yaml::Number(number) => Ok(number.to_string()),
        _ => Err(wrong()),
    }
}

/// Converts `!GetAtt A.B` to `{"Fn::GetAtt": ["A", "B"]}`.
fn long_form(tagged: TaggedValue) -> Result<Value, TemplateError> {
    let tag = tagged.tag.to_string();
    let value = to_json(tagged.value)?;
    Ok(match (tag.trim_start_matches('!'), &value) {
        (name @ ("Ref" | "Condition"), _) => json!({ name: value }),
        ("GetAtt", Value::String(path)) => {
            let (id, attribute) = path.split_once('.').unwrap_or((path, ""));
            json!({"Fn::GetAtt": [id, attribute]})
        }
        (name, _) => json!({ format!("Fn::{name}"): value }),
    })
}
