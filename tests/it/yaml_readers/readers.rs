//! kustomize's parsers, as a program that parses one text at a time.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

/// The result of one parser for a text: its documents, or the error.
#[derive(Deserialize, Debug, Clone)]
pub struct Reading {
    documents: Option<Vec<Value>>,
    written: Option<Vec<Value>>,
    #[serde(default)]
    error: String,
}

impl Reading {
    /// The documents after kustomize has written and parsed them again; for the other parser, those that it read.
    ///
    /// # Errors
    /// Why the parser refuses the text.
    pub fn applied(&self) -> Result<&[Value], &str> {
        self.result()
            .map(|read| self.written.as_deref().unwrap_or(read))
    }

    /// The documents.
    ///
    /// # Errors
    /// Why the parser refuses the text.
    pub fn result(&self) -> Result<&[Value], &str> {
        if self.error.is_empty() {
            Ok(self.documents.as_deref().unwrap_or_default())
        } else {
            Err(&self.error)
        }
    }
}

/// The results of both parsers of kustomize for a text.
#[derive(Deserialize, Debug, Clone)]
pub struct Answer {
    /// The parser of resources.
    pub resources: Reading,
    /// The parser of kustomization.yaml.
    pub kustomization: Reading,
}

/// The running program.
pub struct Readers {
    child: Child,
    texts: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Readers {
    /// Builds the program with Go, and starts it. `None`, with a message, if there is no Go; CI must have it.
    pub fn start() -> Option<Self> {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kustomize_reader");
        let built = Command::new("go")
            .args(["build", "-trimpath", "-o"])
            .arg(&program)
            .arg(".")
            .env("GOFLAGS", "-mod=readonly -buildvcs=false")
            .current_dir(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/kustomize_reader"
            ))
            .status();
        match built {
            Ok(status) if status.success() => {}
            other => {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "kustomize's readers can't be built: {other:?}"
                );
                eprintln!("skipped: kustomize's readers can't be built with Go: {other:?}");
                return None;
            }
        }
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let texts = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it was piped"));
        Some(Readers {
            child,
            texts,
            answers,
        })
    }

    /// Parses a text with both.
    pub fn read(&mut self, text: &str) -> Answer {
        self.ask(&Value::from(text))
    }

    /// Parses a text in UTF-16 with both. `order` is that of the bytes: `le` or `be`.
    pub fn read_utf16(&mut self, text: &str, order: &str) -> Answer {
        self.ask(&serde_json::json!({ order: text }))
    }

    fn ask(&mut self, text: &Value) -> Answer {
        let mut line = serde_json::to_vec(text).expect("JSON");
        line.push(b'\n');
        let texts = self.texts.as_mut().expect("it runs");
        texts.write_all(&line).expect("it reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer} of {text}"))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        drop(self.texts.take());
        let _ = self.child.wait();
    }
}
