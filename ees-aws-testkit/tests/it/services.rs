//! The services themselves.

use std::path::Path;

use ees_aws_testkit::template::{Settings, Template};
use ees_aws_testkit::{Error, Services};
use serde_json::json;

use crate::stack::path;

#[tokio::test]
async fn a_topic_reaches_its_subscribers() {
    let services = Services::start().await.unwrap();
    let template = Template::read(path("stack.yaml"), &Settings::default()).unwrap();
    services.create(&template).await.unwrap();
    let topic = template.resource("Topic").unwrap().arn.clone().unwrap();
    services.subscribe(&topic, "mine.fifo").await.unwrap();
    for (text, id) in [("a", "1"), ("b", "2"), ("again", "1")] {
        services.publish(&topic, text, "group", id).await.unwrap();
    }
    let mut got = Vec::new();
    loop {
        let messages = services.receive("mine.fifo").await.unwrap();
        if messages.is_empty() {
            break;
        }
        got.extend(messages.iter().map(|message| message["Body"].clone()));
    }
    assert_eq!(got, [json!("a"), json!("b")]);
}

#[tokio::test]
async fn who_has_no_moto_is_told_how_to_get_it() {
    let error = Services::with_python(Path::new("/nowhere/python"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NoMoto { .. }));
    let said = error.to_string();
    assert!(
        said.contains("/nowhere/python") && said.contains("pip install -r"),
        "{said}"
    );
}

#[tokio::test]
async fn a_python_without_moto_says_so() {
    let error = Services::with_python(Path::new("/usr/bin/env"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Start { what: "moto", .. }),
        "{error}"
    );
}
