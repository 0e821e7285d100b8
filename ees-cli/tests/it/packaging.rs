//! What packages are made of: the units of systemd, the container, completions and man pages.

mod docker;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process::{ended, run, sqlite};

fn packaging(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging");
    root.join(name)
}

/// Copies a unit into a folder, with the program of this test.
fn unit(folder: &Path, name: &str) -> PathBuf {
    let unit = fs::read_to_string(packaging("systemd").join(name)).expect("a file");
    let unit = unit.replace("/usr/bin/ees", env!("CARGO_BIN_EXE_ees"));
    let file = folder.join(name);
    fs::write(&file, unit).expect("a file");
    file
}

fn analyze(args: &[&str], unit: &Path) {
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(args).arg(unit);
    let (code, stdout, stderr) = ended(analyze);
    assert_eq!(code, Some(0), "{args:?}: {stdout}{stderr}");
    assert_eq!(stderr, "", "{args:?}: {stdout}");
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_accepts_the_units_and_finds_them_hardened() {
    let folder = TempDir::new().expect("a folder");
    for name in ["ees.service", "ees-backup.service"] {
        let file = unit(folder.path(), name);
        analyze(&["verify"], &file);
        analyze(&["security", "--offline=true", "--threshold=20"], &file);
    }
    // The timer is verified with its service.
    analyze(&["verify"], &unit(folder.path(), "ees-backup.timer"));
}

/// Runs the commands of the unit, as systemd would, on a store of the test.
#[cfg(target_os = "linux")]
#[test]
fn the_unit_makes_a_backup_and_removes_old_ones() {
    let folder = TempDir::new().expect("a folder");
    let store = sqlite(&folder.path().join("ees.db"));
    let ees = crate::process::Ees::serve(&store);
    ees.ok("POST", "/streams/a", r#"{"events":[1]}"#);
    let backups = folder.path().join("backups");
    fs::create_dir(&backups).expect("a folder");
    let (old, other) = (
        backups.join("ees-20200101T000000Z.db"),
        backups.join("other"),
    );
    for file in [&old, &other] {
        fs::write(file, "").expect("a file");
        let mut touch = Command::new("touch");
        touch.args(["--date=2020-01-01"]).arg(file);
        assert_eq!(ended(touch).0, Some(0));
    }
    let unit = fs::read_to_string(unit(folder.path(), "ees-backup.service")).expect("a file");
    let place = backups.display().to_string();
    let unit = unit.replace("/var/lib/ees-backups", &place);
    let commands = unit.lines().filter_map(|line| {
        let command = line.strip_prefix("ExecStart=");
        command.or_else(|| line.strip_prefix("ExecStartPost="))
    });
    let mut count = 0;
    for command in commands {
        // The escapes of systemd.
        let command = command.replace("$$", "$").replace("%%", "%");
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).env("EES_STORAGE", &store);
        let (code, _, errors) = ended(shell);
        assert_eq!(code, Some(0), "{command}: {errors}");
        count += 1;
    }
    assert_eq!(count, 2);
    assert!(
        !old.exists() && other.exists(),
        "old copies go, and nothing else"
    );
    let copies = fs::read_dir(&backups).expect("a folder");
    let copies = copies.map(|file| file.expect("a file").path());
    let copies: Vec<_> = copies.filter(|file| *file != other).collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    let copy = crate::process::Ees::serve(&sqlite(&copies[0]));
    assert!(copy.line.contains("1 changeset"), "{}", copy.line);
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
