//! Filter criteria, which select the records that a function receives.

use serde_json::Value;

use crate::template::TemplateError;

/// A set of patterns. A record must match one of them. Without patterns all records match.
#[derive(Debug, Clone)]
pub struct Filter(Vec<Value>);

impl Filter {
    /// A filter with the patterns of the mapping of this name.
    ///
    /// # Errors
    /// [`TemplateError::Invalid`] if a pattern has an unsupported rule.
    pub fn new(mapping: &str, patterns: &[Value]) -> Result<Self, TemplateError> {
        for pattern in patterns {
            check(pattern).map_err(|what| {
                TemplateError::new(format!("the filter of {mapping}: {pattern}"), what)
            })?;
        }
        Ok(Self(patterns.to_vec()))
    }

    /// Whether a record matches.
    pub fn matches(&self, record: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| matches(pattern, Some(record)))
    }
}

fn check(pattern: &Value) -> Result<(), String> {
    match pattern {
        Value::Object(members) if !members.is_empty() => members.values().try_for_each(check),
        Value::Array(rules) if !rules.is_empty() => rules.iter().try_for_each(check_rule),
        other => Err(format!(
            "{other}, but expected an object or a list of rules"
        )),
    }
}

fn check_rule(rule: &Value) -> Result<(), String> {
    let Value::Object(rule) = rule else {
        return Ok(());
    };
    let known = match rule.iter().next() {
        Some((name, Value::Bool(_))) if rule.len() == 1 => name == "exists",
        Some((name, Value::String(_))) if rule.len() == 1 => name == "prefix" || name == "suffix",
        Some((name, Value::Array(_))) if rule.len() == 1 => name == "anything-but",
        _ => false,
    };
    let known = known.then_some(());
    known.ok_or_else(|| format!("the rule {} is not supported", Value::Object(rule.clone())))
}

/// All members of an object must match, and one of the rules of a leaf.
fn matches(pattern: &Value, value: Option<&Value>) -> bool {
    match pattern {
        Value::Object(members) => members.iter().all(|(name, pattern)| {
            let member = value.and_then(|value| value.get(name));
            matches(pattern, member)
        }),
        Value::Array(rules) => rules.iter().any(|rule| obeys(rule, value)),
        _ => false,
    }
}

fn obeys(rule: &Value, value: Option<&Value>) -> bool {
    let Value::Object(rule) = rule else {
        return value == Some(rule);
    };
    let text = value.and_then(Value::as_str);
    // `exists` applies to leaves, and an object is not a leaf.
    let leaf = value.filter(|value| !value.is_object());
    match rule.iter().next() {
        Some((name, Value::Bool(wanted))) if name == "exists" => leaf.is_some() == *wanted,
        Some((name, Value::String(part))) if name == "prefix" => {
            text.is_some_and(|text| text.starts_with(part.as_str()))
        }
        Some((name, Value::String(part))) if name == "suffix" => {
            text.is_some_and(|text| text.ends_with(part.as_str()))
        }
        Some((_, Value::Array(others))) => leaf.is_some_and(|leaf| !others.contains(leaf)),
        _ => false,
    }
}
