//! The names of resources, and the values of `Ref` and `GetAtt`.

use super::Settings;

/// The properties of a type of resource.
pub(super) struct Kind {
    /// The property that sets the resource's name.
    pub(super) name_property: &'static str,
    /// The pattern of its ARN, with `{region}`, `{account}` and `{name}`.
    arn: &'static str,
    /// The value of `Ref`.
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

/// The properties of a type.
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
        "AWS::IAM::ManagedPolicy" => kind(
            "ManagedPolicyName",
            "arn:aws:iam::{account}:policy/{name}",
            Arn,
        ),
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

    /// The value of `Ref` for the resource of this name.
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

    /// The value of `GetAtt`; `None` if the attribute is not supported.
    pub(super) fn attribute(
        &self,
        name: &str,
        attribute: &str,
        settings: &Settings,
    ) -> Option<String> {
        match attribute {
            "Arn" | "TopicArn" => self.arn(name, settings),
            "StreamArn" => Some(format!("{}{STREAM}", self.arn(name, settings)?)),
            "FunctionUrl" => Some(format!(
                "https://{}.lambda-url.{}.on.aws/",
                name.to_lowercase(),
                settings.region
            )),
            "QueueUrl" => Some(self.reference(name, settings)),
            "QueueName" | "TopicName" | "RoleId" | "RootResourceId" | "KeyId" => {
                Some(name.to_owned())
            }
            _ => None,
        }
    }
}

/// The end of a stream's ARN. On AWS it has a label that only the table's service knows.
const STREAM: &str = "/stream/latest";

/// The table of a stream's ARN in the form of a template.
pub fn table_of_stream(arn: &str) -> Option<&str> {
    let (_, table) = arn.split_once(":table/")?;
    table.split('/').next()
}
