//! `ees check`, against servers that are well and that are not.

use std::fs;
use std::net::TcpListener;

use tempfile::TempDir;

use crate::process::{Ees, ees, ended, run};

/// The exit code, and all that was said.
fn check(url: &str, more: &[&str]) -> (Option<i32>, String) {
    let (code, stdout, stderr) = run(&[&["check", "--url", url], more].concat());
    (code, format!("{stdout}{stderr}"))
}

#[test]
fn a_server_that_is_well_is_told() {
    let ees = Ees::serve("memory:");
    let (code, said) = check(&format!("http://{}", ees.address()), &[]);
    assert_eq!(code, Some(0), "{said}");
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        said.contains(&format!(": well: version {version}, ready in ")),
        "{said}"
    );
    assert!(said.contains("reads are answered"), "{said}");
}

#[test]
fn what_is_wrong_is_told() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let (code, said) = check(&url, &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("it cannot be reached"), "{said}");
    for url in ["ftp://localhost", "localhost:80", "http://localhost/store"] {
        let (code, said) = check(url, &[]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("expected http://HOST:PORT"), "{said}");
    }
}

#[test]
fn keys_and_tls_are_checked_too() {
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a pair");
    fs::write(file("tls.pem"), pair.cert.pem()).expect("a file");
    fs::write(file("tls.key"), pair.signing_key.serialize_pem()).expect("a file");
    let key = |name: &str, more: &[&str]| {
        let add = [
            "keys",
            "add",
            "--file",
            &file("keys"),
            "--name",
            name,
            "--right",
            "read",
        ];
        let (code, secret, errors) = run(&[&add[..], more].concat());
        assert_eq!(code, Some(0), "{errors}");
        secret.trim().to_owned()
    };
    let (all, limited) = (key("all", &[]), key("limited", &["--stream-prefix", "a"]));
    let serve = [
        "--storage",
        "memory:",
        "--listen",
        "127.0.0.1:0",
        "--keys",
        &file("keys"),
    ];
    let tls = [
        "--tls-cert",
        &file("tls.pem"),
        "--tls-key",
        &file("tls.key"),
    ];
    let server = Ees::spawn(ees(&[&serve[..], &tls].concat()));
    let port = server
        .address()
        .rsplit_once(':')
        .expect("a port")
        .1
        .to_owned();
    let url = format!("https://localhost:{port}");
    let ca = ["--ca", &file("tls.pem")];
    for (key, expected, told) in [
        (None, 0, "it asks for a key, and none was given"),
        (Some(all.as_str()), 0, "reads are answered"),
        (
            Some(&limited),
            0,
            "the key is valid, and may not read all streams",
        ),
        (
            Some("ees_TELLTALE"),
            1,
            "it does not answer a read: 401 this is not a key",
        ),
    ] {
        let mut command = ees(&[&["check", "--url", &url], &ca[..]].concat());
        command.envs(key.map(|key| ("EES_KEY", key)));
        let (code, stdout, stderr) = ended(command);
        let said = format!("{stdout}{stderr}");
        assert_eq!(code, Some(expected), "{said}");
        assert!(said.contains(told) && !said.contains("TELLTALE"), "{said}");
    }
    let (code, said) = check(&url, &[]);
    assert_eq!(code, Some(1), "the system does not know this root");
    assert!(said.contains("TLS fails"), "{said}");
}
