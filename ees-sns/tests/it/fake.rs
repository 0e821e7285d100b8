//! A topic that fails as it is told. Emulators of SNS refuse a whole call where SNS refuses one
//! message of it, and count characters where it counts bytes; this one answers as SNS is documented
//! to: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sns::config::timeout::TimeoutConfig;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use ees_core::adapter::Message;
use ees_sns::{SnsConfig, SnsPublisher};

pub(crate) const CHANGESETS: &str = "arn:aws:sns:us-east-1:123456789012:ees_changesets_test_.fifo";
pub(crate) const EVENTS: &str = "arn:aws:sns:us-east-1:123456789012:ees_events_test_.fifo";

/// What becomes of a call, or of one of its messages.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    Sent,
    /// Entry by entry: a code, and whether it is the sender's fault.
    Failed(&'static str, bool),
    Unmentioned,
    /// The whole call: a status and a code.
    Call(u16, &'static str),
}

type Rule = Arc<Mutex<Box<dyn FnMut(&Message) -> Fate + Send>>>;

type Calls = Arc<Mutex<Vec<Call>>>;

/// A call that SNS got.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) topic: String,
    pub(crate) batch: Vec<Message>,
}

pub(crate) struct FakeSns {
    pub(crate) publisher: SnsPublisher,
    calls: Calls,
    rule: Rule,
}

impl FakeSns {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let calls = Calls::default();
        let rule: Rule = Arc::new(Mutex::new(Box::new(|_| Fate::Sent)));
        let state = (Arc::clone(&calls), Arc::clone(&rule));
        let app = Router::new().route("/", post(answer)).with_state(state);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let url = format!("sns:changesets={CHANGESETS}&events={EVENTS}&endpoint={endpoint}");
        let config: SnsConfig = url.parse().unwrap();
        // It is part of this process, so it may stand still as long as the process does.
        let patient = TimeoutConfig::builder().operation_timeout(Duration::from_mins(5));
        let sdk = config.endpoint.sdk_with_key("id", "key").into_builder();
        let sdk = sdk.timeout_config(patient.build()).build();
        let publisher = SnsPublisher::new(&config, &sdk);
        Self {
            publisher,
            calls,
            rule,
        }
    }

    pub(crate) fn decide(&self, rule: impl FnMut(&Message) -> Fate + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

async fn answer(State((calls, rule)): State<(Calls, Rule)>, body: String) -> (StatusCode, String) {
    let call = read(&body);
    let mut rule = rule.lock().unwrap();
    let fates: Vec<_> = call.batch.iter().map(&mut *rule).collect();
    let answer = answered(&call, &fates);
    calls.lock().unwrap().push(call);
    answer
}

/// Reads the query protocol's form.
fn read(body: &str) -> Call {
    let mut topic = String::new();
    let mut batch = BTreeMap::<usize, Message>::new();
    let mut names = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body.as_bytes()) {
        if name == "TopicArn" {
            topic = value.to_string();
        }
        let Some(field) = name.strip_prefix("PublishBatchRequestEntries.member.") else {
            continue;
        };
        let (place, field) = field.split_once('.').unwrap();
        let message = batch
            .entry(place.parse().unwrap())
            .or_insert_with(|| Message {
                group: String::new(),
                deduplication_id: String::new(),
                body: String::new(),
                stream_prefix: None,
                event_types: None,
            });
        if let Some(attribute) = field.strip_prefix("MessageAttributes.entry.") {
            let (place, field) = attribute.split_once('.').unwrap();
            if field == "Name" {
                names.insert(place.to_owned(), value.to_string());
            }
            if field == "Value.StringValue" {
                match names[place].as_str() {
                    "stream_prefix" => message.stream_prefix = Some(value.into()),
                    name => {
                        assert_eq!(name, "event_types");
                        message.event_types = Some(value.into());
                    }
                }
            }
            continue;
        }
        match field {
            "MessageGroupId" => message.group = value.into(),
            "MessageDeduplicationId" => message.deduplication_id = value.into(),
            "Message" => message.body = value.into(),
            _ => assert_eq!(field, "Id"),
        }
    }
    Call {
        topic,
        batch: batch.into_values().collect(),
    }
}

fn answered(call: &Call, fates: &[Fate]) -> (StatusCode, String) {
    let (mut sent, mut failed) = (String::new(), String::new());
    let bytes: usize = call.batch.iter().map(Message::bytes).sum();
    if call.batch.len() > 10 || bytes > 262_144 {
        return refused(400, "BatchRequestTooLong");
    }
    for (id, fate) in fates.iter().enumerate() {
        match fate {
            Fate::Sent => write!(
                sent,
                "<member><Id>{id}</Id><MessageId>m</MessageId></member>"
            ),
            Fate::Failed(code, fault) => write!(
                failed,
                "<member><Id>{id}</Id><Code>{code}</Code><Message>as told</Message>\
                 <SenderFault>{fault}</SenderFault></member>"
            ),
            Fate::Unmentioned => Ok(()),
            Fate::Call(status, code) => return refused(*status, code),
        }
        .unwrap();
    }
    let answer = format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
         <PublishBatchResult><Successful>{sent}</Successful><Failed>{failed}</Failed>\
         </PublishBatchResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
         </PublishBatchResponse>"
    );
    (StatusCode::OK, answer)
}

fn refused(status: u16, code: &str) -> (StatusCode, String) {
    let answer = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>as told</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    );
    (StatusCode::from_u16(status).unwrap(), answer)
}
