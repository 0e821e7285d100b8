//! SAM's `Globals`: properties that all functions or APIs share.

use serde_json::{Value, json};

const SHARED: [(&str, &str); 2] = [
    ("Function", "AWS::Serverless::Function"),
    ("Api", "AWS::Serverless::Api"),
];

pub(super) fn apply(template: &mut Value) {
    let globals = template["Globals"].take();
    let Some(resources) = template["Resources"].as_object_mut() else {
        return;
    };
    for resource in resources.values_mut() {
        let of_kind = |(_, kind): &&(&str, &str)| resource["Type"] == *kind;
        let Some((name, _)) = SHARED.iter().find(of_kind) else {
            continue;
        };
        let own = resource["Properties"].take();
        let own = if own.is_null() { json!({}) } else { own };
        resource["Properties"] = merged(globals[name].clone(), own);
    }
}

/// Merges shared and own properties. Objects are merged and lists are concatenated; otherwise the
/// resource's own value wins.
fn merged(shared: Value, own: Value) -> Value {
    match (shared, own) {
        (Value::Object(mut shared), Value::Object(own)) if !is_function(&own) => {
            for (key, value) in own {
                let old = shared.remove(&key).unwrap_or(Value::Null);
                shared.insert(key, merged(old, value));
            }
            Value::Object(shared)
        }
        (Value::Array(mut shared), Value::Array(own)) => {
            shared.extend(own);
            Value::Array(shared)
        }
        (_, own) => own,
    }
}

/// Whether an object is `{"Ref": ...}` or `{"Fn::...": ...}`.
fn is_function(object: &serde_json::Map<String, Value>) -> bool {
    let mut keys = object.keys();
    let only = (keys.next(), keys.next());
    matches!(only, (Some(key), None) if key == "Ref" || key.starts_with("Fn::"))
}
