//! `gatewayctl mcp`: what an assistant asks.

use serde_json::{Value, json};

use crate::common::{ENVOY, Project};

/// The answers to messages, one a line.
fn answers(project: &Project, messages: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = messages
        .iter()
        .map(|message| format!("{message}\n"))
        .collect();
    let run = project.run_with(["mcp"], lines.concat().as_bytes());
    assert_eq!(run.code, Some(0), "{run}");
    let lines = run.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn call(id: i32, name: &str, arguments: Value) -> Value {
    let params = json!({"name": name, "arguments": arguments});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

#[test]
fn an_assistant_asks_what_the_commands_answer() {
    let project = Project::new().minimal("[proxy]\nreplica = 1\n");
    project.shell("git init -q .").success();
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-03-26"}});
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let list = json!({"jsonrpc": "2.0", "id": "two", "method": "tools/list"});
    let found = answers(
        &project,
        &[
            initialize,
            initialized,
            list,
            call(3, "validate", json!({})),
        ],
    );
    assert_eq!(found[0]["result"]["protocolVersion"], "2025-03-26");
    assert_eq!(found[1]["id"], "two");
    let tools = found[1]["result"]["tools"].as_array().expect("a list");
    let names: Vec<&str> = tools
        .iter()
        .map(|it| it["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        names,
        ["validate", "status", "exposure", "trace", "why", "explain"]
    );
    let result = &found[2]["result"];
    assert_eq!(result["isError"], false, "{result}");
    let report: Value =
        serde_json::from_str(result["content"][0]["text"].as_str().expect("text")).expect("JSON");
    assert_eq!(report["diagnostics"][0]["code"], "config/unknown-key");
    project.edit("cluster.toml", "replica = 1", "replicas = 1");
    project.run(["render"]).success();
    let calls = [
        call(1, "exposure", json!({})),
        call(2, "status", json!({})),
        call(
            3,
            "trace",
            json!({"url": "https://app.example.com/", "from": "10.10.1.1"}),
        ),
        call(
            4,
            "why",
            json!({"file": ENVOY, "pointer": "/metadata/name"}),
        ),
        call(5, "explain", json!({"what": "proxy.replicas"})),
    ];
    for (answer, wanted) in answers(&project, &calls).iter().zip([
        "gatewayctl/exposure/v1",
        "gatewayctl/status/v1",
        "gatewayctl/trace/v1",
        "cluster.toml:7",
        "proxy.replicas: ",
    ]) {
        let text = answer["result"]["content"][0]["text"]
            .as_str()
            .unwrap_or_default();
        assert!(text.contains(wanted), "{wanted}: {answer}");
        assert_eq!(answer["result"]["isError"], false, "{answer}");
    }
}

#[test]
fn what_is_no_request_is_refused_and_ends_nothing() {
    let project = Project::new().minimal("");
    let outside = call(2, "validate", json!({"path": "/etc"}));
    let messages = [
        json!([]),
        json!({"id": 1, "method": "no/such"}),
        outside,
        call(3, "render", json!({})),
        call(4, "trace", json!({"url": "not a URL"})),
        json!({"id": 5, "method": "ping"}),
    ];
    let found = answers(&project, &messages);
    let codes: Vec<&Value> = found.iter().map(|it| &it["error"]["code"]).collect();
    assert_eq!(
        codes[..4],
        [
            &json!(-32600),
            &json!(-32601),
            &json!(-32602),
            &json!(-32602)
        ]
    );
    assert_eq!(found[4]["result"]["isError"], true, "{}", found[4]);
    assert_eq!(found[5]["result"], json!({}));
    let run = project.run_with(["mcp"], b"{{{\n\xff\n\n");
    assert_eq!(run.stdout.matches("-32700").count(), 2, "{run}");
}
