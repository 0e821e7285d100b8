//! Policies for callers, and who may call without one.

use serde_json::{Value, json};

use super::{Given, resource, with};

const API: &str = "arn:aws:execute-api:us-east-1:123456789012:shop";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:shop-api";

const URL: Given = ("Endpoint", "function-url");
const OPEN: Given = ("Authorization", "NONE");

/// The policies for callers with these parameters, by their ids.
fn policies(parameters: &[Given]) -> Vec<(String, Value)> {
    let template = with(parameters);
    let policies = template.of_type("AWS::IAM::ManagedPolicy");
    let each = policies.map(|policy| {
        let document = &policy.properties["PolicyDocument"];
        (policy.id.clone(), document["Statement"].clone())
    });
    each.collect()
}

#[test]
fn a_rest_api_has_a_policy_to_read_and_one_to_write() {
    let of = |resources: Value| json!([{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}]);
    let read = [format!("{API}/Prod/GET/*"), format!("{API}/Prod/HEAD/*")];
    let wanted = [
        ("ReadPolicy".to_owned(), of(json!(read))),
        ("WritePolicy".to_owned(), of(json!(format!("{API}/Prod/*")))),
    ];
    assert_eq!(policies(&[]), wanted);
    assert_eq!(policies(&[OPEN]), []);
}

/// A new function URL wants both permissions of its callers.
#[test]
fn a_function_url_has_one_policy() {
    let wanted = json!([
        {"Effect": "Allow", "Action": "lambda:InvokeFunctionUrl", "Resource": FUNCTION},
        {
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": FUNCTION,
            "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": true}},
        },
    ]);
    assert_eq!(policies(&[URL]), [("CallPolicy".to_owned(), wanted)]);
    assert_eq!(policies(&[URL, OPEN]), []);
}

/// Who may invoke the function without a policy of their own.
fn invokers(parameters: &[Given]) -> Vec<(String, Value)> {
    let template = with(parameters);
    let permissions = template.of_type("AWS::Lambda::Permission");
    let each = permissions.map(|permission| {
        let of = |name: &str| permission.properties[name].clone();
        let only = [
            of("FunctionUrlAuthType"),
            of("InvokedViaFunctionUrl"),
            of("SourceArn"),
        ];
        let action = of("Action").as_str().unwrap_or_default().to_owned();
        (action, json!([of("Principal"), only]))
    });
    each.collect()
}

#[test]
fn only_an_open_url_can_be_called_by_everybody() {
    let gateway = json!(["apigateway.amazonaws.com", [null, null, format!("{API}/*")]]);
    let by_gateway = [("lambda:InvokeFunction".to_owned(), gateway)];
    assert_eq!(invokers(&[]), by_gateway);
    assert_eq!(invokers(&[OPEN]), by_gateway);
    assert_eq!(invokers(&[URL]), []);
    let everybody = [
        (
            "lambda:InvokeFunction".to_owned(),
            json!(["*", [null, true, null]]),
        ),
        (
            "lambda:InvokeFunctionUrl".to_owned(),
            json!(["*", ["NONE", null, null]]),
        ),
    ];
    assert_eq!(invokers(&[URL, OPEN]), everybody);
}

#[test]
fn there_is_one_endpoint() {
    for (parameters, api, url) in [(&[][..], true, false), (&[URL][..], false, true)] {
        let template = with(parameters);
        let has = |id: &str| template.resource(id).is_ok();
        assert_eq!((has("Api"), has("ApiUrl")), (api, url));
    }
    let url = with(&[URL]);
    let properties = &resource(&url, "ApiUrl").properties;
    let wanted =
        json!({"TargetFunctionArn": FUNCTION, "AuthType": "AWS_IAM", "InvokeMode": "BUFFERED"});
    assert_eq!(properties, &wanted);
    let open = with(&[URL, OPEN]);
    assert_eq!(resource(&open, "ApiUrl").properties["AuthType"], "NONE");
}
