//! Resolves conditions and intrinsic functions.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::error::{Resolved, TemplateError};
use super::names::of_type;
use super::parameters::parameters;
use super::{Resource, Settings};

/// The maximum depth. Only a template whose names refer to each other in a circle is deeper.
const DEEPEST: usize = 200;

pub(super) struct Resolver<'a> {
    source: &'a Value,
    settings: &'a Settings,
    parameters: BTreeMap<&'a str, Value>,
    depth: Cell<usize>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(source: &'a Value, settings: &'a Settings) -> Resolved<Self> {
        Ok(Self {
            source,
            settings,
            parameters: parameters(source, settings)?,
            depth: Cell::new(0),
        })
    }

    pub(super) fn resources(&self) -> Resolved<BTreeMap<String, Resource>> {
        let Some(resources) = self.source["Resources"].as_object() else {
            return Err(TemplateError::new(
                "Resources",
                "nothing, but expected resources",
            ));
        };
        let mut made = BTreeMap::new();
        for (id, resource) in resources {
            if self.is_wanted(resource, id)? {
                made.insert(id.clone(), self.resource(id, resource)?);
            }
        }
        Ok(made)
    }

    pub(super) fn outputs(&self) -> Resolved<BTreeMap<String, Value>> {
        let none = Map::new();
        let outputs = self.source["Outputs"].as_object().unwrap_or(&none);
        let mut values = BTreeMap::new();
        for (id, output) in outputs {
            let at = format!("Outputs.{id}");
            if self.is_wanted(output, &at)? {
                let value = self.value(&output["Value"], &at)?.unwrap_or(Value::Null);
                values.insert(id.clone(), value);
            }
        }
        Ok(values)
    }

    fn is_wanted(&self, what: &Value, at: &str) -> Resolved<bool> {
        match &what["Condition"] {
            Value::Null => Ok(true),
            Value::String(name) => self.condition(name, at),
            other => Err(TemplateError::new(
                at,
                format!("the condition {other} is not a name"),
            )),
        }
    }

    fn resource(&self, id: &str, source: &Value) -> Resolved<Resource> {
        let at = format!("Resources.{id}");
        let Some(kind) = source["Type"].as_str() else {
            return Err(TemplateError::new(at, "the resource has no Type"));
        };
        let name = self.name(id, source)?;
        let properties = self.value(&source["Properties"], &format!("{at}.Properties"))?;
        let mut attributes = source.as_object().cloned().unwrap_or_default();
        for own in ["Type", "Properties", "Condition"] {
            attributes.remove(own);
        }
        let attributes = self.object(&attributes, &at)?;
        Ok(Resource {
            id: id.to_owned(),
            kind: kind.to_owned(),
            arn: of_type(kind).arn(&name, self.settings),
            name,
            properties: properties.filter(Value::is_object).unwrap_or(json!({})),
            attributes,
        })
    }

    /// The given name, or one made of the stack's name and the resource's id.
    fn name(&self, id: &str, resource: &Value) -> Resolved<String> {
        let property = of_type(resource["Type"].as_str().unwrap_or_default()).name_property;
        let given = &resource["Properties"][property];
        let at = format!("Resources.{id}.Properties.{property}");
        match self.value(given, &at)? {
            Some(Value::String(name)) => Ok(name),
            _ if resource["Type"] == "AWS::S3::Bucket" => {
                Ok(format!("{}-{id}", self.settings.stack).to_lowercase())
            }
            _ => Ok(format!("{}-{id}", self.settings.stack)),
        }
    }

    fn condition(&self, name: &str, at: &str) -> Resolved<bool> {
        let condition = &self.source["Conditions"][name];
        if condition.is_null() {
            return Err(TemplateError::new(
                at,
                format!("there is no condition `{name}`"),
            ));
        }
        self.truth(condition, &format!("Conditions.{name}"))
    }

    fn truth(&self, value: &Value, at: &str) -> Resolved<bool> {
        match self.value(value, at)? {
            Some(Value::Bool(truth)) => Ok(truth),
            other => Err(TemplateError::new(
                at,
                format!("{other:?}, but expected a condition"),
            )),
        }
    }

    /// Resolves a value and all values in it; `None` for `AWS::NoValue`.
    fn value(&self, value: &Value, at: &str) -> Resolved<Option<Value>> {
        if self.depth.get() > DEEPEST {
            return Err(TemplateError::new(
                at,
                "names refer to each other in a circle",
            ));
        }
        self.depth.set(self.depth.get() + 1);
        let resolved = match value {
            Value::Object(object) => match sole(object) {
                Some((name, argument)) if is_intrinsic(name) => self.intrinsic(name, argument, at),
                _ => self
                    .object(object, at)
                    .map(|object| Some(Value::Object(object))),
            },
            Value::Array(items) => self.list(items, at).map(|items| Some(Value::Array(items))),
            plain => Ok(Some(plain.clone())),
        };
        self.depth.set(self.depth.get() - 1);
        resolved
    }

    fn object(&self, object: &Map<String, Value>, at: &str) -> Resolved<Map<String, Value>> {
        let mut resolved = Map::new();
        for (key, value) in object {
            if let Some(value) = self.value(value, &format!("{at}.{key}"))? {
                resolved.insert(key.clone(), value);
            }
        }
        Ok(resolved)
    }

    fn list(&self, items: &[Value], at: &str) -> Resolved<Vec<Value>> {
        let items = items.iter().map(|item| self.value(item, at));
        items.filter_map(Result::transpose).collect()
    }

    fn intrinsic(&self, name: &str, argument: &Value, at: &str) -> Resolved<Option<Value>> {
        let wrong = || TemplateError::new(at, format!("{name} does not accept {argument}"));
        let args = match argument {
            Value::Array(args) => args.as_slice(),
            one => std::slice::from_ref(one),
        };
        let value = match (name, args) {
            ("Ref", [Value::String(id)]) => return self.reference(id, at),
            ("Condition", [Value::String(name)]) => json!(self.condition(name, at)?),
            ("Fn::GetAtt", [Value::String(id), Value::String(attribute)]) => {
                json!(self.attribute(id, attribute, at)?)
            }
            ("Fn::Sub", [Value::String(text)]) => json!(self.substituted(text, None, at)?),
            ("Fn::Sub", [Value::String(text), Value::Object(own)]) => {
                json!(self.substituted(text, Some(own), at)?)
            }
            ("Fn::If", [Value::String(name), then, otherwise]) => {
                let chosen = if self.condition(name, at)? {
                    then
                } else {
                    otherwise
                };
                return self.value(chosen, at);
            }
            ("Fn::Equals", [a, b]) => json!(self.text(a, at)? == self.text(b, at)?),
            ("Fn::Not", [a]) => json!(!self.truth(a, at)?),
            ("Fn::And", all) => json!(self.truths(all, at)?.into_iter().all(|truth| truth)),
            ("Fn::Or", all) => json!(self.truths(all, at)?.into_iter().any(|truth| truth)),
            ("Fn::Join", [Value::String(between), items]) => {
                json!(self.texts(items, at)?.join(between))
            }
            ("Fn::Split", [Value::String(between), text]) => {
                json!(self.text(text, at)?.split(between).collect::<Vec<_>>())
            }
            ("Fn::Select", [index, items]) => {
                let index: usize = self.text(index, at)?.parse().map_err(|_| wrong())?;
                json!(self.texts(items, at)?.get(index).ok_or_else(wrong)?)
            }
            _ => return Err(wrong()),
        };
        Ok(Some(value))
    }

    fn truths(&self, all: &[Value], at: &str) -> Resolved<Vec<bool>> {
        all.iter().map(|value| self.truth(value, at)).collect()
    }

    fn texts(&self, items: &Value, at: &str) -> Resolved<Vec<String>> {
        match self.value(items, at)? {
            Some(Value::Array(items)) => items.iter().map(|item| self.text(item, at)).collect(),
            other => Err(TemplateError::new(
                at,
                format!("{other:?}, but expected a list"),
            )),
        }
    }

    fn text(&self, value: &Value, at: &str) -> Resolved<String> {
        match self.value(value, at)? {
            Some(Value::String(text)) => Ok(text),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
            other => Err(TemplateError::new(
                at,
                format!("{other:?}, but expected text"),
            )),
        }
    }

    /// Replaces `${Name}` and `${Name.Attribute}`. `${!Name}` becomes `${Name}`.
    fn substituted(
        &self,
        text: &str,
        own: Option<&Map<String, Value>>,
        at: &str,
    ) -> Resolved<String> {
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                return Err(TemplateError::new(at, format!("`{text}` lacks a `}}`")));
            };
            done.push_str(before);
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                done.extend(["${", literal, "}"]);
                continue;
            }
            let value = match (own.and_then(|own| own.get(name)), name.split_once('.')) {
                (Some(value), _) => value.clone(),
                (None, Some((id, attribute))) => json!({"Fn::GetAtt": [id, attribute]}),
                (None, None) => json!({ "Ref": name }),
            };
            done.push_str(&self.text(&value, at)?);
        }
        Ok(done + rest)
    }

    fn reference(&self, id: &str, at: &str) -> Resolved<Option<Value>> {
        if let Some(value) = self.parameters.get(id) {
            return Ok(Some(value.clone()));
        }
        let pseudo = match id {
            "AWS::NoValue" => return Ok(None),
            "AWS::StackName" => &self.settings.stack,
            "AWS::Region" => &self.settings.region,
            "AWS::AccountId" => &self.settings.account,
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            "AWS::StackId" => {
                let Settings {
                    stack,
                    region,
                    account,
                    ..
                } = self.settings;
                let id = format!("arn:aws:cloudformation:{region}:{account}:stack/{stack}/local");
                return Ok(Some(json!(id)));
            }
            _ => {
                let (kind, name) = self.referred(id, at)?;
                return Ok(Some(json!(of_type(&kind).reference(&name, self.settings))));
            }
        };
        Ok(Some(json!(pseudo)))
    }

    fn attribute(&self, id: &str, attribute: &str, at: &str) -> Resolved<String> {
        let (kind, name) = self.referred(id, at)?;
        let value = of_type(&kind).attribute(&name, attribute, self.settings);
        let unknown = || {
            let what = format!("the attribute `{attribute}` of a {kind} is not supported");
            TemplateError::new(at, what)
        };
        value.ok_or_else(unknown)
    }

    /// The type and name of a resource of the template, or of one that SAM creates in addition.
    fn referred(&self, id: &str, at: &str) -> Resolved<(String, String)> {
        let resource = &self.source["Resources"][id];
        if let Some(kind) = resource["Type"].as_str() {
            if !self.is_wanted(resource, at)? {
                let what = format!("`{id}` is not created, since its condition is not met");
                return Err(TemplateError::new(at, what));
            }
            return Ok((kind.to_owned(), self.name(id, resource)?));
        }
        let kind = self.generated(id).ok_or_else(|| {
            let what = format!("there is no parameter or resource `{id}`");
            TemplateError::new(at, what)
        })?;
        Ok((kind.to_owned(), format!("{}-{id}", self.settings.stack)))
    }

    /// The type of a resource that SAM creates for the resources of the template.
    fn generated(&self, id: &str) -> Option<&'static str> {
        let kind = |id: &str| self.source["Resources"][id]["Type"].as_str();
        let is_function = |id: &str| kind(id) == Some("AWS::Serverless::Function");
        let is_api =
            |id: &str| id == "ServerlessRestApi" || kind(id) == Some("AWS::Serverless::Api");
        if id == "ServerlessRestApi" {
            return Some("AWS::ApiGateway::RestApi");
        }
        if id.strip_suffix("Role").is_some_and(is_function) {
            return Some("AWS::IAM::Role");
        }
        let stage = id
            .strip_suffix(".Stage")
            .or_else(|| id.strip_suffix("ProdStage"));
        stage
            .is_some_and(is_api)
            .then_some("AWS::ApiGateway::Stage")
    }
}

fn is_intrinsic(name: &str) -> bool {
    name == "Ref" || name == "Condition" || name.starts_with("Fn::")
}

fn sole(object: &Map<String, Value>) -> Option<(&String, &Value)> {
    let mut entries = object.iter();
    entries.next().filter(|_| entries.next().is_none())
}
