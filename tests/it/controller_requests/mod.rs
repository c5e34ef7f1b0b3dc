//! Compares where requests go with the test data of Envoy Gateway itself: for each of its inputs, the module holds the
//! intermediate representation that the controller makes of it, which names the routes of each listener and hostname in
//! the order in which Envoy looks at them. Requests are made for each of these routes, and [`intermediate`] and the
//! simulator answer them. Needs Go, which downloads the module; without it the test is skipped, and says so.
//!
//! What policies do to a request after its route is chosen is compared only in `tests/reality`: here, a request that a
//! policy ends must be one whose route the controller gives such a policy.

mod intermediate;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use envoy_gateway::helm_routes::{ReleaseValues, charted};
use envoy_gateway::resolve;
use envoy_simulate::lua::{InProcess, refused_scripts};
use envoy_simulate::{
    ClientCertificate, GatewayTrace, Outcome, Request, Share, Stage, TraceInputs, trace,
};
use manifest::Object;
use proptest::strategy::{Strategy as _, ValueTree as _};
use serde_json::{Value, json};

use super::controller_status::{objects, settings};
use crate::common::agreement::Agreement;
use intermediate::{Answer, End, Wanted, list};

/// Differences with their reasons: the input and the reason.
const REASONS: &[(&str, &str)] = &[
    (
        "clienttrafficpolicy-mtls-cert-bundle-both-invalid",
        "the authorities have expired, and gatewayctl doesn't know the date",
    ),
    (
        "envoyextensionpolicy-failopen",
        "whether a Wasm module can be downloaded is not known from manifests",
    ),
    (
        "envoyextensionpolicy-with-lua-configmap",
        "two policies have the same name, which can't be so in a cluster",
    ),
];

/// The folder of the test data, if Go is there.
fn test_data() -> Option<PathBuf> {
    let module = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/envoygateway");
    let downloaded = Command::new("go")
        .args(["mod", "download", "-json", "github.com/envoyproxy/gateway"])
        .env("GOFLAGS", "-mod=mod -modcacherw")
        .current_dir(module)
        .output();
    let folder = downloaded.ok().filter(|it| it.status.success());
    let folder = folder.and_then(|it| serde_json::from_slice::<Value>(&it.stdout).ok());
    let folder = folder.and_then(|it| it["Dir"].as_str().map(Path::new).map(Path::to_path_buf));
    if folder.is_none() {
        let is_ci = std::env::var_os("CI").is_some();
        assert!(!is_ci, "CI must have Go and the module of Envoy Gateway");
        println!("skipped: there is no Go to download the module of Envoy Gateway with");
    }
    folder.map(|it| it.join("internal/gatewayapi/testdata"))
}

fn yaml(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a file of the test data");
    let mut value =
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    type_values(&mut value);
    value
}

/// Go's reader knows the types of fields, and ignores the case of their names.
fn type_values(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(backoff) = fields.remove("backoff") {
                fields.insert("backOff".to_owned(), backoff);
            }
            if let Some(value @ Value::Number(_)) = fields.get_mut("value") {
                *value = json!(value.to_string());
            }
            fields.values_mut().for_each(type_values);
        }
        Value::Array(items) => items.iter_mut().for_each(type_values),
        _ => {}
    }
}

#[test]
fn requests_go_where_the_controller_sends_them() {
    let Some(folder) = test_data() else { return };
    let secrets = yaml(&folder.join("base/base.yaml"))["secrets"].clone();
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the test data")
        .flatten()
        .filter_map(|it| {
            Some(
                it.file_name()
                    .to_str()?
                    .strip_suffix(".in.yaml")?
                    .to_owned(),
            )
        })
        .collect();
    names.sort();
    let mut agreement =
        Agreement::new("requests, by the intermediate representations in Envoy Gateway's tests");
    for name in &names {
        let mut input = yaml(&folder.join(format!("{name}.in.yaml")));
        let mut with_secrets = list(&input["secrets"]).to_vec();
        with_secrets.extend(list(&secrets).iter().cloned());
        input["secrets"] = Value::Array(with_secrets);
        let output = yaml(&folder.join(format!("{name}.out.yaml")));
        let case = json!({"case": name, "input": input});
        let reason = REASONS.iter().find(|(input, _)| input == name);
        for (request, theirs, ours) in compared(&case, &output["xdsIR"]) {
            let question = format!("{name}: {request}");
            agreement.add(&question, &theirs, &ours, reason.map(|(_, it)| *it));
        }
    }
    agreement.conclude();
}

