//! Runs the binary.

use std::process::{Command, Stdio};

use ees_conformance::cases::CASES;
use ees_conformance::http_cases::HTTP_CASES;
use serde_json::Value;

/// What a run left: its exit code, standard output and standard error.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

/// Runs the binary to its end.
pub(crate) fn run(args: &[&str]) -> Ended {
    run_with(&[], args)
}

/// Runs the binary to its end, in an environment of its own.
pub(crate) fn run_with(environment: &[(&str, &str)], args: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ees-conformance"));
    command.env_clear().envs(environment.iter().copied());
    // A machine that stands still fails no case.
    command.args(args).args(["--time-limit", "3600"]);
    command.stdin(Stdio::null());
    let output = command.output().expect("the binary runs");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// All cases ran and passed, those apart that a black box cannot run.
pub(crate) fn assert_passed(ended: &Ended) {
    let report = ended.json();
    let cases = report["cases"].as_array().expect("cases");
    let failed: Vec<_> = cases.iter().filter(|c| c["outcome"] == "failed").collect();
    let failed = failed.iter().map(|case| {
        let message: String = case["message"].to_string().chars().take(300).collect();
        format!("{}: {message}", case["name"])
    });
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(report["ok"], true);
    assert_eq!(cases.len(), CASES.len() + HTTP_CASES.len());
    for case in cases {
        let guarantees = case["guarantees"].as_array().expect("guarantees");
        let restarts = guarantees.contains(&"G4".into());
        let outcome = if restarts { "not_run" } else { "passed" };
        assert_eq!(case["outcome"], outcome, "{case}");
        let told = format!(" {} (", case["name"].as_str().expect("a name"));
        assert_eq!(ended.stderr.matches(&told).count(), 1, "{told} as it ended");
    }
}
