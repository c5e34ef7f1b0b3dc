//! Failures when asking a server. They are never treated as "no difference", and the exit code is always 2.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::apiserver::free_port;
use super::fake::{Asked, Does, Fake, STALL};
use super::talk::PATIENCE;
use crate::common::{Project, Run};

fn diff(fake: &Fake, more: &[&str]) -> Run {
    let project = Project::new().minimal("");
    let kubeconfig = fake.kubeconfig().to_string_lossy().into_owned();
    let args = [
        "diff",
        "--against",
        "cluster",
        "--kubeconfig",
        kubeconfig.as_str(),
    ];
    let run = project.run([&args[..], patience(more), more].concat());
    run.never_says("s3cret-token").never_says("no difference")
}

/// A slow machine gets enough time, except in tests of time limits.
fn patience(args: &[&str]) -> &'static [&'static str] {
    match args.contains(&"--timeout") {
        true => &[],
        false => &[PATIENCE],
    }
}

/// Asserts that a failure is reported completely: what, why, and what to do.
#[track_caller]
fn told(run: Run, what: &str) -> Run {
    run.code(2)
        .warns(what)
        .warns("\n  why: ")
        .warns("\n  help: ")
}

fn is_patch(asked: &Asked) -> bool {
    asked.method == "PATCH"
}

#[test]
fn a_server_that_is_well_is_compared_with() {
    let fake = Fake::start(|_| Does::Answer);
    let run = diff(&fake, &["--format", "json"]).code(1);
    run.says("\"complete\": true").says("\"change\": \"added\"");
    assert!(fake.requests.load(Ordering::SeqCst) > 10);
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let fake = Fake::elsewhere(&format!("server: \"http://127.0.0.1:{}\"", free_port()));
    told(diff(&fake, &[]), "can't be reached: Connection refused");
    let fake = Fake::elsewhere("server: \"https://nothing.invalid:6443\"");
    told(diff(&fake, &[]), "can't be reached");
}

#[test]
fn an_expired_certificate_is_told() {
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let authority = folder.path().join("ca.crt");
    std::fs::write(&authority, certificate.pem()).expect("the authority");
    let port = tls(certificate.der().clone(), key);
    let shown = authority.display();
    let fake = Fake::elsewhere(&format!(
        "server: \"https://127.0.0.1:{port}\", certificate-authority: \"{shown}\""
    ));
    told(diff(&fake, &[]), "is not accepted: it has expired").warns("check this machine's clock");

    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let port = tls(
        params
            .self_signed(&key)
            .expect("a certificate")
            .der()
            .clone(),
        key,
    );
    let fake = Fake::elsewhere(&format!(
        "server: \"https://127.0.0.1:{port}\", certificate-authority: \"{shown}\""
    ));
    told(diff(&fake, &[]), "is not accepted: ").warns("download the kubeconfig again");
}

/// A TLS server that completes the handshake and then sends nothing. Returns its port.
fn tls(certificate: rustls::pki_types::CertificateDer<'static>, key: rcgen::KeyPair) -> u16 {
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection =
                rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = rustls::StreamOwned::new(connection, stream);
            // The client closes the connection during the handshake.
            let _ = stream.flush();
        }
    });
    port
}