/// All requests of a case, with the answers of the controller and of the simulator.
fn compared(case: &Value, proxies: &Value) -> Vec<(String, String, String)> {
    let mut settings = settings(case["case"].as_str().unwrap_or_default(), (1, 9));
    let objects: Vec<Object> = objects(case, &mut settings);
    settings.refused_scripts =
        refused_scripts(&objects, &InProcess::default()).expect("scripts can be run");
    let charted = charted(&objects, &ReleaseValues::default());
    let resolved = resolve(&objects, &settings);
    let runner = InProcess::default();
    let inputs = TraceInputs {
        resolved: &resolved,
        objects: &objects,
        charted: &charted,
        generated: &[],
        runner: &runner,
    };
    let mut all = Vec::new();
    for (key, proxy) in proxies.as_object().into_iter().flatten() {
        let mut seen = BTreeSet::new();
        for listener in list(&proxy["http"]) {
            let metadata = &listener["metadata"];
            let gateway = match metadata["kind"].as_str() {
                Some("Gateway") => format!(
                    "{}/{}",
                    metadata["namespace"].as_str().unwrap_or_default(),
                    metadata["name"].as_str().unwrap_or_default()
                ),
                // Listeners of ListenerSets belong to the gateway of the proxy.
                _ => key.clone(),
            };
            for wanted in wanted(listener) {
                if !seen.insert(wanted.clone()) {
                    continue;
                }
                let (mut theirs, route) = intermediate::answer(proxy, &wanted);
                if let End::Backends(backends) = &mut theirs.end {
                    let named = std::mem::take(backends).into_iter();
                    *backends = named.map(|it| named_backend(&objects, it)).collect();
                }
                let request = request(&wanted);
                let traced = trace(&inputs, &request, Some(&gateway));
                let ours = match traced.gateways.as_slice() {
                    [one] => ours(one, &theirs, listener, route).to_string(),
                    other => format!("{} gateways: {:?}", other.len(), traced.notes),
                };
                let asked = format!("{} {} {:?}", wanted.method(), wanted.url(), request.headers);
                all.push((asked, theirs.to_string(), ours));
            }
        }
    }
    all
}

/// A backend of which the place in its route is given, by its kind and name.
fn named_backend(objects: &[Object], given: String) -> String {
    let words: Vec<&str> = given.split('/').collect();
    let [kind, namespace, name, "rule", rule, "backend", backend] = words[..] else {
        return given;
    };
    let is_route = |it: &&Object| {
        it.kind().eq_ignore_ascii_case(kind) && (it.namespace(), it.name()) == (namespace, name)
    };
    let route = objects.iter().find(is_route).expect("the route");
    let route = route.node.to_json();
    let place = format!("/spec/rules/{rule}/backendRefs/{backend}");
    let reference = route.pointer(&place).expect("the backend");
    let text = |key: &str, otherwise: &str| reference[key].as_str().unwrap_or(otherwise).to_owned();
    let (kind, namespace) = (text("kind", "Service"), text("namespace", namespace));
    format!("{kind} {namespace}/{}", text("name", ""))
}

/// The requests for a listener: for each of its routes, one that it matches, and some that it nearly matches; and one
/// for each of its hostnames.
fn wanted(listener: &Value) -> Vec<Wanted> {
    let plain = |hostname: &str| Wanted {
        is_tls: listener["tls"].is_object(),
        port: listener["externalPort"].as_u64().unwrap_or_default(),
        host: host(hostname),
        path: "/".to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        cookies: Vec::new(),
    };
    let hostnames = list(&listener["hostnames"])
        .iter()
        .filter_map(Value::as_str);
    let mut all: Vec<Wanted> = hostnames.map(plain).collect();
    for route in list(&listener["routes"]) {
        let path = path(&route["pathMatch"]);
        let pairs = |key: &str| -> Vec<(String, String)> {
            list(&route[key]).iter().filter_map(pair).collect()
        };
        let mut exact = Wanted {
            path: path.clone(),
            query: pairs("queryParamMatches"),
            headers: pairs("headerMatches"),
            cookies: pairs("cookieMatches"),
            ..plain(route["hostname"].as_str().unwrap_or("*"))
        };
        // A match of a pseudo-header is one of the path.
        if let Some(at) = exact.headers.iter().position(|(name, _)| name == ":path") {
            let path = exact.headers.remove(at).1;
            exact.path = format!("/{}", path.trim_start_matches('/'));
        }
        exact.headers.retain(|(name, _)| name != ":authority");
        let below = format!("{}/below", path.trim_end_matches('/'));
        let nearly = [
            (below, exact.headers.clone(), exact.query.clone()),
            (path.clone(), Vec::new(), exact.query.clone()),
            (path.clone(), exact.headers.clone(), Vec::new()),
            ("/".to_owned(), Vec::new(), Vec::new()),
        ];
        let nearly = nearly.map(|(path, headers, query)| Wanted {
            path,
            headers,
            query,
            ..exact.clone()
        });
        all.push(exact.clone());
        all.extend(nearly);
    }
    all
}

/// A host that a hostname takes.
fn host(hostname: &str) -> String {
    match hostname.strip_prefix('*') {
        Some("") => "sample.example.org".to_owned(),
        Some(end) => format!("sample{end}"),
        None => hostname.to_owned(),
    }
}

