//! The scripted server.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// The folder `clients`.
pub(crate) const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients");

/// The process, which ends with its standard input.
pub(crate) struct Scripted {
    process: Child,
    url: String,
    http: reqwest::Client,
}

impl Scripted {
    pub(crate) fn start() -> Self {
        let mut command = Command::new("python3");
        command.arg(format!("{CLIENTS}/scripted-server.py"));
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let mut url = String::new();
        let output = process.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut url).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The script may close any connection that the client has, so this one has its own.
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0);
        Self {
            process,
            url: url.trim().to_owned(),
            http: http.build().unwrap(),
        }
    }

    /// Puts a script, and returns the URL where it is played.
    pub(crate) async fn put(&self, name: &str, answers: &Value) -> String {
        let control = format!("{}/_scripts/{name}", self.url);
        let put = self.http.put(control).body(answers.to_string()).send();
        assert!(put.await.unwrap().status().is_success());
        format!("{}/{name}", self.url)
    }

    /// The requests to a script.
    pub(crate) async fn requests(&self, name: &str) -> Vec<Value> {
        let control = format!("{}/_scripts/{name}", self.url);
        let listed = self.http.get(control).send().await.unwrap();
        serde_json::from_slice(&listed.bytes().await.unwrap()).unwrap()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
