//! A key of one's own encrypts everything, and every role may use it.

use serde_json::{Value, json};

use super::{Given, resource, with};

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1";
const KEYED: Given = ("KmsKeyArn", KEY);

#[test]
fn without_a_key_of_ones_own_aws_has_the_keys() {
    let template = with(&[]);
    for table in ["EventsTable", "AnalysisTable"] {
        // The default is AWS's own key, which costs nothing.
        let found = &resource(&template, table).properties["SSESpecification"];
        assert_eq!(found, &Value::Null);
    }
    for topic in ["ChangesetsTopic", "EventsTopic"] {
        let found = &resource(&template, topic).properties["KmsMasterKeyId"];
        assert_eq!(found, "alias/aws/sns");
    }
    assert!(grants(&[]).is_empty());
}

#[test]
fn a_key_encrypts_tables_topics_failures_and_letters() {
    let template = with(&[KEYED]);
    let of = |id: &str, name: &str| resource(&template, id).properties[name].clone();
    let table = json!({"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": KEY});
    for id in ["EventsTable", "AnalysisTable"] {
        assert_eq!(of(id, "SSESpecification"), table);
    }
    for id in ["ChangesetsTopic", "EventsTopic", "DeadLetters"] {
        assert_eq!(of(id, "KmsMasterKeyId"), KEY);
    }
    assert_eq!(of("DeadLetters", "SqsManagedSseEnabled"), false);
    let bucket = json!({"ServerSideEncryptionConfiguration": [{
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
        "BucketKeyEnabled": true,
    }]});
    assert_eq!(of("Failures", "BucketEncryption"), bucket);
}

/// The roles that may use the key, each with its statement.
fn grants(parameters: &[Given]) -> Vec<(String, Value)> {
    let template = with(parameters);
    let roles = template.of_type("AWS::IAM::Role");
    let of = |role: &ees_aws_testkit::template::Resource| {
        let statements = &role.properties["Policies"][0]["PolicyDocument"]["Statement"];
        let mut statements = statements.as_array().into_iter().flatten();
        let found = statements.find(|statement| statement["Sid"] == "Key")?;
        Some((role.id.clone(), found.clone()))
    };
    roles.filter_map(of).collect()
}

#[test]
fn every_role_may_use_the_key() {
    let grant = json!({
        "Sid": "Key",
        "Effect": "Allow",
        "Action": [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ],
        "Resource": KEY,
    });
    let roles = [
        "Api",
        "Indexer",
        "Projector",
        "Publisher",
        "Redrive",
        "Sealer",
        "Sweep",
    ];
    let wanted = roles.map(|role| (format!("{role}Role"), grant.clone()));
    assert_eq!(grants(&[KEYED]), wanted);
}
