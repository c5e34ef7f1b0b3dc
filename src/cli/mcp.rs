//! `gatewayctl mcp`: a server of the Model Context Protocol (<https://modelcontextprotocol.io/specification/2025-06-18>), for
//! assistants that review changes. Its tools run the commands of this program that only read.
//!
//! Messages are lines of JSON on standard input and output. That is little enough to need no library: those that exist bring
//! an asynchronous runtime and a dozen packages.

mod tools;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::Global;
use super::output::Stream;

/// Arguments of `mcp`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  gatewayctl mcp                   what an assistant runs in the repository
  gatewayctl -C clusters/home mcp  for a repository in another folder")]
pub(super) struct Args {}

/// The newest version of the protocol that is spoken.
const PROTOCOL: &str = "2025-06-18";

/// Older versions, in which the same messages mean the same.
const OLDER: [&str; 2] = ["2025-03-26", "2024-11-05"];

/// The longest message that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// What a message is refused with (JSON-RPC 2.0, 5.1).
#[derive(Clone, Copy)]
enum Refusal {
    Parse = -32700,
    Request = -32600,
    Method = -32601,
    Params = -32602,
}

/// Runs the command, until standard input ends.
///
/// # Errors
/// If nobody can be read from or written to.
pub(super) fn run(_: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let mut input = BufReader::new(std::io::stdin());
    loop {
        let mut line = Vec::new();
        input.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match serde_json::from_slice::<Value>(&line) {
            Ok(message) => answer(&message, global),
            Err(error) => Some(refused(&Value::Null, Refusal::Parse, &error.to_string())),
        };
        if let Some(answer) = answer {
            let mut data = out.data();
            writeln!(data, "{answer}")?;
            data.flush()?;
        }
    }
}

/// The answer to a message; `None` for one that asks nothing.
fn answer(message: &Value, global: &Global) -> Option<Value> {
    let Some(id) = message.get("id") else {
        // Notifications say nothing that is needed, and anything else is no message.
        let is_notification = message.get("method").is_some_and(Value::is_string);
        let refusal = || refused(&Value::Null, Refusal::Request, "this is no request");
        return (!is_notification).then(refusal);
    };
    let Some(method) = message.get("method").and_then(Value::as_str) else {
        // An answer, although nothing was asked.
        return None;
    };
    let none = Value::Null;
    let params = message.get("params").unwrap_or(&none);
    let result = match method {
        "initialize" => initialized(params),
        "ping" => json!({}),
        "tools/list" => json!({"tools": tools::list()}),
        "tools/call" => match tools::call(params, global) {
            Ok(result) => result,
            Err(why) => return Some(refused(id, Refusal::Params, &why)),
        },
        _ => return Some(refused(id, Refusal::Method, "there is no such method")),
    };
    Some(json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

fn initialized(params: &Value) -> Value {
    let asked = params.get("protocolVersion").and_then(Value::as_str);
    let version = asked
        .filter(|asked| OLDER.contains(asked))
        .unwrap_or(PROTOCOL);
    json!({
        "protocolVersion": version,
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "gatewayctl", "version": env!("CARGO_PKG_VERSION")},
        "instructions": "gatewayctl checks the front door of a Kubernetes cluster (Gateway API, Envoy Gateway, Flux) from the files of its repository. Nothing is changed, and no cluster is asked.",
    })
}

fn refused(id: &Value, refusal: Refusal, why: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": refusal as i32, "message": why}})
}