fn path(matcher: &Value) -> String {
    match value(matcher) {
        Some(path) if path.starts_with('/') => path,
        Some(path) => format!("/{path}"),
        None => "/".to_owned(),
    }
}

/// The name and a value that a matcher takes; none if it wants that nothing like it is there.
fn pair(matcher: &Value) -> Option<(String, String)> {
    let name = matcher["name"].as_str()?.to_owned();
    (matcher["invert"] != true).then(|| Some((name, value(matcher)?)))?
}

/// A text that a matcher takes.
fn value(matcher: &Value) -> Option<String> {
    let text = |key: &str| matcher[key].as_str().map(str::to_owned);
    text("exact")
        .or_else(|| text("prefix"))
        .or_else(|| text("suffix").map(|end| format!("sample{end}")))
        .or_else(|| matcher["safeRegex"].as_str().map(sample))
}

/// A text that matches a regular expression, always the same one. Any character stands for a letter.
fn sample(regex: &str) -> String {
    let letters = regex.replace(".*", "[a-z]*").replace(".+", "[a-z]+");
    let letters = letters.trim_start_matches('^').trim_end_matches('$');
    // `(?-u)`: only ASCII, where the expression allows it.
    let strategy = match proptest::string::string_regex(&format!("(?-u:{letters})")) {
        Ok(strategy) => strategy,
        Err(_) => proptest::string::string_regex(letters).expect("a regular expression"),
    };
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    strategy.new_tree(&mut runner).expect("a text").current()
}

fn request(wanted: &Wanted) -> Request {
    let mut request = Request::get(&wanted.url()).expect("a URL");
    request.set_method(wanted.method()).expect("a method");
    for (name, value) in wanted.headers.iter().filter(|(it, _)| !it.starts_with(':')) {
        let header = format!("{name}: {value}");
        request.add_header(&header).expect("a header");
    }
    let cookies: Vec<String> = wanted
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if !cookies.is_empty() {
        let header = format!("cookie: {}", cookies.join("; "));
        request.add_header(&header).expect("a header");
    }
    request.from = Some([192, 0, 2, 1].into());
    // The certificates of the test data are for other hosts.
    request.verifies = false;
    request.certificate = Some(ClientCertificate::Trusted);
    request
}

/// The answer of the simulator. If a policy ends the request, and the controller gives the route such a policy, the end
/// is taken as the same.
fn ours(
    traced: &GatewayTrace<'_>,
    theirs: &Answer,
    listener: &Value,
    route: Option<&Value>,
) -> Answer {
    let of_route = traced
        .steps
        .iter()
        .rfind(|step| step.stage == Stage::Route && step.place.is_some());
    let rule = of_route
        .and_then(|step| step.place.as_ref())
        .and_then(|place| {
            let pointer = place.pointer.to_string();
            let rule = pointer.strip_prefix("/spec/rules/")?.split('/').next()?;
            let object = place.object;
            let kind = object.kind().to_ascii_lowercase();
            Some(format!(
                "{kind}/{}/{}/{rule}",
                object.namespace(),
                object.name()
            ))
        });
    let last = traced.steps.last().map(|step| step.stage);
    let has = |keys: &[&str]| {
        let mut keys = keys.iter();
        keys.any(|key| route.is_some_and(|it| it[key].is_object()))
    };
    let is_by_policy = match last {
        // Before a route is chosen.
        Some(Stage::Client) => listener["clientIPDetection"].is_object(),
        Some(Stage::Security) => has(&["security", "cors"]),
        Some(Stage::Extension) => has(&["envoyExtensions"]),
        Some(Stage::Traffic) => has(&["traffic"]),
        _ => false,
    };
    if is_by_policy && (rule == theirs.rule || last == Some(Stage::Client)) {
        return theirs.clone();
    }
    let end = match &traced.outcome {
        Outcome::Backends(shares) => End::Backends(shares.iter().map(backend).collect()),
        Outcome::Response { status, .. } => End::Response(u64::from(*status)),
        Outcome::Redirect {
            status, location, ..
        } => End::Redirect(u64::from(*status), without_port(location)),
        // Nothing of the controller is like that, so it is shown as it is.
        other => {
            let rule = Some(format!("{rule:?}: {other:?}"));
            let end = End::Response(0);
            return Answer { rule, end };
        }
    };
    // Where no rule matches, the step is about the first one.
    let rule = rule.filter(|_| end != End::Response(404) || theirs.end == End::Response(404));
    let is_no_rule = theirs.rule.is_none() && end == End::Response(404);
    let rule = rule.filter(|_| !is_no_rule);
    Answer { rule, end }
}

fn backend(share: &Share) -> String {
    match share.is_refused {
        true => "refused".to_owned(),
        false => format!("{} {}/{}", share.kind, share.namespace, share.name),
    }
}

fn without_port(location: &str) -> String {
    let (scheme, rest) = location.split_once("://").unwrap_or(("", location));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority
        .split_once(':')
        .map_or(authority, |(host, _)| host);
    format!("{scheme}://{host}{path}")
}
