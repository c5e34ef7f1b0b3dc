//! Requests over HTTP/3. `trace` says of them what it says of all others; whether the gateway listens for them is what
//! `validate` says of `http3`.

use super::refused::{class, gateway, http_route, https, policy};
use crate::common::REFERENCE;
use crate::foretold;
use crate::front_door::FrontDoor;
use crate::request::Request;
use crate::table::{Row, Table, happened};
use crate::tools::tools;
use crate::translation::Translator;

/// An application behind both gateways of the reference.
const APPS: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: apps}
spec:
  hostnames: [shop.example.com]
  parentRefs:
    - {name: envoy-external, namespace: network, sectionName: https}
    - {name: envoy-internal, namespace: network, sectionName: https}
  rules:
    - backendRefs: [{name: shop, port: 80}]
    - matches: [{path: {type: PathPrefix, value: /api}}]
      backendRefs: [{name: api, port: 8080}]
    - matches: [{path: {type: Exact, value: /old}}]
      filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /new}}}]
";

#[test]
fn requests_over_http3_are_answered_as_foretold() {
    let Some(tools) = tools() else { return };
    let mut table = Table::default();
    let front_door = FrontDoor::rendered("reference", REFERENCE, APPS);
    let translated = front_door.translate(&mut Translator::start(tools));
    for name in ["envoy-external", "envoy-internal"] {
        translated.run(tools, name, |running| {
            let mut requests = Vec::new();
            for path in ["", "api/a", "old"] {
                for from in ["10.10.1.1", "198.51.100.1"] {
                    let url = format!("https://shop.example.com/{path}");
                    requests.push(Request::get(url).from(from));
                }
            }
            let agent = Request::get("https://shop.example.com/").header("User-Agent: GPTBot");
            requests.push(agent.from("198.51.100.1"));
            requests.push(Request::get("https://unknown.example.com/").from("10.10.1.1"));
            for request in requests {
                let outcome = request.send_http3(tools, running.namespace, &running.authority);
                table.add(Row {
                    input: format!("reference, {name}"),
                    question: format!("{request} over HTTP/3"),
                    foretold: foretold::trace(&front_door.project, name, &request),
                    happened: happened(&outcome),
                });
            }
        });
    }
    let one = gateway("one", &[https("https", "")]);
    let front = format!("{}{one}{}", class(""), http_route("web", "one"));
    for (name, settings) in [
        ("no `http3`", "path: {}"),
        ("`http3`", "http3: {}"),
        (
            "`http3` with the PROXY protocol",
            "http3: {}\n  proxyProtocol: {optional: true}",
        ),
        (
            "`http3` with certificates of clients",
            "http3: {}\n  tls: {clientValidation: {optional: true, caCertificateRefs: [{name: certificate}]}}",
        ),
    ] {
        let text = format!("{front}{}", policy("ClientTrafficPolicy", settings));
        let front_door = FrontDoor::manifests(name, &text);
        let translated = front_door.translate(&mut Translator::start(tools));
        let is_asked = settings.contains("http3");
        let is_warned = foretold::codes(&front_door.project).contains(&"envoy/without-quic".into());
        let or_not = |it: bool| if it { "it listens" } else { "it does not" }.to_owned();
        translated.run(tools, "one", |running| {
            table.add(Row {
                input: name.to_owned(),
                question: "does the gateway listen for HTTP/3?".to_owned(),
                foretold: vec![or_not(is_asked && !is_warned)],
                happened: or_not(running.namespace.listens_on_udp(443)),
            });
        });
    }
    table.conclude("HTTP/3");
}