#[test]
fn a_busy_server_is_asked_again_after_the_time_that_it_names() {
    let seen = Mutex::new(HashMap::new());
    let fake = Fake::start(move |asked| {
        let mut seen = seen.lock().expect("nobody panicked");
        let times = seen
            .entry((asked.method.clone(), asked.path.clone()))
            .or_insert(0);
        *times += 1;
        match *times {
            1 => Does::Status(429, "Retry-After: 0\r\n"),
            2 => Does::Status(503, ""),
            _ => Does::Answer,
        }
    });
    diff(&fake, &["--format", "json"])
        .code(1)
        .says("\"complete\": true");
    let fake = Fake::start(|asked| match asked.path.as_str() {
        "/apis" if asked.before < 3 => Does::Status(429, "Retry-After: 1\r\n"),
        _ => Does::Answer,
    });
    let start = Instant::now();
    diff(&fake, &[]).code(1);
    assert!(
        start.elapsed().as_secs_f64() >= 1.0,
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_server_that_stays_busy_is_told_with_its_own_words() {
    for (status, shown) in [
        (429, "answered 429"),
        (500, "answered 500"),
        (503, "answered 503"),
    ] {
        let fake = Fake::start(move |_| Does::Status(status, ""));
        told(diff(&fake, &[]), shown).warns("5 times: not now");
    }
}

#[test]
fn what_was_learned_before_a_failure_is_printed() {
    let refuses = |asked: &Asked| match asked.method.as_str() {
        "PATCH" if asked.path.contains("envoyproxies") => Does::Status(403, ""),
        _ => Does::Answer,
    };
    let run = diff(&Fake::start(refuses), &[]);
    told(run, "no permission for PATCH /apis/gateway.envoyproxy.io/v1alpha1/namespaces/network/envoyproxies/")
        .says("+ Gateway network/envoy-external")
        .says("incomplete: only ");
    let fails = |asked: &Asked| match asked.path.as_str() {
        path if is_patch(asked) && path.ends_with("envoy-internal") => Does::Status(500, ""),
        _ => Does::Answer,
    };
    told(diff(&Fake::start(fails), &[]), "answered 500")
        .says("incomplete: only ")
        .says("+ Gateway network/envoy-external");
}

#[test]
fn a_server_that_stops_answering_is_waited_for_no_longer_than_asked() {
    let start = Instant::now();
    let stalls = |asked: &Asked| {
        if is_patch(asked) {
            Does::Stall
        } else {
            Does::Answer
        }
    };
    told(
        diff(&Fake::start(stalls), &["--timeout", "30"]),
        "did not answer PATCH",
    )
    .says("incomplete: only ");
    let late = |asked: &Asked| {
        if is_patch(asked) {
            Does::Status(503, "Retry-After: 3600\r\n")
        } else {
            Does::Answer
        }
    };
    told(
        diff(&Fake::start(late), &["--timeout", "30"]),
        "answered 503",
    );
    // A server that stalls, or asks for a wait, would have taken longer.
    assert!(start.elapsed() < STALL, "{:?}", start.elapsed());
}

#[test]
fn a_server_that_hangs_up_or_talks_nonsense_is_told() {
    told(
        diff(&Fake::start(|_| Does::HangUp), &[]),
        "can't be reached",
    );
    told(
        diff(&Fake::start(|_| Does::Body(200, "<html>".to_owned())), &[]),
        "gave no usable answer to GET /api",
    );
    let later = |asked: &Asked| {
        if is_patch(asked) {
            Does::HangUp
        } else {
            Does::Answer
        }
    };
    told(diff(&Fake::start(later), &[]), "can't be reached").says("incomplete: only ");
}

#[test]
fn a_status_that_could_not_be_read_whole_is_no_agreement() {
    let status = |fake: &Fake, more: &[&str]| {
        let project = Project::new().minimal("");
        let kubeconfig = fake.kubeconfig().to_string_lossy().into_owned();
        let args = [
            "status",
            "--against",
            "cluster",
            "--kubeconfig",
            &kubeconfig,
        ];
        project
            .run([&args[..], patience(more), more].concat())
            .never_says("s3cret-token")
            .never_says("agree\n")
    };
    // That nothing exists is a valid answer.
    let run = status(&Fake::start(|_| Does::Answer), &[]).success();
    run.says("GatewayClass (gateway.networking.k8s.io)")
        .says("  absent  ")
        .says(" only computed\n")
        .never_says("incomplete: only ");

    let refuses = |asked: &Asked| match asked.path.contains("/envoyproxies/") {
        true => Does::Status(403, ""),
        false => Does::Answer,
    };
    let run = status(&Fake::start(refuses), &[]);
    told(run, "no permission for GET /apis/gateway.envoyproxy.io/v1alpha1/namespaces/network/envoyproxies/")
        .says("incomplete: only ")
        .says("  absent  ");

    let fails = |asked: &Asked| match asked.path.ends_with("/gateways/envoy-internal") {
        true => Does::Status(500, ""),
        false => Does::Answer,
    };
    let run = status(&Fake::start(fails), &["--format", "json"]);
    told(run, "answered 500 to GET ")
        .says("\"complete\": false")
        .says("\"comparison\": \"not-asked\"")
        .says("\"comparison\": \"absent\"");

    let stalls = |asked: &Asked| match asked.path.contains("/gateways/") {
        true => Does::Stall,
        false => Does::Answer,
    };
    let run = status(&Fake::start(stalls), &["--timeout", "30"]);
    told(run, "did not answer GET").says("incomplete: only ");
}

#[test]
fn what_a_status_can_not_be_asked_for_is_noted() {
    let route = |name: &str, namespace: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: {name}{namespace}}}\nspec: {{parentRefs: [{{name: envoy-external, namespace: network}}]}}\n---\n"
        )
    };
    let chart = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: charted, namespace: web}\nspec: {values: {route: {app: {hostnames: [a.example.com], parentRefs: [{name: envoy-external, namespace: network}]}}}}\n";
    let project = Project::new().minimal("").rendered().file(
        "apps/all.yaml",
        route("'${NAME}'", ", namespace: web") + &route("homeless", "") + chart,
    );
    let fake = Fake::start(|_| Does::Answer);
    let kubeconfig = fake.kubeconfig().to_string_lossy().into_owned();
    let args = ["status", "kubernetes", "apps", "--against", "cluster"];
    let run = project
        .run([&args[..], &["--kubeconfig", &kubeconfig]].concat())
        .success();
    run.says("not asked for these objects: 1 whose name contains a Flux variable")
        .says("not asked for these objects: 1 whose namespace is given neither in the manifest nor by a Kustomization")
        .says("these routes of Helm charts were not found under their expected names: HTTPRoute web/charted")
        .says("HTTPRoute homeless")
        .says("  not known  ")
        .never_says("incomplete: only ");
}

