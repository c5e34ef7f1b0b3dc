//! Requests as clients send them, by curl.

use std::ffi::OsStr;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::namespace::Namespace;
use crate::tools::Tools;

/// The address at which the gateway of a namespace answers.
pub const GATEWAY: &str = "192.0.2.1";

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Its URL. `ssh://` and `tcp://` say a line and read one.
    pub url: String,
    /// The address that it comes from.
    pub from: Option<IpAddr>,
    /// Its headers, as `NAME: VALUE`.
    pub headers: Vec<String>,
    /// Further arguments of curl.
    pub arguments: Vec<String>,
    /// Further arguments of `trace`.
    pub for_trace: Vec<String>,
}

/// What a client sees.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// An answer.
    Answered(Answer),
    /// A connection that is refused or closed; curl's words.
    Failed(String),
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status; 0 for what is not HTTP.
    pub status: u16,
    /// The version of HTTP: `1.1`, `2`.
    pub version: String,
    /// Its headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, decompressed if the request asks curl for it.
    pub body: String,
}

impl Request {
    /// A GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Request {
            url: url.into(),
            ..Request::default()
        }
    }

    /// Sets the address that it comes from.
    pub fn from(mut self, address: &str) -> Self {
        self.from = Some(address.parse().expect("an address"));
        self
    }

    /// Adds a header.
    pub fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    /// Adds arguments of curl.
    pub fn curl(mut self, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|it| (*it).to_owned());
        self.arguments.extend(arguments);
        self
    }

    /// Adds arguments of `trace`.
    pub fn foretell(mut self, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|it| (*it).to_owned());
        self.for_trace.extend(arguments);
        self
    }

    /// Sends it to the gateway in this namespace, as a client that trusts only this certificate.
    pub fn send(&self, namespace: &Namespace, authority: &Path) -> Outcome {
        if let Some(from) = self.from {
            namespace.add_address(from);
        }
        if !self.url.starts_with("http") {
            return self.say_line();
        }
        self.send_trusting(&[OsStr::new("--cacert"), authority.as_os_str()])
    }

    /// Sends it to the gateway in this namespace, as a client that trusts every certificate.
    pub fn send_insecure(&self, namespace: &Namespace) -> Outcome {
        if let Some(from) = self.from {
            namespace.add_address(from);
        }
        if !self.url.starts_with("http") {
            return self.say_line();
        }
        self.send_trusting(&[OsStr::new("--insecure")])
    }

    /// Sends it over HTTP/3, by a program of our own.
    pub fn send_http3(&self, tools: &Tools, namespace: &Namespace, authority: &Path) -> Outcome {
        let mut command = Command::new(&tools.http3);
        command.arg("-cacert").arg(authority);
        command.args(["-connect-to", GATEWAY]);
        if let Some(from) = self.from {
            namespace.add_address(from);
            command.args(["-interface", &from.to_string()]);
        }
        for header in &self.headers {
            command.args(["-header", header]);
        }
        outcome(command.arg(&self.url))
    }

    fn send_trusting(&self, trusted: &[&OsStr]) -> Outcome {
        let mut command = Command::new("curl");
        // curl's own settings and proxies of the machine must not matter.
        command
            .arg("--disable")
            .args(["--noproxy", "*", "--silent", "--show-error"])
            .args(trusted)
            .args(["--max-time", "600", "--connect-to"])
            .arg(format!("::{GATEWAY}:"));
        if let Some(from) = self.from {
            command.args(["--interface", &from.to_string()]);
        }
        for header in &self.headers {
            command.args(["--header", header]);
        }
        command.args(&self.arguments).arg("--include");
        outcome(command.arg(&self.url))
    }

    /// Connects to the port of the URL, says a line, and reads until the server ends the connection.
    fn say_line(&self) -> Outcome {
        let (_, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let port = rest
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
        let mut said = String::new();
        let read = TcpStream::connect((GATEWAY, port.unwrap_or(22))).and_then(|mut stream| {
            stream.write_all(b"hello\n")?;
            stream.read_to_string(&mut said)
        });
        match read {
            Ok(1..) => Outcome::Answered(Answer {
                status: 0,
                version: String::new(),
                headers: Vec::new(),
                body: said.trim().to_owned(),
            }),
            Ok(_) => Outcome::Failed("the connection is closed".to_owned()),
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }
}

fn outcome(client: &mut Command) -> Outcome {
    let output = client.output().expect("the client runs");
    match output.status.success() {
        true => Outcome::Answered(Answer::parse(&String::from_utf8_lossy(&output.stdout))),
        false => Outcome::Failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

impl Answer {
    fn parse(said: &str) -> Self {
        let (head, body) = said.split_once("\r\n\r\n").unwrap_or((said, ""));
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or("").split_whitespace();
        let version = words.next().unwrap_or("").trim_start_matches("HTTP/");
        let status = words.next().and_then(|word| word.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        Answer {
            status: status.unwrap_or(0),
            version: version.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(it, _)| it == name)
            .map(|(_, value)| value.as_str())
    }

    /// What a backend told: `Null` if the answer isn't one of a backend.
    pub fn echo(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The backend that answered.
    pub fn backend(&self) -> Option<String> {
        match self.status {
            0 => Some(self.body.clone()),
            200 => self
                .echo()
                .get("backend")
                .and_then(Value::as_str)
                .map(str::to_owned),
            _ => None,
        }
    }
}

impl Outcome {
    /// The answer.
    #[track_caller]
    pub fn answer(&self) -> &Answer {
        match self {
            Outcome::Answered(answer) => answer,
            Outcome::Failed(why) => panic!("no answer: {why}"),
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        if let Some(from) = self.from {
            write!(f, " from {from}")?;
        }
        for header in &self.headers {
            write!(f, " with {header}")?;
        }
        match self.arguments.as_slice() {
            [] => Ok(()),
            arguments => write!(f, " ({})", arguments.join(" ")),
        }
    }
}
