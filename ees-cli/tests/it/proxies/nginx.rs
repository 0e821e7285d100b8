//! nginx, with the configuration of the guide, and without parts of it.

use std::process::Command;

use clap::Parser;
use ees_cli::args::Cli;

use super::{HOST, Place, READER, Site, WRITER, body, everything_passes, large_body, program};
use super::{replaced, shown};

/// What nginx needs besides: a process in the foreground, and its files in one folder.
const MAIN: &str = "daemon off; master_process off; pid FOLDER/pid; error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi; uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
    include FOLDER/ees.conf;
}
";

/// nginx before a server, with a configuration made from that of the guide.
fn start(change: impl FnOnce(String) -> String) -> Site {
    Site::start(|place, address| {
        place.write("readers", &format!("{}\n{}\n", line(READER), line(WRITER)));
        place.write("writers", &format!("{}\n", line(WRITER)));
        place.write("ees.conf", &placed(&change(shown("nginx")), place, address));
        let main = MAIN.replace("FOLDER", &place.text(""));
        place.write("nginx.conf", &main);
        let mut nginx = Command::new(program("nginx"));
        // Before it has read its configuration, it would write to the system's log.
        nginx.args(["-e", "stderr", "-p", &place.text("")]);
        nginx.args(["-c", &place.text("nginx.conf")]);
        nginx
    })
}

/// A user's line in a file of passwords.
fn line(user: &str) -> String {
    user.replacen(':', ":{PLAIN}", 1)
}

/// A configuration with the addresses and files of a test.
fn placed(config: &str, place: &Place, address: &str) -> String {
    let socket = format!("listen unix:{} ssl;", place.text("socket"));
    let tls = format!("/etc/nginx/tls/{HOST}");
    let config = replaced(config, "listen 443 ssl;", &socket);
    let config = replaced(&config, "127.0.0.1:8080", address);
    let config = replaced(&config, &tls, &place.text("tls"));
    let config = replaced(&config, "/etc/nginx/ees-", &place.text(""));
    assert!(!config.contains("/etc/"), "{config}");
    config
}

/// A configuration without a line.
fn without(line: &'static str) -> impl FnOnce(String) -> String {
    move |config| replaced(&config, line, "")
}

#[test]
fn everything_passes_as_the_guide_shows_it() {
    everything_passes(&mut start(|config| config));
}

#[test]
fn without_a_limit_large_bodies_are_refused() {
    let site = start(without("client_max_body_size 32m;"));
    let data = large_body(&site.place, 2 * 1024 * 1024);
    let commit = ["--user", WRITER, "--data-binary", &data, "/streams/large"];
    let (status, answer) = site.curl(&commit);
    assert_eq!(status, 413);
    assert!(answer.contains("<html>"), "{answer}");
}

#[test]
fn with_a_path_behind_the_name_stream_ids_are_decoded() {
    let site =
        start(|config| replaced(&config, "proxy_pass http://ees;", "proxy_pass http://ees/;"));
    let (status, answer) = site.commit(&[], "/streams/c%2Fd");
    assert_eq!(status, 404);
    assert_eq!(body(&answer)["error"], "INVALID_ENDPOINT");
}

/// The poll would wait for twenty seconds.
#[test]
fn a_shorter_timeout_cuts_long_polls() {
    let site =
        start(|config| replaced(&config, "proxy_read_timeout 60s;", "proxy_read_timeout 1s;"));
    let poll = ["--user", READER, "/changesets?checkpoint=head&wait=20"];
    let (status, answer) = site.curl(&poll);
    assert_eq!(status, 503, "{answer}");
    assert_eq!(body(&answer)["outcome"], "unknown");
}

/// The server's own limit must come first, so that its answer arrives.
#[test]
fn the_timeout_of_the_guide_is_longer_than_the_servers() {
    let config = shown("nginx");
    let (_, rest) = config.split_once("proxy_read_timeout ").expect("a timeout");
    let (seconds, _) = rest.split_once("s;").expect("seconds");
    let timeout: u32 = seconds.parse().expect("a number");
    assert!(timeout > Cli::parse_from(["ees"]).serve.request_timeout);
}

#[test]
fn without_the_host_every_request_is_refused() {
    let site = start(without("proxy_set_header Host $http_host;"));
    let origin = format!("Origin: https://{HOST}");
    let (status, answer) = site.commit(&["--header", &origin], "/streams/page");
    assert_eq!(status, 421, "{answer}");
    assert_eq!(body(&answer)["error"], "MISDIRECTED_REQUEST");
}

#[test]
fn without_the_error_page_a_server_that_is_away_is_told_in_html() {
    let mut site = start(without("error_page 502 504 = @away;"));
    site.ees.kill();
    let (status, answer) = site.commit(&[], "/streams/away");
    assert_eq!(status, 502);
    assert!(answer.contains("<html>"), "{answer}");
}
