//! An OpenTelemetry collector, as far as a server that sends to it sees.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::process::{Ees, LONG, ees};

/// The paths that something is sent to.
const PATHS: [&str; 2] = ["/v1/traces", "/v1/metrics"];

/// A collector; its thread ends with the process.
pub(crate) struct Collector {
    pub(crate) address: String,
    received: HashMap<&'static str, Mutex<Receiver<Vec<u8>>>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let mut to = HashMap::new();
        let mut received = HashMap::new();
        for path in PATHS {
            let (sender, messages) = channel();
            to.insert(path, sender);
            received.insert(path, Mutex::new(messages));
        }
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                receive(client, &to);
            }
        });
        Self { address, received }
    }

    /// The next message to a path.
    pub(crate) fn next(&self, path: &str) -> Vec<u8> {
        let received = self.received[path].lock().expect("no panic");
        received.recv_timeout(LONG).expect("a message comes")
    }
}

/// Receives one request, and answers it.
fn receive(client: TcpStream, to: &HashMap<&str, Sender<Vec<u8>>>) {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).is_ok_and(|bytes| bytes == 0) {
            return;
        }
    }
    let path = head.strip_prefix("POST ").expect("a POST");
    let path = path.split(' ').next().expect("a path");
    let to = to.get(path).unwrap_or_else(|| panic!("{head}"));
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("content-type: application/x-protobuf\r\n"),
        "{head}"
    );
    assert!(head.contains("api-key: a b\r\n"), "{head}");
    let length = head.split("content-length: ").nth(1).expect("a length");
    let length = length.lines().next().expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    client.read_exact(&mut body).expect("a body");
    let _ = client
        .get_mut()
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let _ = to.send(body);
}

/// Checks that a resource is a server of this program.
pub(crate) fn assert_is_ees(resource: &str) {
    assert!(
        resource.contains("service.name") && resource.contains("\"ees\""),
        "{resource}"
    );
}

/// A server that sends what it has ten times a second.
pub(crate) fn sending(storage: &str, collector: &str) -> Ees {
    let endpoint = format!("http://{collector}");
    let serve = ["--storage", storage, "--listen", "127.0.0.1:0"];
    let mut command = ees(&[&serve[..], &["--otlp-endpoint", &endpoint]].concat());
    command.env("OTEL_BSP_SCHEDULE_DELAY", "100");
    command.env("OTEL_METRIC_EXPORT_INTERVAL", "100");
    command.env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b");
    Ees::spawn(command)
}
