//! The front doors of public repositories, with something behind every Service: where requests for each hostname go, beside
//! what `trace` says. The repositories are in the folder that `GATEWAYCTL_SHARED` names, else in `../shared`; without it,
//! the test is skipped, and says so. A plain run asks only about folders of front doors (`trees`); `REPOSITORIES=all` asks
//! about whole repositories instead, which takes some minutes, and `REPOSITORIES=NAME` only about those with this name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use envoy_simulate::ClientCertificate;
use serde_json::Value;

use crate::applied;
use crate::cluster::{Cluster, Question, name_of, text};
use crate::common::agreement::Agreement;
use crate::compared::{self, Compared, Reasons, shared};
use crate::conditions::{self, Conditions};
use crate::request::Request;
use crate::surroundings::list;
use crate::tools::{Tools, tools};
use crate::translation::Translator;

/// Differences with their reasons.
const REASONS: Reasons = &[
    (VERIFIED, "", CERTIFICATE),
    (
        TOKENS,
        "",
        "the valid parts of a refused SecurityPolicy still apply, so that its JWT answers first",
    ),
];

/// What is said of questions that a backend answers whose certificate a BackendTLSPolicy verifies.
const VERIFIED: &str = "(verifies the certificate)";

/// What is said of questions of a cluster with a SecurityPolicy that reads tokens, if it is foretold to be refused.
const TOKENS: &str = "(reads tokens)";

const CERTIFICATE: &str = "the gateway verifies the certificate of the backend, and what stands in for it has another one";

/// How many paths are asked for of each hostname.
const PATHS: usize = 4;

#[test]
fn the_front_doors_of_public_repositories_are_as_foretold() {
    let Some(tools) = tools() else { return };
    let wanted = std::env::var("REPOSITORIES").ok();
    let (folder, title) = match &wanted {
        None => ("trees", "front doors: folders of public repositories"),
        Some(_) => ("repositories", "front doors: whole public repositories"),
    };
    let Some(folder) = shared(folder) else {
        return;
    };
    let name = wanted.as_deref().filter(|it| *it != "all");
    let roots = roots(&folder, name.unwrap_or_default());
    let next = AtomicUsize::new(0);
    let requests = Mutex::new(Agreement::new(&format!("{title}: requests")));
    let conditions = Mutex::new(Agreement::new(&format!("{title}: conditions")));
    std::thread::scope(|scope| {
        // The machines of CI have two processors.
        for _ in 0..2 {
            scope.spawn(|| {
                let mut translator = Translator::start(tools);
                while let Some(root) = roots.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let (sent, written) = compare(tools, &mut translator, root, wanted.is_some());
                    for (found, agreement) in [(sent, &requests), (written, &conditions)] {
                        let mut agreement = agreement.lock().expect("a table");
                        found
                            .iter()
                            .for_each(|it| it.add_to(&mut agreement, REASONS));
                    }
                }
            });
        }
    });
    for agreement in [requests, conditions] {
        let agreement = agreement.into_inner().expect("a table");
        match &wanted {
            None => agreement.conclude(),
            Some(_) => {
                agreement.check();
            }
        }
    }
}

fn roots(folder: &Path, wanted: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("repositories");
    let entries = entries.flatten().map(|it| it.path());
    let mut roots: Vec<PathBuf> = entries
        .filter(|it| it.is_dir() && it.to_string_lossy().contains(wanted))
        .collect();
    roots.sort();
    roots
}

fn compare(
    tools: &Tools,
    translator: &mut Translator,
    root: &Path,
    is_whole: bool,
) -> (Vec<Compared>, Vec<Compared>) {
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    let (mut compared, mut compared_conditions) = (Vec::new(), Vec::new());
    for (cluster, objects) in applied::clusters(root, is_whole) {
        let objects = objects.completed();
        let mut written = Conditions::new();
        for class in objects.classes() {
            let proxies = objects.translate(translator, class);
            let translation = &proxies.translation;
            written.extend(translation.objects().flat_map(conditions::written));
            for error in translation.unreadable.iter().chain(&translation.errors) {
                println!("{name} {cluster}: {error}");
            }
            for gateway in objects.gateways(class) {
                let questions = questions(&objects, gateway);
                let (refused, happened) = proxies.ask(tools, &questions);
                refused
                    .iter()
                    .for_each(|it| println!("{name} {cluster}: {it}"));
                let foretold = objects.foretell(&questions);
                let all = questions.iter().zip(happened).zip(foretold);
                compared.extend(all.map(|((question, happened), foretold)| Compared {
                    question: format!(
                        "{name} {cluster}: {} {}{}",
                        question.gateway,
                        question.request,
                        circumstance(&objects, &happened, &foretold)
                    ),
                    happened,
                    foretold,
                }));
            }
        }
        let foretold = objects.foretell_conditions();
        let of = format!("{name} {cluster}");
        compared_conditions.extend(compared::conditions(&of, &written, &foretold));
    }
    println!("{name}: {} requests", compared.len());
    (compared, compared_conditions)
}

