//! Gateway API's conformance suite, as it was recorded: the requests of each of its tests are sent to a real Envoy with
//! something behind every Service, and compared with `trace` of the same objects, and with what the suite expects. The
//! records are in the folder that `GATEWAYCTL_SHARED` names, else in `../shared`; without it, the test is skipped, and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use envoy_gateway::Settings;
use envoy_simulate::ClientCertificate;
use serde_json::Value;

use crate::cluster::{Cluster, Question, text};
use crate::common::agreement::Agreement;
use crate::compared::{self, Compared, Reasons, shared};
use crate::conditions;
use crate::request::Request;
use crate::surroundings::list;
use crate::tools::{Tools, tools};
use crate::translation::Translator;

/// Differences with their reasons.
const REASONS: Reasons = &[
    (
        "BackendTLSPolicySANValidation",
        "Service",
        "which names a backend has in its certificate is not in manifests",
    ),
    (
        "gateway-conformance-infra/gateway-invalid-parameters-ref",
        "",
        "the controller finds wrong parameters of a gateway before it translates; the suite expects it so",
    ),
];

/// The method of the suite's gRPC backends that it calls.
const GRPC_PATH: &str = "/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/Echo";

/// What a record asks and expects.
struct Asked {
    test: String,
    question: Question,
    /// What the suite expects: statuses and a backend, or none for a failure.
    statuses: Vec<u64>,
    backend: String,
}

#[test]
fn the_conformance_suite_is_answered_by_envoy_as_foretold() {
    let Some(tools) = tools() else { return };
    let Some(folder) = shared("conformance") else {
        return;
    };
    let files = tempfile::tempdir().expect("a folder");
    let asked = asked(&folder, files.path());
    let next = AtomicUsize::new(0);
    let [requests, conditions, suite] = [
        "requests to Envoy",
        "conditions that the controller writes",
        "what it expects of Envoy",
    ]
    .map(|it| Mutex::new(Agreement::new(&format!("conformance suite: {it}"))));
    let add = |agreement: &Mutex<Agreement>, all: &[Compared]| {
        let mut agreement = agreement.lock().expect("a table");
        all.iter().for_each(|it| it.add_to(&mut agreement, REASONS));
    };
    std::thread::scope(|scope| {
        // The machines of CI have two processors.
        for _ in 0..2 {
            scope.spawn(|| {
                let mut translator = Translator::start(tools);
                while let Some((snap, asked)) = asked.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let file = folder.join("snapshots").join(format!("{snap}.json"));
                    let Ok(text) = std::fs::read_to_string(file) else {
                        continue;
                    };
                    let answers = compare(tools, &mut translator, &text, asked);
                    add(&requests, &answers.requests);
                    add(&conditions, &answers.conditions);
                    add(&suite, &answers.suite);
                }
            });
        }
    });
    for agreement in [requests, conditions, suite] {
        agreement.into_inner().expect("a table").conclude();
    }
}

/// What is asked of each snapshot. `files` is where the certificates of clients are put.
fn asked(folder: &Path, files: &Path) -> Vec<(String, Vec<Asked>)> {
    let records = std::fs::read_to_string(folder.join("records.jsonl")).expect("the records");
    let mut asked: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
    for (number, line) in records.lines().enumerate() {
        let record: Value = serde_json::from_str(line).expect("a record");
        let of_snapshot = asked.entry(text(&record, "snap").to_owned()).or_default();
        of_snapshot.extend(asked_by(&record, &files.join(format!("{number}.pem"))));
    }
    asked.into_iter().collect()
}

/// The answers about a snapshot.
#[derive(Default)]
struct Answers {
    requests: Vec<Compared>,
    conditions: Vec<Compared>,
    suite: Vec<Compared>,
}

