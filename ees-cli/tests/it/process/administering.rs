//! `ees admin`.

use ees_dynamodb_testkit::Emulator;
use serde_json::{Value, json};

use super::{Ees, dynamodb, run};

/// An act that succeeds: what it printed.
fn act(storage: &str, args: &[&str]) -> String {
    let (code, out, errors) = run(&[&["admin", "--storage", storage], args].concat());
    assert_eq!(code, Some(0), "{args:?}: {errors}");
    out
}

fn json_of(storage: &str, args: &[&str]) -> Value {
    let out = act(storage, &[args, &["--json"]].concat());
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// An act that is not done: its exit code, and what it said.
fn refused(args: &[&str]) -> (Option<i32>, String) {
    let (code, out, errors) = run(&[&["admin"], args].concat());
    assert_eq!(out, "", "{args:?}");
    (code, errors)
}

#[test]
fn tables_are_made_looked_at_swept_and_mended() {
    let emulator = Emulator::start().expect("DynamoDB");
    let storage = dynamodb(&emulator);
    let made = json_of(&storage, &["create-tables"]);
    assert_eq!(made, json!({ "created": ["ees_db", "ees_db_analysis"] }));
    let again = act(&storage, &["create-tables"]);
    assert!(again.contains("have the required schema"), "{again}");

    // Nobody indexes what this server takes.
    let mut command = super::ees(&["--storage", &storage, "--listen", "127.0.0.1:0"]);
    command.args(["--indexer", "off"]);
    let server = Ees::spawn(command);
    for stream in ["a", "b", "c"] {
        server.ok("POST", &format!("/streams/{stream}"), r#"{"events":[1]}"#);
    }
    let log = server.ok("GET", "/changesets", "");
    assert_eq!(log["changesets"], json!([]), "nobody gave them a place");
    let swept = json_of(&storage, &["sweep"]);
    assert_eq!(swept, json!({ "found": 3, "written": 3, "refused": [] }));
    let log = server.ok("GET", "/changesets", "");
    assert_eq!(log["next_checkpoint"], 3);
    drop(server);

    let status = json_of(&storage, &["index-status"]);
    assert_eq!(status["next_checkpoint"], 3);
    assert_eq!([&status["pending"], &status["void_positions"]], [0, 0]);
    let status = act(&storage, &["index-status"]);
    assert!(status.starts_with("next checkpoint 3; 0 "), "{status}");

    let rebuilt = json_of(&storage, &["rebuild-index", "--replace", "--dry-run"]);
    assert_eq!(rebuilt["changesets"], 3);
    assert_eq!(rebuilt["next_checkpoint"], 3);
    let rebuilt = act(&storage, &["rebuild-index", "--replace"]);
    assert!(rebuilt.contains("next checkpoint is 3"), "{rebuilt}");

    let keys = json_of(&storage, &["rebuild-keys"]);
    let expected = json!({
        "changesets": 3, "with_key": 3, "written": 0, "repeated": 0, "unreadable": 0,
    });
    assert_eq!(keys, expected, "each key has its marker already");
    let keys = act(&storage, &["rebuild-keys"]);
    assert!(keys.starts_with("3 changesets, 3 of them"), "{keys}");
}

#[test]
fn what_cannot_be_done_is_refused_with_what_can() {
    let emulator = Emulator::start().expect("DynamoDB");
    let storage = dynamodb(&emulator);
    for (args, exit, said) in [
        (&["sweep", "--storage", &storage][..], 3, "create-tables"),
        (&["index-status"], 2, "--storage"),
        (
            &["sweep", "--storage", "sqlite:ees.db"],
            2,
            "needs no other task",
        ),
        (&["sweep", "--storage", "redis:"], 2, "names no storage"),
        (&["index-status", "--storage", &storage], 3, "create-tables"),
    ] {
        let (code, errors) = refused(args);
        assert_eq!(code, Some(exit), "{args:?}: {errors}");
        assert!(errors.contains(said), "{args:?}: {errors}");
    }
    for act in [
        "create-tables",
        "sweep",
        "index-status",
        "rebuild-index",
        "rebuild-keys",
        "take-over",
    ] {
        let nobody = "dynamodb://ees_db?endpoint=http://127.0.0.1:1";
        let (code, errors) = refused(&[act, "--storage", nobody]);
        assert_eq!(code, Some(3), "{act}: {errors}");
        let said = "cannot be reached: ";
        assert!(
            errors.contains(said) && errors.contains("Check the region"),
            "{act}: {errors}"
        );
    }
    act(&storage, &["create-tables"]);
    for (act, said) in [("rebuild-index", "--replace"), ("take-over", "index state")] {
        let (code, errors) = refused(&[act, "--storage", &storage]);
        assert_eq!(code, Some(1), "{act}: {errors}");
        assert!(errors.contains(said), "{act}: {errors}");
    }
}