/// What the objects say that explains a difference: [`VERIFIED`], if no backend answered, and the foretold one has a
/// BackendTLSPolicy; [`TOKENS`], if Envoy asks for a token.
fn circumstance(cluster: &Cluster, happened: &str, foretold: &[String]) -> String {
    let mut objects = cluster.objects.iter();
    let reads_tokens = objects.any(|it| it["spec"]["jwt"].is_object());
    if reads_tokens && happened == "401" && foretold.iter().all(|it| it == "500") {
        return format!(" {TOKENS}");
    }
    let mut policies = cluster.objects.iter();
    let is_verified = policies.any(|policy| {
        let namespace = text(&policy["metadata"], "namespace");
        let mut targets = list(&policy["spec"]["targetRefs"]).iter();
        text(policy, "kind") == "BackendTLSPolicy"
            && targets.any(|target| {
                let name = format!(
                    "{} {namespace}/{}",
                    text(target, "kind"),
                    text(target, "name")
                );
                let is_it = |it: &String| {
                    let rest = it.strip_prefix(&name);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
                };
                foretold.iter().any(is_it)
            })
    });
    match is_verified && happened == "503" {
        true => format!(" {VERIFIED}"),
        false => String::new(),
    }
}

/// A request for every hostname, listener and path of a gateway.
fn questions(cluster: &Cluster, gateway: &Value) -> Vec<Question> {
    let routes = cluster.objects.iter().filter(|it| is_route_of(it, gateway));
    let routes: Vec<&Value> = routes.collect();
    let listeners = list(&gateway["spec"]["listeners"]);
    let mut urls = BTreeSet::new();
    for listener in listeners {
        let port = &listener["port"];
        let scheme = match text(listener, "protocol") {
            "HTTP" => "http",
            "HTTPS" | "TLS" => "https",
            "TCP" => {
                urls.insert(format!("tcp://tcp.example.com:{port}"));
                continue;
            }
            _ => continue,
        };
        let own = listener["hostname"].as_str().map(concrete);
        let unknown = [Some("unknown.example.com".to_owned()), own];
        for host in unknown.into_iter().flatten() {
            urls.insert(format!("{scheme}://{host}:{port}/"));
        }
        for route in &routes {
            let names = list(&route["spec"]["hostnames"]).iter();
            for host in names.filter_map(Value::as_str).map(concrete) {
                for path in paths(route) {
                    urls.insert(format!("{scheme}://{host}:{port}{path}"));
                }
            }
        }
    }
    let proxied = is_behind_proxy_protocol(cluster, gateway);
    let questions = urls.into_iter().map(|url| {
        let request = Request::get(url).from("10.1.2.3").curl(&["--path-as-is"]);
        let arguments: &[&str] = if proxied {
            &["--haproxy-protocol"]
        } else {
            &[]
        };
        Question {
            gateway: name_of(gateway),
            request: request.curl(arguments),
            method: "GET".to_owned(),
            shown: ClientCertificate::None,
        }
    });
    questions.collect()
}

fn is_route_of(object: &Value, gateway: &Value) -> bool {
    let is_route = matches!(text(object, "kind"), "HTTPRoute" | "GRPCRoute" | "TLSRoute");
    let own = text(&object["metadata"], "namespace");
    let is_parent = |parent: &Value| {
        let namespace = parent["namespace"].as_str().unwrap_or(own);
        format!("{namespace}/{}", text(parent, "name")) == name_of(gateway)
    };
    is_route && list(&object["spec"]["parentRefs"]).iter().any(is_parent)
}

/// A hostname that matches this one.
fn concrete(hostname: &str) -> String {
    hostname.replacen('*', "any", 1)
}

fn paths(route: &Value) -> BTreeSet<&str> {
    let rules = list(&route["spec"]["rules"]).iter();
    let matches = rules.flat_map(|rule| list(&rule["matches"]));
    let own = matches.filter(|it| it["path"]["type"] != "RegularExpression");
    let own = own.filter_map(|it| it["path"]["value"].as_str());
    std::iter::once("/").chain(own.take(PATHS)).collect()
}

fn is_behind_proxy_protocol(cluster: &Cluster, gateway: &Value) -> bool {
    let namespace = &gateway["metadata"]["namespace"];
    let mut policies = cluster.objects.iter().filter(|it| {
        it["kind"] == "ClientTrafficPolicy" && it["metadata"]["namespace"] == *namespace
    });
    policies.any(|it| {
        let spec = &it["spec"];
        let is_required =
            spec["proxyProtocol"].is_object() && spec["proxyProtocol"]["optional"] != true;
        is_required || spec["enableProxyProtocol"] == true
    })
}