fn compare(tools: &Tools, translator: &mut Translator, snapshot: &str, asked: &[Asked]) -> Answers {
    let cluster = Cluster {
        objects: serde_json::from_str(snapshot).expect("objects"),
        settings: Settings::default(),
    };
    let mut answers = Answers::default();
    let Some(class) = cluster.classes().into_iter().next() else {
        return answers;
    };
    let proxies = cluster.translate(translator, class);
    let translation = &proxies.translation;
    assert!(
        translation.unreadable.is_none(),
        "{:?}",
        translation.unreadable
    );
    let of = asked
        .first()
        .map_or("a snapshot without requests", |it| &it.test);
    let written = translation
        .objects()
        .flat_map(conditions::written)
        .collect();
    answers.conditions = compared::conditions(of, &written, &cluster.foretell_conditions());
    let gateways: BTreeSet<&str> = asked
        .iter()
        .map(|it| it.question.gateway.as_str())
        .collect();
    for gateway in gateways {
        let asked = asked.iter().filter(|it| it.question.gateway == gateway);
        let asked: Vec<&Asked> = asked.collect();
        let questions: Vec<Question> = asked.iter().map(|it| it.question.clone()).collect();
        let (_, happened) = proxies.ask(tools, &questions);
        let foretold = cluster.foretell(&questions);
        for ((one, happened), foretold) in asked.iter().zip(happened).zip(foretold) {
            let request = &one.question.request;
            let question = format!("{}: {} {request}", one.test, one.question.method);
            let expected = match one.is_met(&happened) {
                true => happened.clone(),
                false => format!("{:?} {}", one.statuses, one.backend),
            };
            answers.suite.push(Compared {
                question: format!("the suite: {}", one.question.request.url),
                happened: happened.clone(),
                foretold: vec![expected],
            });
            answers.requests.push(Compared {
                question,
                happened,
                foretold,
            });
        }
    }
    answers
}

impl Asked {
    fn is_met(&self, happened: &str) -> bool {
        if self.statuses.is_empty() {
            return happened == "no answer" || happened.starts_with('5');
        }
        let status = happened.split(' ').next().and_then(|it| it.parse().ok());
        match status {
            Some(status) => self.statuses.contains(&status),
            None => {
                let own = format!("/{}:", self.backend);
                self.statuses.contains(&200) && (self.backend.is_empty() || happened.contains(&own))
            }
        }
    }
}

/// What a record asks. `file` is where the client's certificate is put.
fn asked_by(record: &Value, file: &Path) -> Option<Asked> {
    let arguments = &record["args"];
    let function = text(record, "fn");
    let fails = match function {
        "MakeRequestAndExpectEventuallyConsistentResponse"
        | "MakeTLSRequestAndExpectEventuallyConsistentResponse" => false,
        "MakeRequestAndExpectFailure" | "MakeTLSRequestAndExpectFailureResponse" => true,
        _ => return None,
    };
    let scheme = if function.starts_with("MakeTLS") {
        "https"
    } else {
        "http"
    };
    let expected = &arguments["expected"];
    let asked = &expected["Request"];
    let address = text(arguments, "gwAddr");
    let (host, port) = address.split_once(':').unwrap_or((address, "80"));
    let (gateway, namespace) = host.trim_end_matches(".gw").split_once('.')?;
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
    let mut request = Request::get(url).from("192.0.2.10").curl(&["--path-as-is"]);
    let method = match (call.is_object(), text(asked, "Method")) {
        (true, _) => "POST",
        (false, "") => "GET",
        (false, method) => method,
    };
    request = match method {
        "HEAD" => request.curl(&["--head"]),
        method => request.curl(&["--request", method]),
    };
    let headers = [&asked["Headers"], &call["Metadata"]];
    let headers = headers.into_iter().filter_map(Value::as_object).flatten();
    for (name, value) in headers {
        let value = value.as_str().or(value[0].as_str()).unwrap_or_default();
        request = request.header(&format!("{name}: {value}"));
    }
    if call.is_object() {
        request = request.header("content-type: application/grpc");
    }
    if call.is_object() || text(asked, "Protocol").starts_with("H2C") {
        request = request.curl(&["--http2-prior-knowledge"]);
    }
    let shown = match arguments["clientCertificate"].as_str() {
        None => ClientCertificate::None,
        Some(certificate) => {
            let decoded = |it: &str| data_encoding::BASE64.decode(it.as_bytes()).expect("PEM");
            let mut pem = decoded(certificate);
            pem.extend(decoded(text(arguments, "clientCertificateKey")));
            std::fs::write(file, pem).expect("a certificate");
            request = request.curl(&["--cert", &file.to_string_lossy()]);
            match fails {
                true => ClientCertificate::Untrusted,
                false => ClientCertificate::Trusted,
            }
        }
    };
    Some(Asked {
        test: text(record, "test").to_owned(),
        question: Question {
            gateway: format!("{namespace}/{gateway}"),
            request,
            method: method.to_owned(),
            shown,
        },
        statuses: if fails {
            Vec::new()
        } else {
            statuses(&expected["Response"])
        },
        backend: text(expected, "Backend").to_owned(),
    })
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
