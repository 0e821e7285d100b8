//! What resources are called, and what `Ref` and `GetAtt` say of them.

use super::Settings;

/// What is known of a type of resource.
pub(super) struct Kind {
    /// The property that names it.
    pub(super) name_property: &'static str,
    /// Its ARN, with `{region}`, `{account}` and `{name}` to be filled in.
    arn: &'static str,
    /// What `Ref` gives.
    reference: Reference,
}

enum Reference {
    Name,
    Arn,
    Url,
}

const fn kind(name_property: &'static str, arn: &'static str, reference: Reference) -> Kind {
    Kind {
        name_property,
        arn,
        reference,
    }
}

/// What is known of a type.
pub(super) fn of_type(resource_type: &str) -> Kind {
    use Reference::{Arn, Name, Url};
    match resource_type {
        "AWS::DynamoDB::Table" => kind(
            "TableName",
            "arn:aws:dynamodb:{region}:{account}:table/{name}",
            Name,
        ),
        "AWS::SNS::Topic" => kind("TopicName", "arn:aws:sns:{region}:{account}:{name}", Arn),
        "AWS::SQS::Queue" => kind("QueueName", "arn:aws:sqs:{region}:{account}:{name}", Url),
        "AWS::S3::Bucket" => kind("BucketName", "arn:aws:s3:::{name}", Name),
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => kind(
            "FunctionName",
            "arn:aws:lambda:{region}:{account}:function:{name}",
            Name,
        ),
        "AWS::Logs::LogGroup" => kind(
            "LogGroupName",
            "arn:aws:logs:{region}:{account}:log-group:{name}:*",
            Name,
        ),
        "AWS::CloudWatch::Alarm" => kind(
            "AlarmName",
            "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
            Name,
        ),
        "AWS::IAM::Role" => kind("RoleName", "arn:aws:iam::{account}:role/{name}", Name),
        "AWS::KMS::Key" => kind("", "arn:aws:kms:{region}:{account}:key/{name}", Name),
        _ => kind("Name", "", Name),
    }
}

impl Kind {
    pub(super) fn arn(&self, name: &str, settings: &Settings) -> Option<String> {
        let arn = self.arn.replace("{region}", &settings.region);
        let arn = arn.replace("{account}", &settings.account);
        (!arn.is_empty()).then(|| arn.replace("{name}", name))
    }

    /// What `Ref` gives for the resource of this name.
    pub(super) fn reference(&self, name: &str, settings: &Settings) -> String {
        match self.reference {
            Reference::Name => name.to_owned(),
            Reference::Arn => self.arn(name, settings).unwrap_or_default(),
            Reference::Url => format!(
                "https://sqs.{}.amazonaws.com/{}/{name}",
                settings.region, settings.account
            ),
        }
    }

    /// What `GetAtt` gives; `None` where the attribute is not known.
    pub(super) fn attribute(
        &self,
        name: &str,
        attribute: &str,
        settings: &Settings,
    ) -> Option<String> {
        match attribute {
            "Arn" | "TopicArn" => self.arn(name, settings),
            "StreamArn" => Some(format!("{}{STREAM}", self.arn(name, settings)?)),
            "QueueUrl" => Some(self.reference(name, settings)),
            "QueueName" | "TopicName" | "RoleId" | "RootResourceId" | "KeyId" => {
                Some(name.to_owned())
            }
            _ => None,
        }
    }
}

/// A stream's ARN ends with a label that only its table's service knows.
const STREAM: &str = "/stream/latest";

/// The table that a stream's ARN, as a template gives it, belongs to.
pub fn table_of_stream(arn: &str) -> Option<&str> {
    let (_, table) = arn.split_once(":table/")?;
    table.split('/').next()
}
