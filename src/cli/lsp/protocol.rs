//! What the server tells an editor about itself, and how its requests are answered.

use lsp_server::{ErrorCode, RequestId};
use serde_json::{Value, json};

/// The kinds of files whose changes on the disk matter.
const WATCHED: &str = "**/*.{yaml,yml,json,toml,lua,j2,sh,js,py}";

/// The answer to `initialize`.
pub(super) fn capabilities() -> Value {
    json!({
        "capabilities": {
            "positionEncoding": "utf-16",
            "textDocumentSync": {"openClose": true, "change": 2, "save": {"includeText": false}},
            "hoverProvider": true,
            "completionProvider": {"triggerCharacters": [" ", "\"", ".", "["]},
            "definitionProvider": true,
            "referencesProvider": true,
            "renameProvider": {"prepareProvider": true},
            "codeActionProvider": {"codeActionKinds": ["quickfix", "refactor.rewrite"]},
            "codeLensProvider": {"resolveProvider": false},
            "workspace": {"workspaceFolders": {"supported": true, "changeNotifications": true}}
        },
        "serverInfo": {"name": "gatewayctl", "version": env!("CARGO_PKG_VERSION")}
    })
}

/// The request that asks the editor to tell of files that others change.
pub(super) fn watch_files() -> Value {
    request(
        "watch",
        "client/registerCapability",
        json!({"registrations": [{
            "id": "watch",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": {"watchers": [{"globPattern": WATCHED}]}
        }]}),
    )
}

/// The request that asks the editor to ask for code lenses again.
pub(super) fn refresh_lenses() -> Value {
    request("lenses", "workspace/codeLens/refresh", Value::Null)
}

fn request(id: &str, method: &str, params: Value) -> Value {
    match params.is_null() {
        true => json!({"jsonrpc": "2.0", "id": id, "method": method}),
        false => json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}),
    }
}

pub(super) fn notification(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

/// A line in the editor's log of the server.
pub(super) fn log(text: &str) -> Value {
    notification("window/logMessage", json!({"type": 2, "message": text}))
}

pub(super) fn answer(id: &RequestId, result: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

/// An answer that says what was wrong with a request. Without an `id`, it could not even be read.
pub(super) fn error(id: Option<&RequestId>, code: ErrorCode, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code as i32, "message": message}})
}
