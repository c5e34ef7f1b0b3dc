//! What gatewayctl says of the same files.

use serde_json::Value;

use crate::common::Project;
use crate::request::Request;
use crate::surroundings::{backend_name, list};

/// The outcomes that `trace` foretells for a gateway, in the words of [`crate::table::happened`]. Several if weights
/// decide.
pub fn trace(project: &Project, gateway: &str, request: &Request) -> Vec<String> {
    let json = traced(project, gateway, request);
    let ways = list(&json["ways"]);
    if ways.is_empty() {
        return vec!["no gateway takes the request".to_owned()];
    }
    ways.iter()
        .flat_map(|way| outcomes(&way["outcome"]))
        .collect()
}

/// All lines of a trace.
pub fn lines(project: &Project, gateway: &str, request: &Request) -> Vec<String> {
    let json = traced(project, gateway, request);
    let steps = list(&json["ways"]).iter().flat_map(|it| list(&it["steps"]));
    let lines = steps.flat_map(|step| std::iter::once(&step["text"]).chain(list(&step["details"])));
    lines
        .filter_map(|it| it.as_str().map(str::to_owned))
        .collect()
}

/// Whether `status` refuses nothing.
pub fn is_accepted(project: &Project) -> bool {
    let run = project.run(["status", "--format", "json", "."]);
    let json: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let mut conditions = list(&json["conditions"]).iter();
    !conditions.any(|it| it["type"] == "Accepted" && it["status"] == "False")
}

fn traced(project: &Project, gateway: &str, request: &Request) -> Value {
    let mut arguments = vec![
        "trace",
        "--format",
        "json",
        "--in",
        ".",
        "--gateway",
        gateway,
    ];
    let from = request.from.unwrap_or([192, 0, 2, 1].into()).to_string();
    arguments.extend(["--from", &from]);
    for header in &request.headers {
        arguments.extend(["--header", header]);
    }
    arguments.extend(request.for_trace.iter().map(String::as_str));
    arguments.push(&request.url);
    let run = project.run(arguments);
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"))
}

fn outcomes(outcome: &Value) -> Vec<String> {
    let status = &outcome["status"];
    match outcome["kind"].as_str() {
        Some("backends") => list(&outcome["backends"])
            .iter()
            .map(|it| match it["is_refused"] == true {
                true => "500".to_owned(),
                false => {
                    let text = |key: &str| it[key].as_str().unwrap_or_default();
                    backend_name(text("namespace"), text("name"), &it["port"])
                }
            })
            .collect(),
        Some("response") => vec![status.to_string()],
        Some("redirect") => {
            let location = outcome["location"].as_str().unwrap_or_default();
            vec![format!("{status} to {location}")]
        }
        Some("closed") => vec!["no answer".to_owned()],
        _ => vec![format!("unknown: {}", outcome["why"])],
    }
}

/// What `validate` says of listeners of a gateway that Envoy would refuse.
pub fn refusals(project: &Project, gateway: &str) -> Vec<String> {
    let report = validate(project);
    let is_refusal = |it: &&Value| {
        let message = it["message"].as_str().unwrap_or_default();
        match it["code"].as_str() {
            Some("envoy/same-names" | "envoy/passthrough-without-route") => true,
            Some("envoy/without-quic") => message.contains("PROXY protocol"),
            _ => false,
        }
    };
    let of_gateway =
        |it: &&Value| it["object"]["kind"] != "Gateway" || it["object"]["name"] == gateway;
    let diagnostics = list(&report["diagnostics"]).iter();
    diagnostics
        .filter(is_refusal)
        .filter(of_gateway)
        .map(|it| it["message"].to_string())
        .collect()
}

/// The report of `validate` about all files.
pub fn validate(project: &Project) -> Value {
    let run = project.run(["validate", "--format", "json", "."]);
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"))
}

/// The codes in the report of `validate`.
pub fn codes(project: &Project) -> Vec<String> {
    let report = validate(project);
    let codes = list(&report["diagnostics"])
        .iter()
        .filter_map(|it| it["code"].as_str());
    codes.map(str::to_owned).collect()
}
