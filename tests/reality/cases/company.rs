//! The gateways of a company, of one of the two clusters that `company.toml` describes: everybody, partners with
//! certificates from some networks, and its own people, who log in.

use crate::foretold;
use crate::front_door::{FrontDoor, Running};
use crate::request::Request;
use crate::table::{Row, Table, happened};
use crate::tools::tools;
use crate::translation::Translator;

const CONFIG: &str = include_str!("../company.toml");

const APPS: &str = "
apiVersion: v1
kind: Secret
metadata: {name: front-door-oidc, namespace: network}
data: {client-secret: c2VjcmV0}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: everybody, namespace: network}
spec:
  parentRefs: [{name: public, namespace: network}]
  hostnames: [blog.example.com, shop.example.net, docs.example.org]
  rules: [{backendRefs: [{name: everybody, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: partners, namespace: network}
spec:
  parentRefs: [{name: partners, namespace: network}]
  hostnames: [orders.partners.example.com]
  rules: [{backendRefs: [{name: partners, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: staff, namespace: network}
spec:
  parentRefs: [{name: internal, namespace: network}]
  hostnames: [wiki.internal.example.com]
  rules: [{backendRefs: [{name: staff, port: 80}]}]
";

#[test]
fn the_gateways_of_a_company_do_what_is_foretold() {
    assert!(CONFIG.lines().count() < 120 && !CONFIG.contains("spec"));
    let Some(tools) = tools() else { return };
    let front_door = FrontDoor::of_cluster("company", "production", CONFIG, APPS);
    let translated = front_door.translate(&mut Translator::start(tools));
    assert_eq!(translated.translation.refusals(), [""; 0]);
    let mut table = Table::default();
    translated.run(tools, "public", |running| {
        assert_eq!(running.compare_refusals(&mut table), []);
        for url in [
            "http://blog.example.com/",
            "https://blog.example.com/",
            "https://shop.example.net/",
            "https://docs.example.org/",
            "https://other.example.org/",
        ] {
            running.compare(&mut table, &Request::get(url));
        }
    });
    translated.run(tools, "partners", |running| {
        assert_eq!(running.compare_refusals(&mut table), []);
        for certificate in [None, Some(true), Some(false)] {
            ask_as_partner(running, certificate, &mut table);
        }
    });
    translated.run(tools, "internal", |running| {
        assert_eq!(running.compare_refusals(&mut table), []);
        let request = Request::get("https://wiki.internal.example.com/");
        // The rest of the URL is different for each login.
        let happened = happened(&running.send(&request));
        let without_login = happened.split('?').next().unwrap_or_default();
        table.add(Row {
            input: "company, internal".to_owned(),
            question: request.to_string(),
            foretold: foretold::trace(&running.front_door.project, "internal", &request),
            happened: without_login.to_owned(),
        });
    });
    table.conclude("a company with three gateways");
}

/// Asks with a certificate that is trusted or not, or without one.
fn ask_as_partner(running: &Running<'_>, certificate: Option<bool>, table: &mut Table) {
    let url = "https://orders.partners.example.com/";
    let which = match certificate {
        None => "none",
        Some(true) => "trusted",
        Some(false) => "untrusted",
    };
    let request = Request::get(url).foretell(&["--client-certificate", which]);
    let request = match certificate {
        Some(is_trusted) => request.curl(&["--cert", &running.client_certificate(is_trusted)]),
        None => request,
    };
    table.add(Row {
        input: "company, partners".to_owned(),
        question: format!("{url} with certificate: {which}"),
        foretold: foretold::trace(&running.front_door.project, "partners", &request),
        happened: happened(&running.send(&request)),
    });
}