#[test]
fn every_command_that_asks_a_cluster_fails_alike() {
    let fake = Fake::elsewhere(&format!("server: \"http://127.0.0.1:{}\"", free_port()));
    let kubeconfig = fake.kubeconfig().to_string_lossy().into_owned();
    let project = Project::new().minimal("").file("crd.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n");
    for command in [
        &["validate", "--against", "cluster"][..],
        &["status", "--against", "cluster"],
        &["crds", "apply", "-f", "crd.yaml"],
        &["schemas", "import", "--from", "cluster"],
    ] {
        let args = [command, &["--kubeconfig", &kubeconfig]].concat();
        let run = told(project.run(args), "can't be reached: Connection refused");
        assert_eq!(run.stdout, "", "{run}");
    }
}

/// Answers to discovery that are not valid.
const NO_DISCOVERY: &[(u16, &str, &str)] = &[
    (200, "true", "200 and `true` instead of an object"),
    (200, "null", "200 and `null` instead of an object"),
    (200, "[]", "200 and a list of 0 instead of an object"),
    (
        200,
        "{}",
        "200 and an object without a kind instead of the list",
    ),
    (
        200,
        "\"APIGroupList\"",
        "200 and a string instead of an object",
    ),
    (
        200,
        "{\"kind\": \"APIVersions\", \"versions\": []}",
        "200 and an object of kind `APIVersions` instead of the list",
    ),
    (
        200,
        "{\"kind\": \"APIGroupDiscoveryList\", \"items\": [1, true]}",
        "200 and an object of kind `APIGroupDiscoveryList` instead of the list",
    ),
    (
        200,
        "{\"kind\": \"APIGroupList\"}",
        "200 and an object of kind `APIGroupList`",
    ),
    (
        200,
        "{\"kind\": \"APIVersions\", \"versions\": 1}",
        "200 and an object of kind `APIVersions`",
    ),
    (
        302,
        "{\"kind\": \"APIGroupList\", \"groups\": []}",
        "302 and an object",
    ),
    (
        404,
        "{\"error\": \"no such page\"}",
        "404 and an object without a kind instead of a Status",
    ),
    (
        404,
        "{\"kind\": \"Status\", \"message\": \"gone\"}",
        "404, gone",
    ),
    (
        400,
        "{\"kind\": \"Status\", \"message\": \"bad\"}",
        "400, bad",
    ),
    (418, "true", "418 and `true`"),
];

