//! A function's host: what becomes of invocations that end in every possible way.

use std::ffi::OsString;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use ees_aws_testkit::{Function, FunctionError, FunctionSettings};
use serde_json::{Value, json};

fn settings(handler: &str) -> FunctionSettings {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/function.py");
    let mut settings = FunctionSettings::new("python3", handler);
    settings.command.push(OsString::from(script));
    settings.grace = Duration::from_mins(10);
    settings
}

fn function(handler: &str) -> Function {
    Function::new(settings(handler)).unwrap()
}

async fn process(function: &Function) -> u64 {
    let answer = function.invoke(&json!({})).await.unwrap();
    answer["pid"].as_u64().unwrap()
}

#[tokio::test]
async fn a_process_is_kept_for_the_next_invocation_and_finds_what_lambda_tells() {
    let mut settings = settings("work");
    settings.environment = vec![("MINE".to_owned(), "1".to_owned())];
    settings.timeout = Duration::from_mins(1);
    let function = Function::new(settings).unwrap();
    let first = function.invoke(&json!({"say": "héllo"})).await.unwrap();
    let left = first["left"].as_f64().unwrap();
    assert!((1_000.0..=60_000.0).contains(&left), "{left} ms are left");
    let found = |name: &str| first["environment"][name].as_str();
    assert_eq!(found("_HANDLER"), Some("work"));
    assert_eq!(found("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), Some("512"));
    assert_eq!(found("MINE"), Some("1"));
    assert_eq!(
        found("HOME"),
        None,
        "the surroundings of the test are hidden"
    );
    assert_eq!(process(&function).await, first["pid"]);
    assert_eq!(function.init_times().len(), 1);
    assert!(function.log().contains("\nasked héllo\n"));
}

#[tokio::test]
async fn an_error_is_answered_and_the_process_stays() {
    let function = function("work");
    let before = process(&function).await;
    let failed = function.invoke(&json!({"fail": "it is so"})).await;
    let expected = FunctionError::Answered {
        kind: "Failed".to_owned(),
        message: "it is so".to_owned(),
    };
    assert_eq!(failed, Err(expected));
    assert_eq!(process(&function).await, before);
}

#[tokio::test]
async fn a_process_that_ends_is_started_anew() {
    let function = function("work");
    let before = process(&function).await;
    let crashed = function.invoke(&json!({"exit": 3})).await;
    assert_eq!(
        crashed,
        Err(FunctionError::Crashed("exit status: 3".to_owned()))
    );
    assert_ne!(process(&function).await, before);
}

/// Waits until a function has said this.
async fn logged(function: &Function, text: &str) {
    while !function.log().contains(text) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The processes that began, in their order.
fn processes(function: &Function) -> Vec<u64> {
    let log = function.log();
    let told = log.lines().filter_map(|line| line.strip_prefix("process "));
    told.map(|pid| pid.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_process_that_takes_too_long_is_killed_and_started_anew() {
    let mut settings = settings("work");
    (settings.timeout, settings.grace) = (Duration::from_millis(300), Duration::from_millis(200));
    let function = Function::new(settings).unwrap();
    for _ in 0..2 {
        let late = function.invoke(&json!({"sleep": 3600})).await;
        let limit = Duration::from_millis(500);
        assert_eq!(late, Err(FunctionError::TimedOut(limit)));
    }
    let processes = processes(&function);
    assert_eq!(processes.len(), 2, "{processes:?}");
    assert_ne!(processes[0], processes[1]);
    for pid in processes {
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}

#[tokio::test]
async fn a_function_that_is_late_has_its_grace_but_is_not_told_of_it() {
    let mut settings = settings("work");
    settings.timeout = Duration::from_millis(1);
    let function = Function::new(settings).unwrap();
    let late = function.invoke(&json!({"sleep": 0.1})).await.unwrap();
    assert!(late["left"].as_f64().unwrap() < 0.0, "{late}");
}

#[tokio::test]
async fn a_process_can_be_killed_while_it_works_and_while_it_waits() {
    let function = function("work");
    let event = json!({"say": "working", "sleep": 60});
    let killing = async {
        logged(&function, "working").await;
        function.kill();
    };
    let (killed, ()) = tokio::join!(function.invoke(&event), killing);
    assert!(
        matches!(&killed, Err(FunctionError::Crashed(how)) if how.contains("signal: 9")),
        "{killed:?}"
    );
    let before = process(&function).await;
    function.kill();
    assert_ne!(process(&function).await, before);
}

#[tokio::test]
async fn a_process_that_is_killed_the_moment_it_answers_is_not_kept() {
    let function = function("work");
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let event = json!({"until": go});
    let mut invoked = pin!(function.invoke(&event));
    tokio::select! {
        early = &mut invoked => panic!("{early:?}"),
        () = logged(&function, "asked") => {}
    }
    std::fs::write(go, "").unwrap();
    logged(&function, "answered").await;
    function.kill();
    assert!(invoked.await.is_ok());
    process(&function).await;
}

#[tokio::test]
async fn a_function_that_does_not_begin_says_why() {
    let failed = function("broken").invoke(&json!({})).await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "the function did not start: Wrong: no such handler"
    );
    let nothing = FunctionSettings::new("/no/such/program", "work");
    let failed = Function::new(nothing).unwrap().invoke(&json!({})).await;
    assert!(matches!(failed, Err(FunctionError::Init(_))), "{failed:?}");
}

#[tokio::test]
async fn invocations_at_once_have_a_process_each() {
    let mut settings = settings("work");
    settings.concurrency = 2;
    let function = Function::new(settings).unwrap();
    let event = json!({"sleep": 1});
    let invoke = || async { function.invoke(&event).await.unwrap()["pid"].clone() };
    let (one, two, three): (Value, Value, Value) = tokio::join!(invoke(), invoke(), invoke());
    assert_ne!(one, two);
    assert!([one, two].contains(&three), "no more than two");
}

#[tokio::test]
async fn an_answer_of_more_than_6_mb_is_refused() {
    let function = function("work");
    let before = process(&function).await;
    let six = 6 * 1024 * 1024;
    assert!(function.invoke(&json!({"bytes": six - 8192})).await.is_ok());
    let refused = function.invoke(&json!({"bytes": six})).await;
    assert!(
        matches!(refused, Err(FunctionError::TooLarge { what: "the answer", bytes }) if bytes > six),
        "{refused:?}"
    );
    assert_eq!(process(&function).await, before, "and it goes on");
    let event = json!({"say": "x".repeat(six + 100)});
    let refused = function.invoke(&event).await;
    assert!(matches!(
        refused,
        Err(FunctionError::TooLarge {
            what: "the event",
            ..
        })
    ));
}
