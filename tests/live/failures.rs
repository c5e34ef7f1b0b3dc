//! What goes wrong between here and a server. Never is it taken for "no difference", always it is exit 2.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::apiserver::free_port;
use crate::common::{Project, Run};
use crate::fake::{Asked, Does, Fake, STALL};
use crate::talk::PATIENCE;

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

/// A slow machine has its time, but where the test is about time.
fn patience(args: &[&str]) -> &'static [&'static str] {
    match args.contains(&"--timeout") {
        true => &[],
        false => &[PATIENCE],
    }
}

/// A failure that is told whole: what, why, what to do.
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
    told(diff(&fake, &[]), "is not accepted: ").warns("fetch the kubeconfig anew");
}

/// A TLS server that shakes hands and says nothing; its port.
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
            // The client hangs up in the middle of the handshake.
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
        .says("this is not all");
    let fails = |asked: &Asked| match asked.path.as_str() {
        path if is_patch(asked) && path.ends_with("envoy-internal") => Does::Status(500, ""),
        _ => Does::Answer,
    };
    told(diff(&Fake::start(fails), &[]), "answered 500")
        .says("this is not all")
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
        "stopped answering: nothing came for 15 s after PATCH",
    )
    .says("this is not all");
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
    // A server that stalls, or names a time, would have kept it for longer.
    assert!(start.elapsed() < STALL, "{:?}", start.elapsed());
}

#[test]
fn a_server_that_hangs_up_or_talks_nonsense_is_told() {
    told(
        diff(&Fake::start(|_| Does::HangUp), &[]),
        "can't be reached",
    );
    told(
        diff(&Fake::start(|_| Does::Text("<html>")), &[]),
        "gave no usable answer to GET /api",
    );
    let later = |asked: &Asked| {
        if is_patch(asked) {
            Does::HangUp
        } else {
            Does::Answer
        }
    };
    told(diff(&Fake::start(later), &[]), "can't be reached").says("this is not all");
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
    // Nothing is there: that is an answer.
    let run = status(&Fake::start(|_| Does::Answer), &[]).success();
    run.says("GatewayClass (gateway.networking.k8s.io)")
        .says("  absent  ")
        .says(" only computed\n")
        .never_says("this is not all");

    let refuses = |asked: &Asked| match asked.path.contains("/envoyproxies/") {
        true => Does::Status(403, ""),
        false => Does::Answer,
    };
    let run = status(&Fake::start(refuses), &[]);
    told(run, "no permission for GET /apis/gateway.envoyproxy.io/v1alpha1/namespaces/network/envoyproxies/")
        .says("this is not all")
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
    told(run, "stopped answering: nothing came for 15 s after GET").says("this is not all");
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
    run.says("not asked for: 1 whose name holds a Flux variable")
        .says("not asked for: 1 without a namespace, of its own or from a Kustomization at hand")
        .says("under the names that their charts are thought to give them: HTTPRoute web/charted")
        .says("HTTPRoute homeless")
        .says("  not known  ")
        .never_says("this is not all");
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
