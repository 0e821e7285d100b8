//! The proxies of the guide before a real server, with the configurations that the guide shows.

mod caddy;
mod nginx;

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Ees, LONG, ees, ended};

const GUIDE: &str = include_str!("../../../docs/behind-a-proxy.md");

/// The host name that the guide uses.
const HOST: &str = "events.example.com";

const READER: &str = "reader:reading is all";
const WRITER: &str = "writer:writing too";

/// The block of a language that the guide shows.
fn shown(language: &str) -> String {
    let begin = format!("```{language}\n");
    let mut parts = GUIDE.split(&begin);
    let block = parts.nth(1).and_then(|rest| rest.split("```").next());
    assert!(parts.next().is_none(), "one block of {language}");
    block.expect("a block").to_owned()
}

/// Replaces what a configuration must contain.
fn replaced(config: &str, from: &str, to: &str) -> String {
    assert!(config.contains(from), "no `{from}` in {config}");
    config.replace(from, to)
}

/// A folder for a proxy's files, with a certificate for the host.
struct Place(TempDir);

impl Place {
    fn make() -> Self {
        let place = Self(TempDir::new().expect("a folder"));
        let pair = rcgen::generate_simple_self_signed([HOST.to_owned()]).expect("a certificate");
        place.write("tls.pem", &pair.cert.pem());
        place.write("tls.key", &pair.signing_key.serialize_pem());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path of a file, as text.
    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }
}

/// A server behind a proxy that listens on a socket in its place; both are killed when it is dropped.
struct Site {
    ees: Ees,
    place: Place,
    proxy: Child,
}

impl Site {
    /// Starts a server, and before it the proxy of a command that is made for the server's address.
    fn start(command: impl FnOnce(&Place, &str) -> Command) -> Self {
        let serve = [
            "--storage",
            "memory:",
            "--listen",
            "127.0.0.1:0",
            "--allowed-host",
            HOST,
        ];
        let (ees, place) = (Ees::spawn(ees(&serve)), Place::make());
        let mut command = command(&place, &ees.address());
        let log = fs::File::create(place.path("log")).expect("a file");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let proxy = command.stderr(log).spawn();
        let proxy = proxy.expect("the proxy starts: `./run-tests.sh` installs it");
        let mut site = Self { ees, place, proxy };
        site.wait_until_it_listens();
        site
    }

