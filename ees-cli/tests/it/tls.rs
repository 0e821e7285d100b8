//! TLS, as curl sees it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use tempfile::TempDir;

use crate::process::{Ees, ees, ended, run};

type Root = CertifiedIssuer<'static, KeyPair>;

/// A root that signs certificates, and its file.
fn root(folder: &Path, name: &str) -> Root {
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    let root = CertifiedIssuer::self_signed(params, key).expect("a root");
    fs::write(folder.join(format!("{name}.pem")), root.pem()).expect("a file");
    root
}

/// A certificate with its key, each in a file.
fn pair(folder: &Path, name: &str, root: &Root, until: i32) {
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
    params.not_after = date_time_ymd(until, 1, 1);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, root).expect("a certificate");
    fs::write(folder.join(format!("{name}.pem")), certificate.pem()).expect("a file");
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).expect("a file");
}

fn text(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

fn serve(folder: &Path, more: &[&str]) -> Ees {
    let (certificate, key) = (text(folder, "server.pem"), text(folder, "server.key"));
    let tls = ["--tls-cert", &certificate, "--tls-key", &key];
    let serve = ["--storage", "memory:", "--listen", "127.0.0.1:0"];
    Ees::spawn(ees(&[&serve[..], &tls, more].concat()))
}

/// What curl says of a call: its exit code, and the version and status of the answer.
fn curl(ees: &Ees, folder: &Path, root: &str, more: &[&str]) -> (Option<i32>, String) {
    let mut curl = Command::new("curl");
    let port = ees.address().rsplit_once(':').expect("a port").1.to_owned();
    curl.args([
        "--silent",
        "--output",
        "/dev/null",
        "--cacert",
        &text(folder, root),
    ]);
    curl.args(["--write-out", "%{http_version} %{http_code}"]);
    curl.args(more)
        .arg(format!("https://localhost:{port}/streams"));
    let (code, stdout, _) = ended(curl);
    (code, stdout)
}

#[test]
fn both_versions_of_http_are_spoken() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    pair(folder, "server", &root(folder, "root"), 2999);
    let ees = serve(folder, &[]);
    for (asked, expected) in [("--http2", "2 200"), ("--http1.1", "1.1 200")] {
        let answered = curl(&ees, folder, "root.pem", &[asked]);
        assert_eq!(answered, (Some(0), expected.to_owned()), "{asked}");
    }
    let plain = crate::http::request(&ees.address(), "GET", "/version", "");
    assert!(plain.is_err(), "nothing is answered without TLS: {plain:?}");
    ees.signal("TERM");
    assert_eq!(ees.wait().0, Some(0));
}

