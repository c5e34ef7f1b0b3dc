//! Controls a headless Chromium through the DevTools protocol on a pair of pipes. Messages are JSON, each followed by
//! a zero byte. (`--remote-debugging-pipe`: the browser reads from descriptor 3 and writes to 4.)

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// The maximum time for an answer. The machine may be busy.
const PATIENCE: Duration = Duration::from_secs(600);

/// The names of the programs to look for.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    next: u64,
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

/// A page, identified by its session.
pub struct Page(String);

fn program() -> Option<String> {
    if let Ok(named) = std::env::var("GATEWAYCTL_BROWSER") {
        return Some(named);
    }
    let runs = |name: &&str| {
        let asked = Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    };
    NAMES.into_iter().find(runs).map(str::to_owned)
}

impl Browser {
    /// Starts the browser; `None` if there is none.
    pub fn start() -> Option<Self> {
        let program = program()?;
        let profile = tempfile::tempdir().expect("a folder");
        // The shell gives the browser its own two pipes as the descriptors 3 and 4.
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(program);
        command
            .args([
                "--headless",
                // Tests run as any user, also in containers, and only open their own files.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the browser starts");
        let to = child.stdin.take().expect("a pipe to the browser");
        let from_browser = child.stdout.take().expect("a pipe from the browser");
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(from_browser);
            let mut message = Vec::new();
            while reader
                .read_until(0, &mut message)
                .is_ok_and(|read| read > 0)
            {
                message.pop();
                if let Ok(value) = serde_json::from_slice(&message)
                    && sender.send(value).is_err()
                {
                    return;
                }
                message.clear();
            }
        });
        Some(Browser {
            child,
            to,
            from,
            next: 0,
            events: Vec::new(),
            _profile: profile,
        })
    }

    /// Sends a request and waits for the answer. Events before it are kept.
    fn ask(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).expect("the browser listens");
        loop {
            let value = self.from.recv_timeout(PATIENCE);
            let value = value.unwrap_or_else(|_| panic!("no answer to {method}"));
            if value["id"] == json!(self.next) {
                assert!(value["error"].is_null(), "{method}: {}", value["error"]);
                return value["result"].clone();
            }
            self.events.push(value);
        }
    }

    /// Opens a file, and waits until it is loaded.
    pub fn open(&mut self, path: &Path) -> Page {
        let target = self.ask(None, "Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.ask(None, "Target.attachToTarget", attach);
        let session = attached["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        let page = Page(session);
        for method in [
            "Page.enable",
            "Runtime.enable",
            "Log.enable",
            "Network.enable",
        ] {
            self.ask(Some(&page.0), method, json!({}));
        }
        self.resize(&page, 1400);
        self.events.clear();
        let url = format!("file://{}", path.display());
        self.ask(Some(&page.0), "Page.navigate", json!({"url": url}));
        while !self
            .events
            .iter()
            .any(|it| it["method"] == "Page.loadEventFired")
        {
            let event = self.from.recv_timeout(PATIENCE).expect("the page loads");
            self.events.push(event);
        }
        page
    }

    /// The value of an expression in the page.
    pub fn evaluate(&mut self, page: &Page, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true});
        let result = self.ask(Some(&page.0), "Runtime.evaluate", params);
        let thrown = &result["exceptionDetails"];
        assert!(thrown.is_null(), "{thrown}");
        result["result"]["value"].clone()
    }

    /// Sets the width of the window.
    pub fn resize(&mut self, page: &Page, width: u32) {
        let size = json!({"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false});
        self.ask(Some(&page.0), "Emulation.setDeviceMetricsOverride", size);
    }

    /// Sets the preferred colour scheme, and whether the page is for a screen or for print.
    pub fn prefer(&mut self, page: &Page, scheme: &str, medium: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let params = json!({"media": medium, "features": features});
        self.ask(Some(&page.0), "Emulation.setEmulatedMedia", params);
    }

    /// Presses a key.
    pub fn press(&mut self, page: &Page, key: &str) {
        let text = if key.chars().count() == 1 { key } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let mut params = json!({"type": kind, "key": key});
            if kind == "keyDown" && !text.is_empty() {
                params["text"] = json!(text);
            }
            self.ask(Some(&page.0), "Input.dispatchKeyEvent", params);
        }
    }

    /// Types a text into the focused element.
    pub fn write(&mut self, page: &Page, text: &str) {
        self.ask(Some(&page.0), "Input.insertText", json!({"text": text}));
    }

    /// What the page requested besides itself and what needs no network.
    pub fn requests(&self) -> Vec<String> {
        let sent = self
            .events
            .iter()
            .filter(|it| it["method"] == "Network.requestWillBeSent");
        let urls = sent.filter_map(|it| it["params"]["request"]["url"].as_str());
        let page = |url: &&str| {
            (url.starts_with("file:") && url.ends_with(".html")) || url.starts_with("data:")
        };
        urls.filter(|url| !page(url)).map(str::to_owned).collect()
    }

    /// What the page and the browser wrote to the console.
    pub fn complaints(&self) -> Vec<String> {
        const METHODS: [&str; 3] = [
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
        ];
        let told = self
            .events
            .iter()
            .filter(|it| METHODS.iter().any(|method| it["method"] == *method));
        told.map(|it| it["params"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
