//! `test --live`: requests of tests are sent to the real gateways.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use crate::common::Project;

/// Answers each request on a connection by its first line and its host, then closes the connection.
fn serve(mut stream: impl Read + Write) {
    let mut lines = BufReader::new(&mut stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let host = lines.find_map(|line| Some(line.strip_prefix("host: ")?.to_owned()));
    let is_app = host.is_some_and(|host| host.starts_with("app.example.com"));
    drop(lines);
    let answer = match first.split(' ').nth(1) {
        Some("/stall") => return std::thread::sleep(Duration::from_secs(3600)),
        Some("/old") => "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example.com/\r\n\r\n",
        Some("/closed") => "",
        _ if is_app => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        _ => "HTTP/1.1 404 Not Found\r\n\r\n",
    };
    let _ = stream.write_all(answer.as_bytes());
    let _ = stream.flush();
}

fn plain() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream));
        }
    });
    port
}

fn tls() -> u16 {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["app.example.com".to_owned()]).expect("a name");
    let certificate = params
        .self_signed(&key)
        .expect("a certificate")
        .der()
        .clone();
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
            serve(rustls::StreamOwned::new(connection, stream));
        }
    });
    port
}

fn project(plain: u16, tls: u16, tests: &str) -> Project {
    let objects = format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy}}
spec: {{controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: main, namespace: network}}
spec:
  gatewayClassName: envoy
  addresses: [{{type: IPAddress, value: 127.0.0.1}}]
  listeners:
    - {{name: http, port: {plain}, protocol: HTTP}}
    - {{name: https, port: {tls}, protocol: HTTPS, tls: {{certificateRefs: [{{name: own}}]}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: app, namespace: network}}
spec:
  parentRefs: [{{name: main}}]
  hostnames: [app.example.com]
  rules:
    - backendRefs: [{{name: app, port: 80}}]
    - matches: [{{path: {{type: Exact, value: /old}}}}]
      filters: [{{type: RequestRedirect, requestRedirect: {{hostname: new.example.com, path: {{type: ReplaceFullPath, replaceFullPath: /}}}}}}]
"
    );
    Project::new()
        .file("gateway.yaml", objects)
        .file("tests.toml", tests)
}

fn run(tests: &str) -> crate::common::Run {
    let (plain, tls) = (plain(), tls());
    let tests = tests
        .replace("PLAIN", &plain.to_string())
        .replace("TLS", &tls.to_string());
    project(plain, tls, &tests).run(["test", "tests.toml", "--in", "gateway.yaml", "--live"])
}

#[test]
fn gateways_that_do_what_the_manifests_say_pass() {
    let tests = r#"
[[test]]
name = "plain"
request = { url = "http://app.example.com:PLAIN/" }
expect = { status = 200, backend = "app:80" }

[[test]]
name = "tls"
request = { url = "https://app.example.com:TLS/", insecure = true }
expect = { status = 200 }

[[test]]
name = "no route"
request = { url = "http://other.example.com:PLAIN/" }
expect = { reachable = false }

[[test]]
name = "with a password"
request = { url = "http://app.example.com:PLAIN/", signed_in = true }
expect = { route = "app" }
"#;
    run(tests).success().says(
        "4 tests, 4 requests: 4 passed; 3 sent to gateways, 1 could not be, because the answer depends on the client",
    );
}

#[test]
fn gateways_that_do_something_else_are_told() {
    let tests = r#"
[[test]]
name = "redirect"
request = { url = "http://app.example.com:PLAIN/old" }
expect = { status = 302 }

[[test]]
name = "closed"
request = { url = "http://app.example.com:PLAIN/closed" }
expect = { backend = "app:80" }

[[test]]
name = "certificate"
request = { url = "https://app.example.com:TLS/" }
expect = { backend = "app:80" }

[[test]]
name = "status"
request = { url = "http://app.example.com:PLAIN/" }
expect = { status = 204 }
"#;
    run(tests)
        .code(1)
        .says("error[test/live]: redirect: the real gateway does something else: it answers 302, to http://elsewhere.example.com/")
        .says("error[test/live]: closed: the real gateway does something else: 127.0.0.1:")
        .says("closes the connection without an answer")
        .says("error[test/live]: certificate: the real gateway does something else: ")
        .says("error[test/live]: status: the real gateway does something else: it answers 200")
        .says("by the manifests, status 204");
}

#[test]
fn a_gateway_that_does_not_answer_is_waited_for_only_for_some_time() {
    let tests = r#"
[[test]]
name = "stall"
request = { url = "http://app.example.com:PLAIN/stall", path = ["/stall", "/", "/a"] }
expect = { backend = "app:80" }
"#;
    run(tests)
        .code(1)
        .says("1 test, 3 requests: 2 passed, 1 failed");
}
