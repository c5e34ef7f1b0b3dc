//! Compares with Gateway API's own conformance suite, recorded at Envoy Gateway 1.9.0: for each of its tests, the objects at
//! that moment, and the conditions and the answers that it waits for. The records are in the folder that `GATEWAYCTL_SHARED`
//! names, else in `../shared`; without it the test is skipped, and says so.
//!
//! Everything is given, so what is missing doesn't exist. What only happens behind the gateways (mirrored requests) and
//! which generation a status is about is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use envoy_gateway::helm_routes::{ReleaseValues, charted};
use envoy_gateway::{Knowledge, Resolved, Settings, resolve};
use envoy_simulate::lua::InProcess;
use envoy_simulate::{ClientCertificate, Outcome, Request, TraceInputs, trace};
use manifest::Object;
use manifest::value::Node;
use serde_json::Value;

use crate::common::agreement::Agreement;

/// Differences with their reasons, by a part of the question.
const REASONS: &[(&str, &str)] = &[(
    "BackendTLSPolicySANValidation",
    "which names a backend has in its certificate is not in manifests",
)];

/// The method of the suite's gRPC backends that it calls.
const GRPC_PATH: &str = "/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/Echo";

fn records() -> Option<PathBuf> {
    let given = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let folder = given
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"))
        .join("conformance");
    if !folder.is_dir() {
        eprintln!("skipped: no {}", folder.display());
        return None;
    }
    Some(folder)
}

/// The objects of a moment, as they are resolved.
struct Moment<'a> {
    resolved: Resolved<'a>,
    inputs: &'a [Object],
    charted: &'a envoy_gateway::helm_routes::Charted<'a>,
}

#[test]
fn the_conformance_suite_is_answered_as_the_controller_answers_it() {
    let Some(folder) = records() else { return };
    let text = std::fs::read_to_string(folder.join("records.jsonl")).expect("the records");
    let mut by_moment: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let records: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a record"))
        .collect();
    // What the controller itself doesn't fulfil is not expected of it here.
    let failed: BTreeSet<&str> = records
        .iter()
        .filter(|it| it["fn"] == "END" && it["args"]["ok"] == false)
        .filter_map(|it| it["name"].as_str())
        .collect();
    for record in &records {
        let snap = record["snap"].as_str().unwrap_or_default().to_owned();
        by_moment.entry(snap).or_default().push(record.clone());
    }
    let mut conditions = Agreement::new("conformance suite: conditions");
    let mut requests = Agreement::new("conformance suite: requests");
    for (snap, records) in &by_moment {
        let Some(objects) = objects(&folder, snap) else {
            continue;
        };
        let settings = Settings {
            knowledge: Knowledge::Complete,
            ..Settings::default()
        };
        let charted = charted(&objects, &ReleaseValues::default());
        let moment = Moment {
            resolved: resolve(&objects, &settings),
            inputs: &objects,
            charted: &charted,
        };
        for record in records {
            let name = record["test"].as_str().unwrap_or_default();
            let is_failed = record["name"]
                .as_str()
                .is_some_and(|it| failed.contains(it));
            let of = |agreement: &mut Agreement, question: String, theirs: String, ours: String| {
                let reason = REASONS.iter().find(|(part, _)| question.contains(part));
                let own = is_failed.then_some("Envoy Gateway itself fails this test of the suite");
                agreement.add(&question, &theirs, &ours, reason.map(|(_, it)| *it).or(own));
            };
            for (question, theirs, ours) in asked_conditions(&moment, record) {
                of(&mut conditions, format!("{name}: {question}"), theirs, ours);
            }
            if let Some((question, theirs, ours)) = asked_request(&moment, record) {
                of(&mut requests, format!("{name}: {question}"), theirs, ours);
            }
        }
    }
    conditions.conclude();
    requests.conclude();
}

