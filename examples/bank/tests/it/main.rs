//! The example, started again and again, and its length.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use tempfile::TempDir;

#[test]
fn the_accounts_last() {
    let folder = TempDir::new().unwrap();
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bank"));
        let output = command.current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    // 50 are deposited each time, and 70 are transferred where they are there.
    let runs: Vec<String> = (0..4).map(|_| run()).collect();
    let refused = "Err(Refused(\"the balance is too low\"))\n";
    assert_eq!(runs, [refused, "Ok(())\n", "Ok(())\n", refused]);
}

#[test]
fn it_is_as_short_as_the_readme_says() {
    let program = include_str!("../../src/main.rs");
    let code = program.split("#[cfg(test)]").next().unwrap().lines();
    let lines = code.filter(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("//") && !line.starts_with("#![doc")
    });
    assert_eq!(lines.count(), 40);
    assert!(include_str!("../../README.md").contains("40 lines of code"));
}
