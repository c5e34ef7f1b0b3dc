//! The reference: `cluster.toml` at the top of this repository, with applications behind it.

use crate::common::REFERENCE;
use crate::front_door::{FrontDoor, Running};
use crate::request::{Outcome, Request};
use crate::table::Table;
use crate::tools::tools;

/// Applications behind the external gateway, the internal one, and both.
const APPS: &str = r"apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: apps}
spec:
  hostnames: [shop.example.com]
  parentRefs: [{name: envoy-external, namespace: network, sectionName: https}]
  rules:
    - backendRefs: [{name: shop, port: 80}]
    - matches: [{path: {type: PathPrefix, value: /api}}]
      filters:
        - type: URLRewrite
          urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
      backendRefs:
        - {name: api, port: 8080, weight: 90}
        - {name: api-next, port: 8080, weight: 10}
    - matches: [{path: {type: Exact, value: /old}}]
      filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /new}}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wiki, namespace: apps}
spec:
  hostnames: [wiki.example.com]
  parentRefs: [{name: envoy-internal, namespace: network, sectionName: https}]
  rules: [{backendRefs: [{name: wiki, port: 3000}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: photos, namespace: apps}
spec:
  hostnames: [photos.example.com]
  parentRefs:
    - {name: envoy-external, namespace: network, sectionName: https}
    - {name: envoy-internal, namespace: network, sectionName: https}
  rules: [{backendRefs: [{name: photos, port: 80}]}]
";

/// A backend for the name that the internal gateway passes through.
const VAULT: &str = r"---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: vault, namespace: apps}
spec:
  hostnames: [vault.example.com]
  parentRefs: [{name: envoy-internal, namespace: network, sectionName: tls-passthrough}]
  rules: [{backendRefs: [{name: vault, port: 8200}]}]
";

/// Addresses of the internal networks of the reference, and one that is in none.
const INSIDE: &str = "10.10.1.1";
const OUTSIDE: &str = "198.51.100.1";

#[test]
fn the_external_gateway_of_the_reference_answers_as_trace_says() {
    let Some(tools) = tools() else { return };
    let front_door = FrontDoor::rendered("reference", REFERENCE, APPS);
    let mut table = Table::default();
    front_door.run(tools, &["envoy-external"], |gateway| {
        gateway.compare_refusals(&mut table);
        let get = |url: &str| Request::get(url).from(OUTSIDE);
        for url in [
            "http://shop.example.com/",
            "http://unknown.example.com/a?b=c",
            "https://shop.example.com/",
            "https://shop.example.com/api/a",
            "https://shop.example.com/apis",
            "https://shop.example.com/old",
            "https://photos.example.com/",
            "https://wiki.example.com/",
            "https://unknown.example.com/",
            "https://elsewhere.example.org/",
        ] {
            gateway.compare(&mut table, &get(url));
        }
        gateway.compare(&mut table, &Request::get("ssh://git.example.com:22"));
        for agent in [
            "GPTBot",
            "Mozilla/5.0 (compatible; GPTBot/1.2)",
            "Mozilla/5.0",
        ] {
            let request = get("https://shop.example.com/").header(&format!("User-Agent: {agent}"));
            gateway.compare(&mut table, &request);
        }
        protocols(gateway);
        compression(gateway);
    });
    table.conclude("the external gateway of the reference");
}

/// HTTP/2 by ALPN, HTTP/3 by `alt-svc`, and no TLS before 1.2.
fn protocols(gateway: &Running<'_>) {
    let shop = || Request::get("https://shop.example.com/").from(OUTSIDE);
    let outcome = gateway.send(&shop());
    let answer = outcome.answer();
    assert_eq!((answer.status, answer.version.as_str()), (200, "2"));
    let offers = answer.header("alt-svc").unwrap_or_default();
    assert!(offers.contains("h3=\":443\""), "{answer:?}");
    let old = gateway.send(&shop().curl(&["--http1.1"]));
    assert_eq!(old.answer().version, "1.1");
    let tls = |version: &str| {
        let seclevel = ["--ciphers", "DEFAULT@SECLEVEL=0", "--tls-max", version];
        gateway.send(&shop().curl(&seclevel))
    };
    assert!(matches!(tls("1.1"), Outcome::Failed(_)));
    assert_eq!(tls("1.2").answer().status, 200);
    assert_eq!(tls("1.3").answer().status, 200);
}

/// Each algorithm of `compression` is used if the client accepts it.
fn compression(gateway: &Running<'_>) {
    for (accepted, used) in [
        ("gzip", Some("gzip")),
        ("br", Some("br")),
        ("zstd", Some("zstd")),
        ("identity", None),
    ] {
        let request = Request::get("https://shop.example.com/").from(OUTSIDE);
        let request = request.header(&format!("Accept-Encoding: {accepted}"));
        let outcome = gateway.send(&request);
        let encoding = outcome.answer().header("content-encoding");
        assert_eq!(encoding, used, "{outcome:?}");
    }
}

#[test]
fn the_internal_gateway_of_the_reference_answers_as_trace_says() {
    let Some(tools) = tools() else { return };
    let mut table = Table::default();
    let without_route = FrontDoor::rendered("reference", REFERENCE, APPS);
    let apps = format!("{APPS}{VAULT}");
    let with_route = FrontDoor::rendered("reference with a TLSRoute", REFERENCE, &apps);
    for front_door in [&without_route, &with_route] {
        front_door.run(tools, &["envoy-internal"], |gateway| {
            gateway.compare_refusals(&mut table);
            let urls = [
                "http://wiki.example.com/",
                "https://wiki.example.com/",
                "https://photos.example.com/",
                "https://shop.example.com/",
                "https://unknown.example.com/",
                "https://vault.example.com/",
            ];
            for url in urls {
                for from in [INSIDE, OUTSIDE] {
                    gateway.compare(&mut table, &Request::get(url).from(from));
                }
            }
            gateway.compare(&mut table, &Request::get("ssh://git.example.com:22"));
            // The authorization is for connections too, and this one comes from outside; only proxies in
            // `trusted_cidrs` are believed about the address of a client.
            for (from, told) in [
                ("10.42.0.9", OUTSIDE),
                ("10.42.0.9", INSIDE),
                (OUTSIDE, INSIDE),
                (INSIDE, OUTSIDE),
            ] {
                let request = Request::get("https://wiki.example.com/").from(from);
                let request = request.header(&format!("X-Forwarded-For: {told}"));
                gateway.compare(&mut table, &request);
            }
        });
    }
    table.conclude("the internal gateway of the reference");
}
