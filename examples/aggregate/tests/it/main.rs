//! The example, started again and again, and its length.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use tempfile::TempDir;

#[test]
fn the_account_lasts() {
    let folder = TempDir::new().unwrap();
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aggregate"));
        let output = command.current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    // 50 are deposited each time, 70 withdrawn where they are there.
    let runs: Vec<String> = (0..4).map(|_| run()).collect();
    assert_eq!(runs, ["false\n", "true\n", "true\n", "false\n"]);
}

#[test]
fn it_is_as_short_as_the_readme_says() {
    let program = include_str!("../../src/main.rs");
    let code = program.split("#[cfg(test)]").next().unwrap().lines();
    let lines = code.filter(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("//") && !line.starts_with("#![doc")
    });
    assert_eq!(lines.count(), 35);
    assert!(include_str!("../../README.md").contains("35 lines of code"));
}