fn objects(folder: &Path, snap: &str) -> Option<Vec<Object>> {
    let file = folder.join("snapshots").join(format!("{snap}.json"));
    let text = std::fs::read_to_string(file).ok()?;
    let all: Vec<Value> = serde_json::from_str(&text).expect("objects");
    Some(
        all.into_iter()
            .map(|it| Object::new(Node::from_json(it), "snapshot"))
            .collect(),
    )
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The conditions that a record waits for: the question, what is expected, and what is foretold.
fn asked_conditions(moment: &Moment<'_>, record: &Value) -> Vec<(String, String, String)> {
    let arguments = &record["args"];
    let one = |kind: &str, name: &Value, which: &str, condition: &Value| {
        vec![condition_at(moment, kind, name, which, condition)]
    };
    let all = |name: &Value, listener: Option<&str>, conditions: &Value| {
        let listeners = match listener {
            Some(listener) => vec![listener.to_owned()],
            None => listeners(moment, name),
        };
        let conditions = list(conditions);
        listeners
            .iter()
            .flat_map(|listener| {
                conditions.iter().map(move |condition| {
                    let which = format!("listener {listener}");
                    condition_at(moment, "Gateway", name, &which, condition)
                })
            })
            .collect()
    };
    match text(record, "fn") {
        "HTTPRouteMustHaveCondition" => one(
            "HTTPRoute",
            &arguments["routeNN"],
            text(&arguments["gwNN"], "Name"),
            &arguments["condition"],
        ),
        "BackendTLSPolicyMustHaveCondition" => one(
            "BackendTLSPolicy",
            &arguments["policyNN"],
            text(&arguments["gwNN"], "Name"),
            &arguments["condition"],
        ),
        "GatewayMustHaveCondition" => one(
            "Gateway",
            &arguments["gwNN"],
            "",
            &arguments["expectedCondition"],
        ),
        "GatewayListenersMustHaveConditions" => {
            all(&arguments["gwName"], None, &arguments["conditions"])
        }
        "GatewayListenerMustHaveConditions" => all(
            &arguments["gwName"],
            arguments["lName"].as_str(),
            &arguments["conditions"],
        ),
        "GatewayStatusMustHaveListeners" => list(&arguments["listeners"])
            .iter()
            .flat_map(|it| all(&arguments["gwNN"], it["name"].as_str(), &it["conditions"]))
            .collect(),
        "RouteMustHaveParents" => {
            let kind = text(arguments, "routeType").trim_start_matches("*v1.");
            let parents = list(&arguments["parents"]).iter();
            parents
                .flat_map(|parent| {
                    let gateway = text(&parent["parentRef"], "name");
                    list(&parent["conditions"]).iter().map(move |condition| {
                        condition_at(moment, kind, &arguments["routeName"], gateway, condition)
                    })
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn listeners(moment: &Moment<'_>, gateway: &Value) -> Vec<String> {
    let is_it = |it: &&Object| {
        it.kind() == "Gateway"
            && it.name() == text(gateway, "Name")
            && it.namespace() == text(gateway, "Namespace")
    };
    let object = moment.inputs.iter().find(is_it).expect("the gateway");
    let json = object.node.to_json();
    let names = list(&json["spec"]["listeners"]).iter();
    names.map(|it| text(it, "name").to_owned()).collect()
}

/// One condition of an object: that of a listener (`listener NAME`), under a parent or an ancestor (its name), or its own.
fn condition_at(
    moment: &Moment<'_>,
    kind: &str,
    name: &Value,
    which: &str,
    expected: &Value,
) -> (String, String, String) {
    let condition = text(expected, "type");
    let (namespace, name) = (text(name, "Namespace"), text(name, "Name"));
    let question = format!("{condition} of {kind} {namespace}/{name} {which}");
    let verdicts = moment.resolved.verdicts();
    let found = verdicts.iter().find(|it| {
        let on = format!("{} {}", it.on.as_str(), it.on.which());
        let is_there = match which {
            "" => it.on.which().is_empty(),
            which if which.starts_with("listener ") => on == which,
            which => it.on.which().split('/').any(|part| part == which),
        };
        it.object.kind() == kind
            && (it.object.namespace(), it.object.name()) == (namespace, name)
            && it.condition.kind == condition
            && is_there
    });
    let reason = text(expected, "reason");
    let theirs = format!("{} {reason}", text(expected, "status"));
    let ours = found.map_or("nothing".to_owned(), |it| {
        // The suite leaves some reasons open.
        let own = if reason.is_empty() {
            ""
        } else {
            it.condition.reason.as_ref()
        };
        format!("{} {own}", it.condition.status)
    });
    (question, theirs, ours)
}

/// The request of a record: the question, what is expected, and what is foretold.
fn asked_request(moment: &Moment<'_>, record: &Value) -> Option<(String, String, String)> {
    let arguments = &record["args"];
    let function = text(record, "fn");
    let fails = match function {
        "MakeRequestAndExpectEventuallyConsistentResponse"
        | "MakeTLSRequestAndExpectEventuallyConsistentResponse" => false,
        "MakeRequestAndExpectFailure" | "MakeTLSRequestAndExpectFailureResponse" => true,
        _ => return None,
    };
    let is_tls = function.starts_with("MakeTLS");
    let expected = &arguments["expected"];
    let asked = &expected["Request"];
    let address = text(arguments, "gwAddr");
    let (host, port) = address.split_once(':').unwrap_or((address, "80"));
    let gateway = host.trim_end_matches(".gw");
    let (gateway, namespace) = gateway.split_once('.')?;
    let scheme = if is_tls { "https" } else { "http" };
    // Calls of gRPC have other fields.
    let call = &expected["RequestMetadata"];
    let (named, path) = match call.is_object() {
        true => (text(call, "Authority"), GRPC_PATH),
        false => (text(asked, "Host"), text(asked, "Path")),
    };
    let name = match named {
        "" => host,
        name => name.split(':').next().unwrap_or(name),
    };
    let url = format!("{scheme}://{name}:{port}{path}");
    let mut request = Request::get(&url).expect("a URL");
    let method = match (call.is_object(), text(asked, "Method")) {
        (true, _) => "POST",
        (false, "") => "GET",
        (false, method) => method,
    };
    request.set_method(method).expect("a method");
    let headers = [&asked["Headers"], &call["Metadata"]];
    let headers = headers.into_iter().filter_map(Value::as_object).flatten();
    for (name, value) in headers {
        let value = value.as_str().or(value[0].as_str()).unwrap_or_default();
        let line = format!("{name}: {value}");
        request.add_header(&line).expect("a header");
    }
    request.from = Some([192, 0, 2, 1].into());
    // The suite shows either no certificate, one that is right, or one that must be refused.
    request.certificate = Some(match arguments["clientCertificate"].is_string() {
        false => ClientCertificate::None,
        true if fails => ClientCertificate::Untrusted,
        true => ClientCertificate::Trusted,
    });
    let runner = InProcess::default();
    let inputs = TraceInputs {
        resolved: &moment.resolved,
        objects: moment.inputs,
        charted: moment.charted,
        generated: &[],
        runner: &runner,
    };
    let traced = trace(&inputs, &request, Some(&format!("{namespace}/{gateway}")));
    let ours = traced.gateways.first();
    let statuses = statuses(&expected["Response"]);
    let shown = ours.map_or("nothing".to_owned(), |it| format!("{:?}", it.outcome));
    let agrees = ours.is_some_and(|it| match &it.outcome {
        _ if fails => matches!(it.outcome, Outcome::Closed(_)),
        Outcome::Backends(shares) => shares.iter().any(|share| match share.is_refused {
            true => statuses.contains(&500),
            false => {
                statuses.contains(&200)
                    && (text(expected, "Backend").is_empty()
                        || share.name == text(expected, "Backend"))
            }
        }),
        Outcome::Response { status, .. } => statuses.contains(&u64::from(*status)),
        Outcome::Redirect {
            status, location, ..
        } => {
            let to = &expected["RedirectRequest"];
            let parts = ["Scheme", "Host", "Path"].map(|key| text(to, key));
            statuses.contains(&u64::from(*status)) && parts.iter().all(|it| location.contains(it))
        }
        _ => false,
    });
    let theirs = match fails {
        true => "a failure".to_owned(),
        false => format!(
            "{statuses:?} {} {}",
            text(expected, "Backend"),
            expected["RedirectRequest"]
        ),
    };
    let question = format!(
        "{} {url} at {gateway} {:?}",
        request.method, request.headers
    );
    let ours = if agrees { theirs.clone() } else { shown };
    Some((question, theirs, ours))
}

fn statuses(response: &Value) -> Vec<u64> {
    let several = list(&response["StatusCodes"]).iter();
    let several: Vec<u64> = several.filter_map(Value::as_u64).collect();
    // The code of gRPC for a method that nothing implements, which is 404 over HTTP.
    if response["Code"] == 12 {
        return vec![404];
    }
    match (several.is_empty(), response["StatusCode"].as_u64()) {
        (false, _) => several,
        (true, None | Some(0)) => vec![200],
        (true, Some(one)) => vec![one],
    }
}