    fn wait_until_it_listens(&mut self) {
        let begun = Instant::now();
        while UnixStream::connect(self.place.path("socket")).is_err() {
            let ended = self.proxy.try_wait().expect("a status");
            let log = || fs::read_to_string(self.place.path("log")).unwrap_or_default();
            assert!(ended.is_none(), "the proxy ended: {}", log());
            assert!(begun.elapsed() < LONG, "it does not listen: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The status and the whole answer of a request.
    fn curl(&self, args: &[&str]) -> (u16, String) {
        let (path, args) = args.split_last().expect("a path");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--include", "--http1.1"]);
        curl.args(["--unix-socket", &self.place.text("socket")]);
        curl.args(["--cacert", &self.place.text("tls.pem")]);
        // The answer shall begin with its own status.
        curl.args(["--header", "Expect:"]);
        // A pipe would hold back a long answer.
        curl.arg("--output").arg(self.place.path("answer"));
        curl.args(args).arg(format!("https://{HOST}{path}"));
        let (code, _, errors) = ended(curl);
        assert_eq!(code, Some(0), "{errors}");
        let answer = fs::read_to_string(self.place.path("answer")).expect("text");
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.expect("a status"), answer)
    }

    /// Commits an event to a new stream.
    fn commit(&self, more: &[&str], path: &str) -> (u16, String) {
        let commit = ["--user", WRITER, "--data", r#"{"events": [1]}"#];
        self.curl(&[&commit, more, &[path]].concat())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// A file with the body of a commit whose events have exactly so many bytes.
fn large_body(place: &Place, bytes: usize) -> String {
    let text = "x".repeat(bytes - r#"[""]{}"#.len());
    place.write("large", &format!(r#"{{"events": ["{text}"]}}"#));
    format!("@{}", place.text("large"))
}

/// Everything that must pass through a proxy.
fn everything_passes(site: &mut Site) {
    the_two_users_differ(site);
    the_largest_changeset_passes(site);
    stream_ids_stay_as_they_are(site);
    the_proxy_refuses_a_malformed_path_by_itself(site);
    a_long_poll_ends_by_itself(site);
    a_page_of_the_site_may_commit(site);
    a_server_that_is_away_is_told_in_the_contracts_words(site);
}

fn the_two_users_differ(site: &Site) {
    let commit = ["--data", r#"{"events": [1]}"#, "/streams/users"];
    let (status, _) = site.curl(&commit);
    assert_eq!(status, 401);
    let (status, _) = site.curl(&[&["--user", READER], &commit[..]].concat());
    assert_eq!(status, 401);
    let (status, _) = site.curl(&["/streams"]);
    assert_eq!(status, 401);
    for user in [READER, WRITER] {
        let (status, answer) = site.curl(&["--user", user, "/streams/users"]);
        assert_eq!(status, 404, "nobody could commit: {answer}");
        assert_eq!(body(&answer)["error"], "STREAM_NOT_FOUND");
    }
    let (status, answer) = site.commit(&[], "/streams/users");
    assert_eq!(status, 200, "{answer}");
}

fn the_largest_changeset_passes(site: &Site) {
    let data = large_body(&site.place, 16 * 1024 * 1024);
    let commit = ["--user", WRITER, "--data-binary", &data, "/streams/large"];
    let (status, answer) = site.curl(&commit);
    assert_eq!(status, 200, "{answer}");
    let read = ["--user", READER, "/streams/large/events"];
    let (status, answer) = site.curl(&read);
    assert_eq!(status, 200);
    let event = &body(&answer)["events"][0]["data"];
    assert_eq!(event.as_str().map(str::len), Some(16 * 1024 * 1024 - 6));
}

fn stream_ids_stay_as_they_are(site: &Site) {
    for (path, id) in [
        ("/streams/c%2Fd", "c/d"),
        ("/streams/50%25", "50%"),
        ("/streams/%252F", "%2F"),
        ("/streams/a%2F%2Fb%2F..", "a//b/.."),
        ("/streams/%E6%97%A5%20%3F", "日 ?"),
    ] {
        let (status, answer) = site.commit(&[], path);
        assert_eq!(status, 200, "{path}: {answer}");
        assert_eq!(body(&answer)["stream_id"], id);
    }
}

fn the_proxy_refuses_a_malformed_path_by_itself(site: &Site) {
    let (status, answer) = site.curl(&["--user", READER, "/streams/%zz"]);
    assert_eq!(status, 400, "{answer}");
    assert!(!answer.contains("application/json"), "{answer}");
}

fn a_long_poll_ends_by_itself(site: &Site) {
    let poll = ["--user", READER, "/changesets?checkpoint=head&wait=2"];
    let (status, answer) = site.curl(&poll);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(body(&answer)["changesets"], json!([]));
}

/// As a browser without `Sec-Fetch-Site` sends it.
fn a_page_of_the_site_may_commit(site: &Site) {
    let origin = format!("Origin: https://{HOST}");
    let (status, answer) = site.commit(&["--header", &origin], "/streams/page");
    assert_eq!(status, 200, "{answer}");
    let other = "Origin: https://other.example.com";
    let (status, answer) = site.commit(&["--header", other], "/streams/other");
    assert_eq!(status, 403, "{answer}");
    assert_eq!(body(&answer)["error"], "FORBIDDEN");
}

fn a_server_that_is_away_is_told_in_the_contracts_words(site: &mut Site) {
    site.ees.kill();
    let (status, answer) = site.commit(&[], "/streams/away");
    assert_eq!(status, 503, "{answer}");
    let told = body(&answer);
    assert_eq!(told["error"], "STORAGE_UNAVAILABLE");
    assert_eq!(told["outcome"], "unknown");
    let answer = answer.to_ascii_lowercase();
    assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
    let json = "\r\ncontent-type: application/json\r\n";
    assert!(answer.contains(json), "{answer}");
}

/// The file that a program runs from, where `PATH` may lack the folder for administrators.
fn program(name: &str) -> PathBuf {
    let administrators = Path::new("/usr/sbin").join(name);
    if administrators.exists() {
        administrators
    } else {
        name.into()
    }
}
