//! What packages are made of: the unit of systemd, completions and man pages.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::{ended, run};

#[cfg(target_os = "linux")]
#[test]
fn systemd_accepts_the_unit_and_finds_it_hardened() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/systemd/ees.service");
    let unit = fs::read_to_string(unit).expect("a file");
    assert!(unit.contains("ExecStart=/usr/bin/ees serve"), "{unit}");
    let unit = unit.replace("/usr/bin/ees", env!("CARGO_BIN_EXE_ees"));
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ees.service");
    fs::write(&file, unit).expect("a file");
    for args in [
        &["verify"][..],
        &["security", "--offline=true", "--threshold=20"],
    ] {
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(args).arg(&file);
        let (code, stdout, stderr) = ended(analyze);
        assert_eq!(code, Some(0), "{args:?}: {stdout}{stderr}");
        assert_eq!(stderr, "", "{args:?}: {stdout}");
    }
}

#[test]
fn shells_get_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, script, errors) = run(&["completions", shell]);
        assert_eq!(code, Some(0), "{errors}");
        assert!(script.contains("metrics-listen"), "{shell}: {script}");
    }
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ees.bash");
    let (_, script, _) = run(&["completions", "bash"]);
    fs::write(&file, script).expect("a file");
    let mut bash = Command::new("bash");
    let complete = "source \"$0\"; complete -p ees";
    bash.args(["-c", complete]).arg(&file);
    let (code, stdout, stderr) = ended(bash);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("ees"), "{stdout}");
}

#[test]
fn every_command_has_a_man_page() {
    let folder = TempDir::new().expect("a folder");
    let (code, _, errors) = run(&["man", &folder.path().display().to_string()]);
    assert_eq!(code, Some(0), "{errors}");
    for page in [
        "ees",
        "ees-serve",
        "ees-backup",
        "ees-check",
        "ees-keys-add",
    ] {
        let text = fs::read_to_string(folder.path().join(format!("{page}.1")));
        let text = text.unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.contains(".SH NAME"), "{page}: {text}");
    }
}
