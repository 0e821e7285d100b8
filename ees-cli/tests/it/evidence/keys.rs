//! Keys that sign the log.

use std::fs;

use ees_dynamodb_testkit::Emulator;
use tempfile::TempDir;

use super::{make_key, secret, serve_signed, wait_until_sealed};
use crate::process::{Ees, dynamodb, ees, ended, run, sqlite};

#[cfg(unix)]
#[test]
fn a_key_is_written_once_and_only_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("log.key");
    make_key(&file);
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(&file).expect("a key");
    let out = file.display().to_string();
    let again = ["log", "keygen", "--origin", "a", "--out", &out];
    let (code, _, errors) = run(&again);
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains(&out), "{errors}");
    assert_eq!(fs::read_to_string(&file).expect("a key"), text, "it stays");
    let other = folder.path().join("other.key").display().to_string();
    let spaced = ["log", "keygen", "--origin", "a b", "--out", &other];
    let (code, _, errors) = run(&spaced);
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("--origin a b"), "{errors}");
    assert!(!fs::exists(&other).expect("a look"), "nothing is written");
}

/// Where others index and seal, as the functions on AWS do, a server that has the key seals as well: it
/// alone can sign.
#[test]
fn a_server_with_a_key_seals_beside_other_indexers() {
    let folder = TempDir::new().expect("a folder");
    let key = folder.path().join("log.key");
    make_key(&key);
    let emulator = Emulator::start().expect("DynamoDB");
    let storage = dynamodb(&emulator);
    let (code, _, errors) = run(&["admin", "--storage", &storage, "create-tables"]);
    assert_eq!(code, Some(0), "{errors}");
    let key = key.display().to_string();
    let args = ["--storage", &storage, "--listen", "127.0.0.1:0"];
    let others = ["--indexer", "off", "--log-key", &key];
    let server = Ees::spawn(ees(&[&args[..], &others].concat()));
    server.ok("POST", "/streams/a", r#"{"events":[1]}"#);
    let (code, _, errors) = run(&["admin", "--storage", &storage, "sweep"]);
    assert_eq!(code, Some(0), "{errors}");
    let head = wait_until_sealed(&server, 1);
    assert!(head["signed_note"].is_string(), "{head}");
}

/// The server tells the key that verifies, and so does the command, by the server.
#[test]
fn the_verifier_key_belongs_to_the_store() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("log.key");
    make_key(&file);
    let ees = serve_signed("memory:", &file);
    let line = ees.log_line("this key verifies it: ");
    let (_, told) = line.split_once("this key verifies it: ").expect("a key");
    let key = file.display().to_string();
    let url = format!("http://{}", ees.address());
    let (code, printed, errors) = run(&["log", "vkey", "--log-key", &key, "--url", &url]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(printed.trim(), told.trim());
    assert!(told.starts_with("example.com/shop/"), "{told}");
}

/// A store that no server uses is opened instead.
#[test]
fn the_verifier_key_of_a_file_is_that_of_its_server() {
    let folder = TempDir::new().expect("a folder");
    let (file, key) = (folder.path().join("ees.db"), folder.path().join("log.key"));
    make_key(&key);
    let storage = sqlite(&file);
    let key = key.display().to_string();
    let by_file = ["log", "vkey", "--log-key", &key, "--storage", &storage];
    let (code, _, errors) = run(&by_file);
    assert_eq!(code, Some(3), "no file is made: {errors}");
    let ees = crate::process::Ees::serve(&storage);
    let (code, _, errors) = run(&by_file);
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.contains("in use"), "{errors}");
    let url = format!("http://{}", ees.address());
    let (_, by_server, _) = run(&["log", "vkey", "--log-key", &key, "--url", &url]);
    drop(ees);
    let (code, printed, errors) = run(&by_file);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(printed, by_server);
    let in_memory = ["log", "vkey", "--log-key", &key, "--storage", "memory:"];
    let (code, _, errors) = run(&in_memory);
    assert_eq!(code, Some(2), "{errors}");
}

/// What is wrong with a key ends the start, and every other command that needs it.
#[test]
fn a_key_that_cannot_be_used_is_told() {
    let folder = TempDir::new().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    make_key(&place("sound"));
    let text = fs::read_to_string(place("sound")).expect("a key");
    let secret = secret(&text);
    fs::write(place("broken"), text.replacen("example", "examble", 1)).expect("a file");
    fs::write(place("empty"), "").expect("a file");
    fs::write(place("open"), &text).expect("a file");
    let key = |name: &str| place(name).display().to_string();
    let mut cases = vec![
        (vec!["--log-key", "missing"], "No such file"),
        (vec!["--log-key", "broken"], "not a key of a log"),
        (vec!["--log-key", "empty"], "not a key of a log"),
        (vec!["--log-key", "sound", "--seal", "off"], "`--seal off`"),
        (vec!["--log-key", "sound", "--keep-heads", "65"], "65"),
        (vec!["--seal", "maybe"], "maybe"),
    ];
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for (name, mode) in [("broken", 0o600), ("empty", 0o640), ("open", 0o644)] {
            let rights = fs::Permissions::from_mode(mode);
            fs::set_permissions(place(name), rights).expect("rights");
        }
        cases.push((vec!["--log-key", "open"], "`chmod 600`"));
    }
    for (more, told) in cases {
        let more = more.into_iter().enumerate();
        let more = more.map(|(at, word)| {
            if at == 1 && word != "maybe" {
                key(word)
            } else {
                word.to_owned()
            }
        });
        let more: Vec<_> = more.collect();
        let mut command = ees(&["serve", "--storage", "memory:", "--listen", "127.0.0.1:0"]);
        command.args(&more);
        let (code, stdout, errors) = ended(command);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{more:?}: {errors}");
        assert!(errors.contains(told), "{more:?}: {errors}");
        assert!(!errors.contains(secret), "no secret is shown: {errors}");
    }
}

/// Who switches sealing off serves what others have sealed.
#[test]
fn sealing_can_be_switched_off() {
    let args = ["--storage", "memory:", "--listen", "127.0.0.1:0"];
    let ees = crate::process::Ees::spawn(ees(&[&args[..], &["--seal", "off"]].concat()));
    ees.ok("POST", "/streams/s", r#"{"events":[1]}"#);
    while ees.ok("GET", "/streams", "")["statistics_version"] == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let head = crate::http::request(&ees.address(), "GET", "/log/head", "");
    let head = head.expect("an answer");
    assert!(
        head.status == 404 && head.body.contains("NOT_SEALED"),
        "{}",
        head.body
    );
}
