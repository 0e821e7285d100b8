//! The settings of a publisher: its topics and their endpoint.

use std::fmt;
use std::str::FromStr;

use ees_aws::Endpoint;
use ees_core::adapter::settings::{Settings, SettingsError, strip_scheme};
use ees_core::adapter::{MIN_MESSAGE_BYTES, Topic};

/// The settings of a publisher, parsed from a URL: `sns:changesets=ARN&events=ARN`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnsConfig {
    /// The ARN of the topic for changesets.
    pub changesets: Option<String>,
    /// The ARN of the topic for events.
    pub events: Option<String>,
    /// The maximum size of a message in bytes. Default:
    /// [`MAX_MESSAGE_BYTES`](SnsConfig::MAX_MESSAGE_BYTES).
    pub max_message_bytes: usize,
    /// The endpoint of SNS.
    pub endpoint: Endpoint,
}

/// The text is not a URL of an SNS publisher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The scheme or one of the settings is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The URL names no topic.
    #[error(
        "the URL names no topic; expected `sns:changesets=ARN`, `sns:events=ARN` or both, joined by `&`"
    )]
    NoTopic,
    /// Both kinds of messages are sent to one topic.
    #[error("`{0}` is named for changesets and for events; they must be two topics")]
    OneTopic(String),
}

/// All settings.
const KNOWN: &[&str] = &[
    "changesets",
    "events",
    "max_message_bytes",
    "endpoint",
    "region",
];

impl SnsConfig {
    /// The default of [`max_message_bytes`](Self::max_message_bytes): the 256 KiB of a topic, minus
    /// 4 KiB for what AWS may count in addition to the body.
    pub const MAX_MESSAGE_BYTES: usize = (256 - 4) * 1024;

    /// The largest message size that a topic can be configured for.
    const LARGEST_MESSAGE_BYTES: usize = 1024 * 1024;

    /// The topic's ARN.
    pub(crate) fn arn(&self, topic: Topic) -> Option<&str> {
        match topic {
            Topic::Changesets => self.changesets.as_deref(),
            Topic::Events => self.events.as_deref(),
        }
    }

    fn of(settings: &Settings) -> Result<Self, SettingsError> {
        let topic = |name| settings.read(name, FIFO_TOPIC, arn);
        let possible = MIN_MESSAGE_BYTES..=Self::LARGEST_MESSAGE_BYTES;
        let bytes = settings.number("max_message_bytes", possible)?;
        Ok(Self {
            changesets: topic("changesets")?,
            events: topic("events")?,
            max_message_bytes: bytes.unwrap_or(Self::MAX_MESSAGE_BYTES),
            endpoint: Endpoint::from_settings(settings)?,
        })
    }
}

const FIFO_TOPIC: &str = "the ARN of a FIFO topic, `arn:aws:sns:REGION:ACCOUNT:NAME.fifo`";

/// Accepts the ARN of a FIFO topic.
fn arn(value: &str) -> Option<String> {
    let parts: Vec<_> = value.split(':').collect();
    match parts[..] {
        ["arn", _, "sns", region, _, name] if !region.is_empty() && is_fifo(name) => {
            Some(value.to_owned())
        }
        _ => None,
    }
}

fn is_fifo(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}

impl FromStr for SnsConfig {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let settings = strip_scheme(url, &["sns:"])?;
        let mut config = Self::of(&Settings::parse(settings, KNOWN)?)?;
        let topics = [&config.changesets, &config.events];
        let [Some(topic), other] = (match topics {
            [None, other] => [other, &None],
            both => both,
        }) else {
            return Err(ConfigError::NoTopic);
        };
        if Some(topic) == other.as_ref() {
            return Err(ConfigError::OneTopic(topic.clone()));
        }
        let region = topic.split(':').nth(3).map(str::to_owned);
        config.endpoint.region = config.endpoint.region.or(region);
        Ok(config)
    }
}

impl fmt::Display for SnsConfig {
    /// Writes the ARNs of the topics, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topics = [self.changesets.as_deref(), self.events.as_deref()];
        let topics: Vec<_> = topics.into_iter().flatten().collect();
        f.write_str(&topics.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGESETS: &str = "arn:aws:sns:eu-west-1:123456789012:ees_changesets_shop_.fifo";
    const EVENTS: &str = "arn:aws:sns:eu-west-1:123456789012:ees_events_shop_.fifo";

    fn error(url: &str) -> String {
        url.parse::<SnsConfig>().unwrap_err().to_string()
    }

    #[test]
    fn a_url_names_topics() {
        let url = format!(
            "sns:changesets={CHANGESETS}&events={EVENTS}&endpoint=http://127.0.0.1:5000\
             &max_message_bytes=65536"
        );
        let config: SnsConfig = url.parse().unwrap();
        assert_eq!(config.arn(Topic::Changesets), Some(CHANGESETS));
        assert_eq!(config.arn(Topic::Events), Some(EVENTS));
        assert_eq!(config.max_message_bytes, 65536);
        assert!(config.endpoint.is_emulator());
        assert_eq!(config.to_string(), format!("{CHANGESETS} and {EVENTS}"));
        let events: SnsConfig = format!("sns:events={EVENTS}&region=eu-west-2")
            .parse()
            .unwrap();
        assert_eq!(events.endpoint.region.as_deref(), Some("eu-west-2"));
        assert_eq!(events.to_string(), EVENTS);
    }

    #[test]
    fn a_wrong_url_is_refused() {
        assert!(error("kafka:x").contains("does not begin with `sns:`"));
        assert!(error("sns:").contains("names no topic"));
        assert!(error("sns:region=eu-west-1").contains("names no topic"));
        assert!(error("sns:changesets=ees").contains("expected the ARN of a FIFO topic"));
        let plain = EVENTS.trim_end_matches(".fifo");
        assert!(error(&format!("sns:events={plain}")).contains("NAME.fifo"));
        let one = format!("sns:changesets={EVENTS}&events={EVENTS}");
        assert!(error(&one).contains("they must be two topics"));
        assert!(error("sns:topic=x").contains("unknown setting `topic`"));
        assert!(error("sns:max_message_bytes=1").contains("from 4096 to 1048576"));
        assert!(error("sns:endpoint=x").contains("begins with `http://`"));
    }

    #[test]
    fn a_setting_given_twice_is_refused() {
        assert_eq!(
            error(&format!("sns:events={EVENTS}&events={CHANGESETS}")),
            "the setting `events` is given twice; give it once"
        );
    }

    #[test]
    fn a_near_miss_is_suggested() {
        let changeset = error(&format!("sns:changeset={CHANGESETS}"));
        assert!(
            changeset.contains("did you mean `changesets`?"),
            "{changeset}"
        );
        assert!(error("sns:max-message-bytes=1").contains("mean `max_message_bytes`?"));
    }
}
