//! The permissions of the roles of a template's functions.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::template::Template;

/// The permissions: the inline policies of the functions' roles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    /// The statements by the function's name.
    functions: BTreeMap<String, Vec<Statement>>,
}

#[derive(Debug, Clone)]
struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
}

impl Policies {
    pub(crate) fn of(template: &Template) -> Self {
        let functions = template.of_type("AWS::Serverless::Function");
        let of_function = |function: &crate::template::Resource| {
            let role = function.properties["Role"].as_str();
            let mut roles = template.of_type("AWS::IAM::Role");
            let role = roles.find(|it| role.is_some() && it.arn.as_deref() == role);
            let statements = role.map(|role| statements(&role.properties["Policies"]));
            (function.name.clone(), statements.unwrap_or_default())
        };
        Self {
            functions: functions.map(of_function).collect(),
        }
    }

    /// Whether a function may use an action on a resource.
    pub(crate) fn allow(&self, function: &str, action: &str, resource: &str) -> bool {
        let statements = self.functions.get(function).into_iter().flatten();
        let mut statements = statements.filter(|it| any(&it.actions, action));
        statements.any(|it| any(&it.resources, resource))
    }
}

fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, text))
}

/// Whether a text matches a pattern, which may have one `*` for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((start, end)) => text
            .strip_prefix(start)
            .is_some_and(|rest| rest.ends_with(end)),
    }
}

fn statements(policies: &Value) -> Vec<Statement> {
    let policies = policies.as_array().into_iter().flatten();
    let statements = policies.flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]));
    let allowing = statements.filter(|statement| statement["Effect"] == "Allow");
    let read = |statement: &Value| Statement {
        actions: texts(&statement["Action"]),
        resources: texts(&statement["Resource"]),
    };
    allowing.map(read).collect()
}

/// The items of a list. A single value counts as a list of one item.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

fn texts(value: &Value) -> Vec<String> {
    let texts = list(value).iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Settings;

    const TEMPLATE: &str = "
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: f, Handler: f, Role: !GetAtt FunctionRole.Arn}
  FunctionRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - {Effect: Allow, Action: a:Read, Resource: [arn:one, 'arn:many/*']}
              - {Effect: Allow, Action: ['b:*'], Resource: arn:one}
              - {Effect: Deny, Action: a:Write, Resource: '*'}
";

    #[test]
    fn what_is_not_allowed_is_refused() {
        let template = Template::parse(TEMPLATE, &Settings::default()).unwrap();
        let policies = Policies::of(&template);
        let allow = |action, resource| policies.allow("f", action, resource);
        assert!(allow("a:Read", "arn:one") && allow("a:Read", "arn:many/x"));
        assert!(allow("b:Anything", "arn:one"));
        assert!(!allow("a:Read", "arn:many") && !allow("a:Read", "arn:one/x"));
        assert!(!allow("a:Write", "arn:one") && !allow("b:Anything", "arn:many/x"));
        assert!(!policies.allow("g", "a:Read", "arn:one"));
    }

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("*", "anything") && matches("a*", "a") && matches("a*c", "abcbc"));
        assert!(!matches("a*c", "ab") && !matches("a", "ab") && !matches("a*", "b"));
    }
}
