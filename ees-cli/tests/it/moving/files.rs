//! A store goes through a file.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use super::{commit, fails, ok, order, store_of};
use crate::process::{Ees, ees, sqlite};

/// A store that is served is exported and verified; the one made of the file is the same, and goes on.
#[test]
fn a_store_goes_through_a_file_while_it_is_served() {
    let folder = TempDir::new().expect("a folder");
    let source = sqlite(&folder.path().join("a.db"));
    let target = sqlite(&folder.path().join("b.db"));
    let server = Ees::serve(&source);
    commit(&server, 30);
    let names = ["a.ees", "a.ees.zst"].map(|name| folder.path().join(name));
    for file in &names {
        let out = file.display().to_string();
        let said = ok(&["export", "--storage", &source, "--out", &out]);
        assert!(said.contains("checkpoints 0 to 40, root "), "{said}");
        let errors = fails(&["export", "--storage", &source, "--out", &out], 1);
        assert!(errors.contains("already exists"), "{errors}");
    }
    let sizes = names
        .each_ref()
        .map(|name| fs::metadata(name).expect("a file").len());
    assert!(sizes[1] * 2 < sizes[0], "{sizes:?}");
    assert!(
        fs::read_to_string(&names[0])
            .expect("text")
            .contains("pretty")
    );

    let [plain, packed] = names.each_ref().map(|name| name.display().to_string());
    let said = ok(&["import", "--storage", &target, "--in", &packed]);
    assert!(
        said.contains("imported 40 changesets; 40 positions"),
        "{said}"
    );
    let again = ok(&["import", "--storage", &target, "--in", &plain, "--json"]);
    assert!(again.contains("\"changesets\":0"), "{again}");
    for storage in [&source, &target] {
        let said = ok(&["verify", "--storage", storage]);
        assert!(said.contains("as it should be: 40 changesets"), "{said}");
    }

    // More is committed, and follows in a second file.
    commit_one(&server, "more");
    let later = folder.path().join("later.ees").display().to_string();
    ok(&[
        "export",
        "--storage",
        &source,
        "--out",
        &later,
        "--from",
        "40",
    ]);
    ok(&["import", "--storage", &target, "--in", &later]);
    let moved = Ees::serve(&target);
    assert_eq!(order(&moved), order(&server));
    let errors = fails(&["import", "--storage", &target, "--in", &later], 3);
    assert!(errors.contains("in use"), "{errors}");
    commit_one(&moved, "new");
    assert_eq!(order(&moved).len(), 42);
}

fn commit_one(server: &Ees, stream: &str) {
    server.ok("POST", &format!("/streams/{stream}"), r#"{"events":[1]}"#);
}

/// Through a pipe, and what is no export.
#[test]
fn pipes_and_wrong_files() {
    let folder = TempDir::new().expect("a folder");
    let source = store_of(folder.path(), "a.db", 5);
    let target = sqlite(&folder.path().join("b.db"));
    let export = ees(&["export", "--storage", &source, "--out", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let pipe = export.expect("ees starts").stdout.take().expect("a pipe");
    let mut import = ees(&["import", "--storage", &target, "--in", "-"]);
    let imported = import.stdin(pipe).status().expect("ees runs");
    assert!(imported.success());

    let file = folder.path().join("x.ees");
    let named = file.display().to_string();
    ok(&["export", "--storage", &source, "--out", &named]);
    let text = fs::read_to_string(&file).expect("text");
    let target = sqlite(&folder.path().join("c.db"));
    for (content, told) in [
        (String::new(), "it is empty"),
        ("{\"a\":1}\n".to_owned(), "no export"),
        (text[..text.len() - 1].to_owned(), "ends inside line"),
        (text.split_inclusive('\n').take(4).collect(), "not complete"),
        (text.replacen("pretty", "pretTy", 1), "was changed"),
        (
            text.replacen("\"checkpoint\":1,", "\"checkpoint\":2,", 1),
            "checkpoint 1 is missing",
        ),
        (format!("{text}{{}}\n"), "it is not a line of an export"),
    ] {
        fs::write(&file, content).expect("a file");
        let errors = fails(&["import", "--storage", &target, "--in", &named], 1);
        assert!(errors.contains(told), "{told}: {errors}");
    }
    let long = format!(
        "{}\n{}",
        text.lines().next().expect("a line"),
        "x".repeat(60_000_000)
    );
    fs::write(&file, long).expect("a file");
    let errors = fails(&["import", "--storage", &target, "--in", &named], 1);
    assert!(errors.contains("line 2 is longer than"), "{errors}");
    fs::write(&file, &text).expect("a file");
    ok(&["import", "--storage", &target, "--in", &named]);
    let errors = fails(&["import", "--storage", "memory:", "--in", &named], 2);
    assert!(errors.contains("memory"), "{errors}");
    fails(
        &[
            "export",
            "--storage",
            &sqlite(&folder.path().join("no.db")),
            "--out",
            "-",
        ],
        3,
    );
    assert!(!folder.path().join("no.db").exists());
}

/// Killed at any moment, and repeated until they are done.
#[test]
fn killed_exports_and_imports_are_repeated() {
    let folder = TempDir::new().expect("a folder");
    let source = store_of(folder.path(), "a.db", 400);
    let target = sqlite(&folder.path().join("b.db"));
    let file = folder.path().join("a.ees").display().to_string();
    let export = ["export", "--storage", &source, "--out", &file];
    let import = ["import", "--storage", &target, "--in", &file];
    for command in [&export[..], &import[..]] {
        for pause in [5, 11, 17, 23, 31, 47, 71] {
            let mut child = ees(command)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("ees starts");
            std::thread::sleep(Duration::from_millis(pause));
            let _ = child.kill();
            child.wait().expect("an end");
        }
        let (code, _, errors) = crate::process::run(command);
        let is_done = code == Some(0) || errors.contains("already exists");
        assert!(is_done, "{errors}");
    }
    let said = ok(&["verify", "--storage", &target]);
    assert!(said.contains("as it should be: 534 changesets"), "{said}");
    assert_eq!(order(&Ees::serve(&target)), order(&Ees::serve(&source)));
}
