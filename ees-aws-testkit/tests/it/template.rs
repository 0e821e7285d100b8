//! Templates as they are written, and what they say.

use std::time::Duration;

use ees_aws_testkit::template::{Settings, Template, table_of_stream};
use serde_json::json;

const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Parameters:
  Open: {Type: String, Default: false, AllowedValues: [true, false]}
  Retries: {Type: Number, Default: 5}
  Topic: {Type: String, Default: ''}
Conditions:
  IsOpen: !Equals [!Ref Open, true]
  HasTopic: !Not [!Equals [!Ref Topic, '']]
  Both: !And [!Condition IsOpen, !Condition HasTopic]
Globals:
  Function:
    Timeout: 30
    Environment:
      Variables:
        TABLE: !Ref Events
Resources:
  Events:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      TableName: !Sub ees_db_${AWS::StackName}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Failures: {Type: AWS::S3::Bucket}
  Letters:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Join ['-', [!Ref AWS::StackName, letters]]}
  Changes:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Sub 'ees_${Kind}_${AWS::StackName}_.fifo', FifoTopic: true}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasTopic
    Properties: {AlarmActions: [!Ref Topic]}
  Indexer:
    Type: AWS::Serverless::Function
    Properties:
      Handler: indexer
      MemorySize: 512
      ReservedConcurrentExecutions: !If [IsOpen, 3, !Ref AWS::NoValue]
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Letters.Arn}
      Environment:
        Variables:
          TOPIC: !Ref Changes
          SECRET: !Sub '${!Literal}/${Letters.QueueName}'
      Events:
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Events.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 100
            MaximumBatchingWindowInSeconds: 1
            BisectBatchOnFunctionError: true
            FunctionResponseTypes: [ReportBatchItemFailures]
            MaximumRetryAttempts: !Ref Retries
            MaximumRecordAgeInSeconds: -1
            FilterCriteria: {Filters: [{Pattern: '{"eventName": ["INSERT"]}'}]}
            DestinationConfig: {OnFailure: {Destination: !GetAtt Failures.Arn}}
        Hourly: {Type: Schedule, Properties: {Schedule: rate(2 hours), Input: '{}'}}
        New:
          Type: S3
          Properties:
            Bucket: !Ref Failures
            Events: s3:ObjectCreated:*
            Filter: {S3Key: {Rules: [{Name: prefix, Value: aws/}]}}
        All: {Type: Api, Properties: {Path: '/{proxy+}', Method: any}}
Outputs:
  Role: {Value: !GetAtt IndexerRole.Arn}
  Url: {Value: !Sub 'https://${ServerlessRestApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/Prod'}
  Alarmed: {Condition: HasTopic, Value: yes}
"#;

/// The template above, whose one open end is closed.
fn text() -> String {
    TEMPLATE.replace("ees_${Kind}_", "ees_changesets_")
}

fn template() -> Template {
    Template::parse(&text(), &Settings::default()).unwrap()
}

fn with(parameters: &[(&str, &str)]) -> Settings {
    let parameters = parameters.iter();
    Settings {
        parameters: parameters
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Settings::default()
    }
}

#[test]
fn names_and_references_are_those_of_the_deployment() {
    let template = template();
    let events = template.resource("Events").unwrap();
    assert_eq!(events.name, "ees_db_local");
    assert_eq!(events.attributes["DeletionPolicy"], "Retain");
    assert_eq!(
        events.arn.as_deref(),
        Some("arn:aws:dynamodb:us-east-1:123456789012:table/ees_db_local")
    );
    assert_eq!(
        template.resource("Failures").unwrap().name,
        "local-failures"
    );
    let outputs = template.outputs();
    assert_eq!(
        outputs["Role"],
        "arn:aws:iam::123456789012:role/local-IndexerRole"
    );
    assert_eq!(
        outputs["Url"],
        "https://local-ServerlessRestApi.execute-api.us-east-1.amazonaws.com/Prod"
    );
    assert!(!outputs.contains_key("Alarmed"));
}

