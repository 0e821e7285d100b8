//! The store's template leaves the settings of the account alone: they have a template of their own.

use ees_aws_testkit::template::{Settings, Template};
use serde_json::json;

use super::{parse, resource, with};

const ACCOUNT: &str = include_str!("../../../account.yaml");

#[test]
fn the_store_makes_no_setting_of_the_account() {
    for template in [parse(super::TEXT), with(&[("AccessLogs", "enabled")])] {
        assert_eq!(template.of_type("AWS::ApiGateway::Account").count(), 0);
    }
}

#[test]
fn api_gateways_role_is_for_logs_alone() {
    let template = Template::parse(ACCOUNT, &Settings::default()).expect("a template");
    let account = &resource(&template, "Account").properties;
    let role = resource(&template, "AccountRole");
    assert_eq!(account["CloudWatchRoleArn"], json!(role.arn));
    let managed = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
    assert_eq!(role.properties["ManagedPolicyArns"], json!([managed]));
    assert_eq!(role.properties["Policies"], json!(null));
    let principal = &role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"];
    assert_eq!(principal, &json!({"Service": "apigateway.amazonaws.com"}));
}
