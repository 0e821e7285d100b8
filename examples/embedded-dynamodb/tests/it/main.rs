//! The example on an emulator, started twice.

// A test says what is wrong by panicking.
#![allow(clippy::expect_used)]

use std::process::Command;

use ees_dynamodb_testkit::Emulator;

fn run(endpoint: &str, order: &str) -> String {
    let url = format!("dynamodb://ees_db_orders?region=eu-west-1&endpoint={endpoint}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_embedded-dynamodb"));
    let command = command
        .args([&url, order])
        .env("AWS_ACCESS_KEY_ID", "emulator")
        .env("AWS_SECRET_ACCESS_KEY", "emulator");
    let output = command.output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn what_is_committed_gets_its_checkpoint_and_reaches_the_subscription() {
    let emulator = Emulator::start().expect("an emulator");
    assert_eq!(
        run(emulator.endpoint(), "order-1"),
        "order-1 was placed\n\
         checkpoint 0 is order-1\n"
    );
    assert_eq!(
        run(emulator.endpoint(), "order-2"),
        "order-2 was placed\n\
         checkpoint 0 is order-1\n\
         checkpoint 1 is order-2\n"
    );
}
