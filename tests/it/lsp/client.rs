//! An editor that speaks the protocol with the program.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::Project;

/// Only a protection against hanging; no test measures with it.
const NO_HANGING: Duration = Duration::from_secs(600);

pub(super) struct Client<'p> {
    project: &'p Project,
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    next: i32,
    /// The findings that are shown, by URI.
    shown: BTreeMap<String, Vec<Value>>,
    /// Requests of the server.
    asked: Vec<String>,
}

impl<'p> Client<'p> {
    /// Starts the server and initializes it with the root of a project.
    pub(super) fn start(project: &'p Project) -> Self {
        let mut client = Client::uninitialized(project);
        let answer = client.request(
            "initialize",
            json!({
                "processId": null,
                "rootUri": client.uri(""),
                "capabilities": {"workspace": {"codeLens": {"refreshSupport": true}}},
            }),
        );
        assert_eq!(answer["capabilities"]["hoverProvider"], true, "{answer}");
        client.notify("initialized", json!({}));
        client
    }

    pub(super) fn uninitialized(project: &'p Project) -> Self {
        let mut command = project.command();
        command.args(["lsp", "--stdio"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the program");
        let output = process.stdout.take().expect("standard output");
        let input = process.stdin.take().expect("standard input");
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Client {
            project,
            process,
            input,
            messages,
            next: 0,
            shown: BTreeMap::new(),
            asked: Vec::new(),
        }
    }

    pub(super) fn uri(&self, file: &str) -> String {
        let root = self.project.root().canonicalize().expect("the root");
        format!("file://{}", root.join(file).display())
    }

    /// Writes bytes as they are.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).expect("the server reads");
        self.input.flush().expect("the server reads");
    }

    pub(super) fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    pub(super) fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request, and returns the whole answer.
    pub(super) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.wait(|_, message| {
            (message["id"] == id && message["method"].is_null()).then(|| message.clone())
        })
    }

    /// Sends a request, and returns its result.
    pub(super) fn request(&mut self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Waits for a message.
    pub(super) fn wait<T>(&mut self, wanted: impl Fn(&Self, &Value) -> Option<T>) -> T {
        loop {
            let message = self.messages.recv_timeout(NO_HANGING).expect("a message");
            if message["method"] == "textDocument/publishDiagnostics" {
                let uri = message["params"]["uri"].as_str().expect("a URI");
                let found = message["params"]["diagnostics"].as_array().expect("a list");
                self.shown.insert(uri.to_owned(), found.clone());
            } else if let Some(method) = message["method"].as_str() {
                self.asked.push(method.to_owned());
            }
            if let Some(found) = wanted(self, &message) {
                return found;
            }
        }
    }

    /// Waits until the findings of a file are as wanted: each as `LINE:CHARACTER-CHARACTER CODE`.
    pub(super) fn wait_for_findings(&mut self, file: &str, wanted: &[&str]) {
        let uri = self.uri(file);
        let are_wanted = |client: &Self| {
            let shown = client
                .shown
                .get(&uri)
                .map(Vec::as_slice)
                .unwrap_or_default();
            shown.iter().map(summary).collect::<Vec<_>>() == wanted
        };
        if are_wanted(self) {
            return;
        }
        self.wait(|client, _| are_wanted(client).then_some(()));
    }

    /// The findings of a file that are shown now.
    pub(super) fn findings(&self, file: &str) -> Vec<Value> {
        self.shown.get(&self.uri(file)).cloned().unwrap_or_default()
    }

    /// Waits until the server asks for something.
    pub(super) fn wait_until_asked(&mut self, method: &str) {
        if !self.asked.iter().any(|it| it == method) {
            self.wait(|_, message| (message["method"] == method).then_some(()));
        }
    }

    pub(super) fn open(&mut self, file: &str, text: &str) {
        let document = json!({"uri": self.uri(file), "languageId": "", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
    }

    /// Opens a file as it is on the disk.
    pub(super) fn open_saved(&mut self, file: &str) {
        let text = self.project.read(file);
        self.open(file, &text);
    }

    /// Replaces the text of an open document.
    pub(super) fn change(&mut self, file: &str, version: i32, text: &str) {
        let document = json!({"uri": self.uri(file), "version": version});
        self.notify(
            "textDocument/didChange",
            json!({"textDocument": document, "contentChanges": [{"text": text}]}),
        );
    }

    pub(super) fn close(&mut self, file: &str) {
        let document = json!({"uri": self.uri(file)});
        self.notify("textDocument/didClose", json!({"textDocument": document}));
    }

    /// Sends a request about the first `what` in a file, with other parameters.
    pub(super) fn about(
        &mut self,
        method: &str,
        file: &str,
        text: &str,
        what: &str,
        more: Value,
    ) -> Value {
        let at = text
            .find(what)
            .unwrap_or_else(|| panic!("{what:?} is not in:\n{text}"));
        self.at(method, file, text, at, more)
    }

    /// Sends a request about a byte of a text without characters outside of ASCII.
    pub(super) fn at(
        &mut self,
        method: &str,
        file: &str,
        text: &str,
        at: usize,
        more: Value,
    ) -> Value {
        let before = &text[..at];
        let line = before.matches('\n').count();
        let character = before.len() - before.rfind('\n').map_or(0, |end| end + 1);
        let mut params = json!({
            "textDocument": {"uri": self.uri(file)},
            "position": {"line": line, "character": character},
        });
        for (key, value) in more.as_object().expect("a map") {
            params[key] = value.clone();
        }
        self.request(method, params)
    }

    /// The labels of what may be written at the mark of a text, which is typed into a file.
    pub(super) fn completions(&mut self, file: &str, version: i32, marked: &str) -> Vec<String> {
        let at = marked.find('¦').expect("a mark");
        let text = marked.replace('¦', "");
        self.change(file, version, &text);
        let found = self.at("textDocument/completion", file, &text, at, json!({}));
        let items = found["items"].as_array().cloned().unwrap_or_default();
        items
            .iter()
            .map(|item| item["label"].as_str().expect("a label").to_owned())
            .collect()
    }

    /// Ends the server as the protocol asks for.
    pub(super) fn stop(mut self) {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        let status = self.process.wait().expect("the program ends");
        assert_eq!(status.code(), Some(0));
    }

    /// Closes standard input, and waits for the end.
    pub(super) fn leave(self) -> Option<i32> {
        let Client {
            mut process, input, ..
        } = self;
        drop(input);
        process.wait().expect("the program ends").code()
    }
}

/// A finding in a few words.
fn summary(finding: &Value) -> String {
    let start = &finding["range"]["start"];
    let end = &finding["range"]["end"];
    let code = finding["code"].as_str().expect("a code");
    format!(
        "{}:{}-{} {code}",
        start["line"], start["character"], end["character"]
    )
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((_, value)) => length = value.parse().expect("a length"),
            None => break,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).expect("JSON"))
}
