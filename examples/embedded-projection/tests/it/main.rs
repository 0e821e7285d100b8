//! The example, started twice.

// A test says what is wrong by panicking.
#![allow(clippy::expect_used)]

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

fn run(folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embedded-projection"));
    let output = command.arg(folder).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors, "", "nothing to complain about");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn it_goes_on_where_it_was() {
    let folder = TempDir::new().expect("a folder");
    assert_eq!(
        run(folder.path()),
        "resumed at checkpoint 0\n\
         order-1 was placed: 20\n\
         order-2 was placed: 30\n\
         order-3 was placed: 50\n\
         order-1 was paid\n\
         up to checkpoint 4: 3 orders over 100, of which 20 is paid\n"
    );
    assert_eq!(
        run(folder.path()),
        "resumed at checkpoint 4\n\
         order-4 was placed: 20\n\
         order-5 was placed: 30\n\
         order-6 was placed: 50\n\
         order-4 was paid\n\
         up to checkpoint 8: 6 orders over 200, of which 40 is paid\n"
    );
}
