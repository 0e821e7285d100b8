//! What failed is kept: whole, encrypted, hidden, until it was redriven and for a month after.

use ees_aws_testkit::template::Template;
use serde_json::{Value, json};

use super::{Findings, expect, function, holds, resource};

fn check(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let bucket = resource(template, "Failures");
    for (attribute, expected) in [
        ("DeletionPolicy", "RetainExceptOnCreate"),
        ("UpdateReplacePolicy", "Retain"),
    ] {
        let found = bucket.attributes.get(attribute).unwrap_or(&Value::Null);
        expect(&mut findings, attribute, found, &json!(expected));
    }
    for (property, expected) in settings() {
        let found = bucket.properties.get(property).unwrap_or(&Value::Null);
        expect(&mut findings, property, found, &expected);
    }
    policy(template, &mut findings);
    queue(template, &mut findings);
    redrive(template, &mut findings);
    findings
}

/// The bucket's properties. No rule makes an object go that is current.
fn settings() -> [(&'static str, Value); 5] {
    let by_s3 = json!({
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": false,
    });
    [
        (
            "BucketEncryption",
            json!({"ServerSideEncryptionConfiguration": [by_s3]}),
        ),
        (
            "PublicAccessBlockConfiguration",
            json!({
                "BlockPublicAcls": true,
                "BlockPublicPolicy": true,
                "IgnorePublicAcls": true,
                "RestrictPublicBuckets": true,
            }),
        ),
        (
            "OwnershipControls",
            json!({"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}),
        ),
        ("VersioningConfiguration", json!({"Status": "Enabled"})),
        (
            "LifecycleConfiguration",
            json!({"Rules": [{
                "Id": "forget-what-was-redriven",
                "Status": "Enabled",
                "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                "ExpiredObjectDeleteMarker": true,
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            }]}),
        ),
    ]
}

fn policy(template: &Template, findings: &mut Findings) {
    let bucket = resource(template, "Failures");
    let arn = bucket.arn.clone().unwrap_or_default();
    let policy = &resource(template, "FailuresPolicy").properties;
    let name = json!(bucket.name);
    expect(findings, "the policy's bucket", &policy["Bucket"], &name);
    let tls_only = json!([{
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": false}},
    }]);
    let found = &policy["PolicyDocument"]["Statement"];
    expect(findings, "the bucket's policy", found, &tls_only);
}

fn queue(template: &Template, findings: &mut Findings) {
    let queue = &resource(template, "DeadLetters").properties;
    let kept = json!({"SqsManagedSseEnabled": true, "MessageRetentionPeriod": 14 * 24 * 3600});
    expect(findings, "DeadLetters", queue, &kept);
}

/// The redrive is told of every object, by itself looks for those that are left, and what it fails
/// on is told to people.
fn redrive(template: &Template, findings: &mut Findings) {
    let redrive = function(template, "redrive");
    let triggers: Vec<_> = redrive.triggers.iter().map(|it| &it.bucket).collect();
    let bucket = resource(template, "Failures");
    expect(
        findings,
        "the redrive's buckets",
        &json!(triggers),
        &json!([bucket.name]),
    );
    let schedules: Vec<_> = redrive.schedules.iter().collect();
    let inputs: Vec<_> = schedules.iter().map(|it| &it.input).collect();
    expect(
        findings,
        "the redrive's schedules",
        &json!(inputs),
        &json!(["{}"]),
    );
    let letters = &resource(template, "DeadLetters").arn;
    expect(
        findings,
        "the redrive's destination",
        &json!(redrive.async_on_failure),
        &json!(letters),
    );
}

#[test]
fn what_failed_is_kept() {
    let faults = [
        (
            "    DeletionPolicy: RetainExceptOnCreate\n    UpdateReplacePolicy: Retain\n    Properties:\n      BucketName",
            "    UpdateReplacePolicy: Retain\n    Properties:\n      BucketName",
        ),
        ("SSEAlgorithm: AES256", "SSEAlgorithm: aws:kms"),
        ("BlockPublicPolicy: true", "BlockPublicPolicy: false"),
        ("VersioningConfiguration: {Status: Enabled}", ""),
        (
            "NoncurrentVersionExpiration: {NoncurrentDays: 30}",
            "ExpirationInDays: 30",
        ),
        ("Effect: Deny", "Effect: Allow"),
        ("aws:SecureTransport: false", "aws:SecureTransport: true"),
        ("SqsManagedSseEnabled: !If [Keyed, false, true]", ""),
        ("MessageRetentionPeriod: 1209600", ""),
        (
            "Type: SQS, Destination: !GetAtt DeadLetters.Arn",
            "Type: SQS, Destination: !GetAtt Failures.Arn",
        ),
        ("Input: \"{}\"", ""),
    ];
    holds(check, &faults);
}
