//! A tab of a browser, driven over the protocol of its developer tools: JSON over two pipes, each message ended by a
//! zero byte.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Killed, chromium};
use crate::process::LONG;

/// A tab without a window.
pub(crate) struct Tab {
    to: ChildStdin,
    from: Receiver<Value>,
    calls: u64,
    session: Value,
    /// What happened that nobody has waited for.
    events: Vec<Value>,
    _browser: Killed,
    _profile: TempDir,
}

impl Tab {
    pub(crate) fn open() -> Self {
        let profile = TempDir::new().expect("a folder");
        let browser = chromium(profile.path());
        // The protocol is on the descriptors 3 and 4, which a shell can make of these.
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "sh"])
            .arg(browser.get_program())
            .args(browser.get_args())
            .args(["--remote-debugging-pipe", "--hide-scrollbars"])
            .args([
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                "about:blank",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        let mut browser = shell.spawn().expect("sh starts");
        let to = browser.stdin.take().expect("a pipe");
        let mut from = BufReader::new(browser.stdout.take().expect("a pipe"));
        let (heard, events) = channel();
        thread::spawn(move || {
            let mut message = Vec::new();
            while from
                .read_until(0, &mut message)
                .is_ok_and(|bytes| bytes > 0)
            {
                message.pop();
                let _ = heard.send(serde_json::from_slice(&message).expect("JSON"));
                message.clear();
            }
        });
        let mut tab = Self {
            to,
            from: events,
            calls: 0,
            session: Value::Null,
            events: Vec::new(),
            _browser: Killed(browser),
            _profile: profile,
        };
        tab.attach();
        tab
    }

    fn attach(&mut self) {
        let page = self.call("Target.createTarget", &json!({"url": "about:blank"}));
        let to = json!({"targetId": page["targetId"], "flatten": true});
        self.session = self.call("Target.attachToTarget", &to)["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
    }

    /// Makes a call of the protocol.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        let result = self.try_call(method, params);
        result.unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    /// The result of a call, or its error.
    fn try_call(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        self.calls += 1;
        let mut call = json!({"id": self.calls, "method": method, "params": params});
        if !self.session.is_null() {
            call["sessionId"] = self.session.clone();
        }
        self.to
            .write_all(call.to_string().as_bytes())
            .expect("a pipe");
        self.to.write_all(b"\0").expect("a pipe");
        loop {
            let mut heard = self.hear();
            if heard["id"] != self.calls {
                self.events.push(heard);
            } else if heard["error"].is_null() {
                return Ok(heard["result"].take());
            } else {
                return Err(heard["error"].take());
            }
        }
    }

    fn hear(&self) -> Value {
        let heard = self.from.recv_timeout(LONG);
        heard.expect("chromium-headless-shell answers: `./run-tests.sh` installs it")
    }

    /// Opens an address and waits until the page is there.
    pub(crate) fn go(&mut self, url: &str) {
        self.call("Page.navigate", &json!({"url": url}));
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// What a script of the page results in.
    pub(crate) fn eval(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let mut result = self.call("Runtime.evaluate", &params);
        let failed = result["exceptionDetails"].is_null();
        assert!(failed, "{script}: {result}");
        result["result"]["value"].take()
    }

    /// Waits until a script of the page results in something true.
    pub(crate) fn until(&mut self, script: &str) {
        let script =
            format!("(() => {{ try {{ return Boolean({script}) }} catch {{ return false }} }})()");
        let params = json!({"expression": script, "returnByValue": true});
        let begun = Instant::now();
        loop {
            // A page that is being left has no result.
            let result = self.try_call("Runtime.evaluate", &params);
            if result.is_ok_and(|result| result["result"]["value"] == true) {
                return;
            }
            assert!(begun.elapsed() < LONG, "in vain: {script}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the page shows a text.
    pub(crate) fn until_text(&mut self, text: &str) {
        let text = json!(text);
        self.until(&format!("document.body.innerText.includes({text})"));
    }

    /// What the page shows, once it is there.
    pub(crate) fn text(&mut self) -> String {
        self.until("document.readyState === 'complete'");
        let text = self.eval("document.body.innerText");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page is there and was shown: browsers drop the clicks before.
    fn shown(&mut self) {
        self.until("document.readyState === 'complete'");
        let frames = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))";
        self.eval(frames);
    }

    /// Clicks on the first element that a selector finds, where it is.
    pub(crate) fn click(&mut self, selector: &str) {
        self.shown();
        let selector = json!(selector);
        let place = self.eval(&format!(
            "(() => {{ const found = document.querySelector({selector}); found.scrollIntoView({{block: 'center'}});
             const box = found.getBoundingClientRect();
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let click = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &click);
        }
    }

    /// Types into the first field that a selector finds.
    pub(crate) fn type_into(&mut self, selector: &str, text: &str) {
        self.shown();
        let selector = json!(selector);
        self.eval(&format!("document.querySelector({selector}).focus()"));
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Shows pages on a screen of this width, in light or in dark.
    pub(crate) fn screen(&mut self, width: u32, height: u32, is_dark: bool) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if is_dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", &media);
    }

    /// A picture of what the screen shows, as base64 of a PNG.
    pub(crate) fn picture(&mut self) -> String {
        let picture = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        picture["data"].as_str().expect("base64").to_owned()
    }

    /// What no page may do since this was asked last: fail in a script, break its policy, or ask another
    /// host. `own` begins the addresses of the server.
    pub(crate) fn complaints(&mut self, own: &str) -> Vec<String> {
        self.eval("0");
        let events = std::mem::take(&mut self.events);
        let is_own = |url: &str| {
            [own, "about:", "data:"]
                .iter()
                .any(|own| url.starts_with(own))
        };
        let complaint = |event: &Value| match event["method"].as_str()? {
            "Runtime.exceptionThrown" => Some(event["params"].to_string()),
            "Log.entryAdded" => {
                let entry = &event["params"]["entry"];
                // An answer of 4xx is an error for the browser too.
                let is_one = entry["level"] == "error" && entry["source"] != "network";
                is_one.then(|| entry.to_string())
            }
            "Network.requestWillBeSent" => {
                let url = event["params"]["request"]["url"].as_str()?;
                (!is_own(url)).then(|| format!("a request to {url}"))
            }
            _ => None,
        };
        events.iter().filter_map(complaint).collect()
    }
}