#[test]
fn a_server_that_does_not_say_what_it_serves_is_no_empty_cluster() {
    for path in [
        "/api",
        "/apis",
        "/api/v1",
        "/apis/gateway.networking.k8s.io/v1",
    ] {
        for (status, body, shown) in NO_DISCOVERY {
            let fake = Fake::start(move |asked| match asked.path == path {
                true => Does::Body(*status, (*body).to_owned()),
                false => Does::Answer,
            });
            let request = format!("gave no usable answer to GET {path}: {shown}");
            for command in ["diff", "validate", "status"] {
                let run = against(&fake, command);
                told(run, &request).never_says("not installed yet");
            }
        }
    }
}

fn against(fake: &Fake, command: &str) -> Run {
    let project = Project::new().minimal("");
    let kubeconfig = fake.kubeconfig().to_string_lossy().into_owned();
    project.run([command, "--against", "cluster", "--kubeconfig", &kubeconfig])
}

#[test]
fn only_404_says_that_an_object_is_not_there() {
    for (status, body) in [
        (200, "true"),
        (302, "{\"kind\": \"Status\"}"),
        (404, "{}"),
        (400, "{\"kind\": \"Status\", \"message\": \"bad\"}"),
        (410, "{\"kind\": \"Status\", \"message\": \"gone\"}"),
    ] {
        let fake = Fake::start(move |asked| {
            match asked.method == "GET" && asked.path.ends_with("/gateways/envoy-internal") {
                true => Does::Body(status, body.to_owned()),
                false => Does::Answer,
            }
        });
        for command in ["diff", "status"] {
            told(against(&fake, command), "gave no usable answer to GET ")
                .says("incomplete: only ");
        }
    }
}

#[test]
fn a_wait_beyond_all_time_is_not_waited() {
    let fake = Fake::start(|_| Does::Status(429, "Retry-After: 9223372036854775807\r\n"));
    told(diff(&fake, &[]), "answered 429");
}

/// The kernel's limit is only a guard; the program itself limits what it reads.
fn guarded(fake: &Fake, args: &str) -> Run {
    let project = Project::new().minimal("").file("crd.yaml", definition("a"));
    let kubeconfig = fake.kubeconfig().display().to_string();
    project.shell(&format!(
        "ulimit -v 4000000 && exec timeout 300 \"$PROGRAM\" {args} --kubeconfig {kubeconfig}"
    ))
}

#[test]
fn an_answer_is_read_up_to_a_bound() {
    let lists = "[".repeat(400_000);
    let fake = Fake::start(move |_| Does::Body(200, lists.clone()));
    told(guarded(&fake, "diff --against cluster"), "recursion limit");
    let many = format!("{{\"items\": [{}0]}}", "{\"a\":0},".repeat(1_000_000));
    let fake = Fake::start(move |_| Does::Body(200, many.clone()));
    told(
        guarded(&fake, "diff --against cluster"),
        "gave no usable answer to GET /api: 200, it has more than 500000 values",
    );
    let long = format!("\"{}\"", "x".repeat(40 << 20));
    let fake = Fake::start(move |asked| match asked.path == "/api" {
        true => Does::Body(200, long.clone()),
        false => Does::HangUp,
    });
    told(
        guarded(&fake, "diff --against cluster"),
        "gave no usable answer to GET /api: length limit exceeded",
    );
}

#[test]
fn a_list_without_an_end_is_left() {
    let page = "{\"metadata\": {\"continue\": \"more\"}, \"items\": []}";
    let fake = Fake::start(
        move |asked| match asked.path.ends_with("/customresourcedefinitions") {
            true => Does::Body(200, page.to_owned()),
            false => Does::Answer,
        },
    );
    told(
        guarded(&fake, "schemas import --from cluster"),
        "a list of more than 1000 pages",
    );
    let full = format!(
        "{{\"metadata\": {{\"continue\": \"more\"}}, \"items\": [{{\"a\": \"{}\"}}]}}",
        "x".repeat(1 << 20)
    );
    let fake = Fake::start(
        move |asked| match asked.path.ends_with("/customresourcedefinitions") {
            true => Does::Body(200, full.clone()),
            false => Does::Answer,
        },
    );
    told(
        guarded(&fake, "schemas import --from cluster"),
        "more than 67108864 bytes",
    );
}

