//! The URLs of storages and publishers.

use std::collections::HashSet;
use std::str::FromStr;

use ees_dynamodb::DynamoConfig;
use ees_postgres::PostgresConfig;
use ees_sns::SnsConfig;
use ees_sqlite::SqliteConfig;

/// No text makes a parser panic, no URL is accepted that has a setting twice, and a configuration
/// that is written as a URL is read as the same one.
///
/// Each parser gets the text, and the text behind the beginning of its URLs.
///
/// # Panics
/// If the text breaks the property.
pub fn url(text: &str) {
    for text in [text, &format!("sqlite:x?{text}")] {
        settings::<SqliteConfig>(text, '?');
    }
    for text in [text, &format!("postgres://u@h/d?{text}")] {
        settings::<PostgresConfig>(text, '?');
    }
    for text in [text, &format!("dynamodb://events?{text}")] {
        if let Some(config) = settings::<DynamoConfig>(text, '?') {
            let written = config.to_string();
            assert_eq!(
                written.parse(),
                Ok(config),
                "{text:?} was written {written}"
            );
        }
    }
    for text in [text, &format!("sns:{text}")] {
        settings::<SnsConfig>(text, ':');
    }
}

/// Reads a URL whose settings begin behind the first `mark`, and looks for settings that are there
/// twice.
fn settings<C: FromStr>(url: &str, mark: char) -> Option<C> {
    let config = url.parse().ok()?;
    let (_, settings) = url.split_once(mark).unwrap_or((url, ""));
    let mut names = HashSet::new();
    for (name, value) in form_urlencoded::parse(settings.as_bytes()) {
        assert!(
            names.insert(name.clone()),
            "accepted `{name}` twice: {url:?}"
        );
        let setting = form_urlencoded::Serializer::new(String::new())
            .append_pair(&name, &value)
            .finish();
        let twice = format!("{url}&{setting}");
        assert!(
            twice.parse::<C>().is_err(),
            "accepted `{name}` twice: {twice:?}"
        );
    }
    Some(config)
}
