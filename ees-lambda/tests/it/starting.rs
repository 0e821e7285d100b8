//! A function that cannot begin says why.

use ees_aws_testkit::{Function, FunctionError, FunctionSettings};
use serde_json::json;

async fn refused(environment: &[(&str, &str)], handler: &str) -> String {
    let mut settings = FunctionSettings::new(env!("CARGO_BIN_EXE_ees-lambda"), handler);
    let set = environment.iter();
    settings.environment = set
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    let function = Function::new(settings).unwrap();
    let failed = function.invoke(&json!({})).await;
    assert!(matches!(failed, Err(FunctionError::Init(_))), "{failed:?}");
    function.log()
}

#[tokio::test]
async fn a_wrong_setting_is_named_with_what_is_expected() {
    let storage = ("EES_STORAGE", "dynamodb://ees_db?analysis=ees_analysis");
    let log = refused(&[storage], "indxer").await;
    assert!(
        log.contains("`indxer`") && log.contains("`indexer`"),
        "{log}"
    );
    let log = refused(&[], "indexer").await;
    assert!(log.contains("EES_STORAGE is not set"), "{log}");
    let log = refused(&[("EES_STORAGE", "sqlite:./a")], "indexer").await;
    assert!(log.contains("EES_STORAGE=`sqlite:./a`"), "{log}");
    let log = refused(&[storage], "publisher").await;
    assert!(log.contains("EES_PUBLISH is not set"), "{log}");
    let publish = (
        "EES_PUBLISH",
        "sns:changesets=arn:aws:sns:eu-west-1:1:ees_.fifo",
    );
    let log = refused(&[storage, publish], "redrive").await;
    assert!(log.contains("EES_FAILURES is not set"), "{log}");
    let log = refused(&[storage, ("EES_LOG", "a=b=c")], "indexer").await;
    assert!(log.contains("EES_LOG=`a=b=c`"), "{log}");
}

#[test]
fn outside_lambda_it_says_what_it_is() {
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_ees-lambda"));
    let mut program = program;
    let ended = program.env_clear().output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        !ended.status.success() && said.contains("`ees serve`"),
        "{said}"
    );
}