fn definition(name: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {name}.example.com}}\nspec: {{group: example.com, names: {{kind: A, plural: {name}}}}}\n---\n"
    )
}

/// Applies thirty definitions to a server that does with each what `how` says.
fn applied(how: impl Fn(&Asked) -> Does + Send + Sync + 'static) -> (Run, Fake) {
    let names: Vec<String> = (10..40).map(|at| format!("a{at}")).collect();
    let all: String = names.iter().map(|name| definition(name)).collect();
    let project = Project::new().file("crds.yaml", all);
    let fake = Fake::start(how);
    let kubeconfig = fake.kubeconfig().to_string_lossy().into_owned();
    let args = ["crds", "apply", "-f", "crds.yaml", "--wait", "0"];
    let run = project.run([&args[..], &["--kubeconfig", &kubeconfig]].concat());
    (run, fake)
}

#[test]
fn what_was_applied_before_a_failure_is_told() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&written);
    let (run, _fake) = applied(move |asked| match asked.method.as_str() {
        "PATCH" if asked.path.ends_with("/a25.example.com") => Does::HangUp,
        "PATCH" => {
            let name = asked.path.rsplit('/').next().unwrap_or_default().to_owned();
            seen.lock().expect("nobody panicked").push(name);
            Does::Answer
        }
        _ => Does::Answer,
    });
    let run = told(run, "can't be reached");
    let written = written.lock().expect("nobody panicked").clone();
    assert!(!written.is_empty() && written.len() < 30, "{written:?}");
    for name in (10..40).map(|at| format!("a{at}.example.com")) {
        let line = match name.as_str() {
            "a25.example.com" => continue,
            name if written.iter().any(|it| it == name) => format!("created    {name}\n"),
            name => format!("not tried  {name}\n"),
        };
        assert!(run.stdout.contains(&line), "no {line:?} in {run}");
    }
    run.says(&format!(
        "{} created, 0 changed, 0 unchanged",
        written.len()
    ));
}

#[test]
fn a_definition_that_the_server_does_not_take_is_told_and_the_others_are_applied() {
    for (status, what) in [
        (409, "has fields that others set: no"),
        (
            422,
            "did not write CustomResourceDefinition a25.example.com: 422, no",
        ),
        (
            400,
            "did not write CustomResourceDefinition a25.example.com: 400, no",
        ),
    ] {
        let (run, _fake) = applied(move |asked| match asked.method.as_str() {
            "PATCH" if asked.path.ends_with("/a25.example.com") => Does::Body(
                status,
                "{\"kind\": \"Status\", \"message\": \"no\"}".to_owned(),
            ),
            _ => Does::Answer,
        });
        told(run, what)
            .says("created    a39.example.com")
            .says("29 created, 0 changed, 0 unchanged")
            .never_says("a25.example.com\n");
    }
}

#[test]
fn only_404_says_that_a_definition_is_not_installed() {
    for (status, body) in [
        (409, "{\"kind\": \"Status\", \"message\": \"no\"}"),
        (422, "{\"kind\": \"Status\", \"message\": \"no\"}"),
        (404, "{\"message\": \"a page of something else\"}"),
        (200, "[]"),
    ] {
        let written = Arc::new(Mutex::new(0));
        let count = Arc::clone(&written);
        let (run, _fake) = applied(move |asked| match asked.method.as_str() {
            "GET" if asked.path.ends_with("/a25.example.com") => {
                Does::Body(status, body.to_owned())
            }
            "PATCH" => {
                *count.lock().expect("nobody panicked") += 1;
                Does::Answer
            }
            _ => Does::Answer,
        });
        told(run, "gave no usable answer to GET").never_says("created");
        assert_eq!(*written.lock().expect("nobody panicked"), 0);
    }
}