#[test]
fn a_function_has_its_settings_and_the_shared_ones() {
    let functions = template().functions().unwrap();
    let [indexer] = &functions[..] else {
        panic!("one function, not {functions:?}");
    };
    assert_eq!((indexer.handler.as_str(), indexer.memory), ("indexer", 512));
    assert_eq!(indexer.timeout, Duration::from_secs(30));
    assert_eq!(indexer.concurrency, None);
    let letters = "arn:aws:sqs:us-east-1:123456789012:local-letters";
    assert_eq!(indexer.dead_letters.as_deref(), Some(letters));
    assert_eq!(
        json!(indexer.environment),
        json!({
            "TABLE": "ees_db_local",
            "TOPIC": "arn:aws:sns:us-east-1:123456789012:ees_changesets_local_.fifo",
            "SECRET": "${Literal}/local-letters",
        })
    );
}

#[test]
fn what_invokes_a_function_is_read() {
    let function = template().functions().unwrap().remove(0);
    let mapping = &function.mappings[0];
    assert_eq!(table_of_stream(&mapping.stream), Some("ees_db_local"));
    assert!(mapping.from_oldest && mapping.enabled);
    assert!(mapping.on_error.bisect && mapping.on_error.partial);
    assert_eq!((mapping.batch_size, mapping.parallelization), (100, 1));
    assert_eq!(mapping.on_error.retries, Some(5));
    assert_eq!(mapping.on_error.max_age, None);
    assert_eq!(mapping.filters, [json!({"eventName": ["INSERT"]})]);
    assert_eq!(
        mapping.on_failure.as_deref(),
        Some("arn:aws:s3:::local-failures")
    );
    let schedule = &function.schedules[0];
    assert_eq!(schedule.period(), Some(Duration::from_hours(2)));
    assert_eq!(schedule.input.as_deref(), Some("{}"));
    let trigger = &function.triggers[0];
    assert_eq!(
        (trigger.bucket.as_str(), trigger.prefix.as_str()),
        ("local-failures", "aws/")
    );
    assert_eq!(function.routes[0].path, "/{proxy+}");
}

#[test]
fn parameters_decide_what_is_made() {
    let given = with(&[("Open", "true"), ("Topic", "arn:topic"), ("Retries", "0")]);
    let template = Template::parse(&text(), &given).unwrap();
    let alarm = template.resource("Alarm").unwrap();
    assert_eq!(alarm.properties, json!({"AlarmActions": ["arn:topic"]}));
    let function = template.functions().unwrap().remove(0);
    assert_eq!(function.concurrency, Some(3));
    assert_eq!(function.mappings[0].on_error.retries, Some(0));
    assert!(template.outputs().contains_key("Alarmed"));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let wrong =
        |text: &str, settings: &Settings| Template::parse(text, settings).unwrap_err().to_string();
    let default = Settings::default();
    for (said, message) in [
        (
            wrong(TEMPLATE, &default),
            "Resources.Changes.Properties.TopicName: there is no parameter or resource `Kind`",
        ),
        (
            wrong(&text(), &with(&[("Opn", "true")])),
            "no parameter `Opn`",
        ),
        (
            wrong(&text(), &with(&[("Open", "maybe")])),
            "`maybe` is not one of [true,false]",
        ),
        (
            wrong(
                "Resources: {A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref B}}, B: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Ref A}}}",
                &default,
            ),
            "in a circle",
        ),
        (
            wrong(
                "Resources: {A: {Type: X, Properties: {P: !GetAtt A.Ann}}}",
                &default,
            ),
            "the attribute `Ann` of a X is not supported",
        ),
        (
            wrong(
                "Resources: {A: {Type: X, Properties: {P: !ImportValue a}}}",
                &default,
            ),
            "Resources.A.Properties.P: Fn::ImportValue does not accept \"a\"",
        ),
        (wrong("Resources: {", &default), "not YAML"),
    ] {
        assert!(said.contains(message), "`{said}` lacks `{message}`");
    }
    let odd = text().replace("BatchSize: 100", "BatchSize: many");
    let odd = Template::parse(&odd, &default)
        .unwrap()
        .functions()
        .unwrap_err()
        .to_string();
    assert!(
        odd.contains("Resources.Indexer.Properties.Events.Stream.Properties.BatchSize: \"many\", but expected a whole number"),
        "{odd}"
    );
}