#[test]
fn an_event_stream_comes_over_http_2() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    pair(folder, "server", &root(folder, "root"), 2999);
    let ees = serve(folder, &[]);
    let port = ees.address().rsplit_once(':').expect("a port").1.to_owned();
    let url = |path: &str| format!("https://localhost:{port}{path}");
    let root = text(folder, "root.pem");
    let curl = |args: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--http2", "--cacert", &root])
            .args(args);
        curl
    };
    let commit = |stream: &str| {
        let path = url(&format!("/streams/{stream}"));
        let committed = ended(curl(&["--data", r#"{"events":[1]}"#, &path]));
        assert_eq!(committed.0, Some(0), "{committed:?}");
    };
    commit("a");
    let follow = [
        "--no-buffer",
        "--include",
        "--header",
        "Accept: text/event-stream",
        &url("/changesets"),
    ];
    let mut following = curl(&follow);
    let mut following = following.stdout(Stdio::piped()).spawn().expect("curl runs");
    let answer = BufReader::new(following.stdout.take().expect("a pipe"));
    let mut lines = answer.lines().map_while(Result::ok);
    let mut next = |text: &str| {
        let found = lines.find(|line| line.starts_with(text));
        found.unwrap_or_else(|| panic!("`{text}` comes"))
    };
    assert!(next("HTTP/").contains("/2 200"));
    next("content-type: text/event-stream");
    next("id: 0");
    assert!(next("data:").contains(r#""stream_id":"a""#));
    commit("b");
    next("id: 1");
    assert!(next("data:").contains(r#""stream_id":"b""#));
    ees.signal("TERM");
    assert_eq!(ees.wait().0, Some(0), "the stream ends with the server");
    following.wait().expect("an end");
}

#[test]
fn a_client_needs_a_certificate_where_that_is_asked_for() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let (own, other) = (root(folder, "root"), root(folder, "other"));
    pair(folder, "server", &own, 2999);
    pair(folder, "client", &own, 2999);
    pair(folder, "stranger", &other, 2999);
    let ees = serve(folder, &["--tls-client-ca", &text(folder, "root.pem")]);
    let with = |name: &str| {
        let (certificate, key) = (
            text(folder, &format!("{name}.pem")),
            text(folder, &format!("{name}.key")),
        );
        curl(
            &ees,
            folder,
            "root.pem",
            &["--cert", &certificate, "--key", &key],
        )
    };
    assert_eq!(with("client"), (Some(0), "2 200".to_owned()));
    assert_ne!(with("stranger").0, Some(0));
    assert_ne!(
        curl(&ees, folder, "root.pem", &[]).0,
        Some(0),
        "none is shown"
    );
}

#[test]
fn files_are_read_again_when_they_change() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let own = root(folder, "root");
    pair(folder, "server", &own, 2999);
    let ees = serve(folder, &[]);
    assert_eq!(curl(&ees, folder, "root.pem", &[]).0, Some(0));
    pair(folder, "server", &own, 2001);
    ees.wait_for_log("the certificate has expired");
    assert_eq!(
        curl(&ees, folder, "root.pem", &[]).0,
        Some(0),
        "the old one stays"
    );
    pair(folder, "server", &root(folder, "new"), 2999);
    ees.wait_for_log("new connections use it");
    assert_eq!(curl(&ees, folder, "new.pem", &[]).0, Some(0));
    assert_ne!(curl(&ees, folder, "root.pem", &[]).0, Some(0));
}

#[test]
fn what_cannot_work_is_told_at_the_start() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let own = root(folder, "root");
    for (name, until) in [("server", 2999), ("other", 2999), ("expired", 2001)] {
        pair(folder, name, &own, until);
    }
    let file = |name: &str| text(folder, name);
    for (certificate, key, told) in [
        (
            "server.pem",
            "other.key",
            "does not belong to the certificate",
        ),
        ("expired.pem", "expired.key", "the certificate has expired"),
        ("server.key", "server.key", "no certificate was found"),
        ("server.pem", "nowhere", "nowhere: No such file"),
    ] {
        let args = [
            "--storage",
            "memory:",
            "--tls-cert",
            &file(certificate),
            "--tls-key",
            &file(key),
        ];
        let (code, _, errors) = run(&args);
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains(told), "{errors}");
    }
    let (code, _, errors) = run(&["--storage", "memory:", "--tls-cert", &file("server.pem")]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("--tls-key"), "{errors}");
}

/// What no root of clients' certificates can be made of, and what is told of it.
const BROKEN_ROOTS: [(&str, &str); 3] = [
    (
        "",
        "the roots of the clients' certificates: no certificate was found",
    ),
    (
        "-----BEGIN CERTIFICATE-----\n",
        "the roots of the clients' certificates: ",
    ),
    (
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "the roots of the clients' certificates: ",
    ),
];

#[test]
fn broken_roots_of_clients_are_told_at_the_start() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    pair(folder, "server", &root(folder, "root"), 2999);
    let (certificate, key) = (text(folder, "server.pem"), text(folder, "server.key"));
    let start = |roots: &str| {
        let args = ["--storage", "memory:", "--tls-cert", &certificate];
        let args = [&args[..], &["--tls-key", &key, "--tls-client-ca", roots]].concat();
        run(&args)
    };
    let broken = text(folder, "broken.pem");
    for (content, told) in BROKEN_ROOTS {
        fs::write(&broken, content).expect("a file");
        let (code, _, errors) = start(&broken);
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains(told), "{content}: {errors}");
    }
    let (code, _, errors) = start(&text(folder, "nowhere"));
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("nowhere: No such file"), "{errors}");
}

#[test]
fn broken_roots_of_clients_replace_none() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let own = root(folder, "root");
    pair(folder, "server", &own, 2999);
    pair(folder, "client", &own, 2999);
    fs::copy(folder.join("root.pem"), folder.join("clients.pem")).expect("a file");
    let ees = serve(folder, &["--tls-client-ca", &text(folder, "clients.pem")]);
    let (certificate, key) = (text(folder, "client.pem"), text(folder, "client.key"));
    let with_certificate = ["--cert", &certificate, "--key", &key];
    for (content, told) in BROKEN_ROOTS {
        fs::write(folder.join("clients.pem"), content).expect("a file");
        ees.wait_for_log(told);
        assert_eq!(curl(&ees, folder, "root.pem", &with_certificate).0, Some(0));
        assert_ne!(curl(&ees, folder, "root.pem", &[]).0, Some(0));
    }
}
