//! What Envoy Gateway accepts, but Envoy refuses or does otherwise.

use serde_json::Value;

use crate::foretold;
use crate::front_door::{FrontDoor, Running};
use crate::request::Request;
use crate::tools::tools;

/// A class, whose EnvoyProxy has these settings.
fn class(settings: &str) -> String {
    format!(
        "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: envoy, namespace: network}}
spec: {{{settings}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy}}
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: {{group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: network}}
"
    )
}

/// A Gateway of that class with these listeners, in YAML's short form.
fn gateway(name: &str, listeners: &[&str]) -> String {
    let listeners = listeners.join(", ");
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: network}}
spec: {{gatewayClassName: envoy, listeners: [{listeners}]}}
"
    )
}

/// A TLSRoute to a Service of the same name.
fn tls_route(name: &str, parent: &str, hostnames: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {{name: {name}, namespace: network}}
spec:
  parentRefs: [{{{parent}}}]
  hostnames: [{hostnames}]
  rules: [{{backendRefs: [{{name: {name}, port: 443}}]}}]
"
    )
}

/// An HTTPRoute to a Service of the same name, for all gateways named.
fn http_route(name: &str, gateway: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}, namespace: network}}
spec:
  parentRefs: [{{name: {gateway}}}]
  rules: [{{backendRefs: [{{name: {name}, port: 80}}]}}]
"
    )
}

/// A policy for the gateway `one`.
fn policy(kind: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: {kind}
metadata: {{name: one, namespace: network}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: one}}]
  {spec}
"
    )
}

const CERTIFICATE: &str = "tls: {certificateRefs: [{name: certificate}]}";

fn https(name: &str, hostname: &str) -> String {
    let hostname = match hostname {
        "" => String::new(),
        hostname => format!("hostname: '{hostname}', "),
    };
    format!("{{name: {name}, protocol: HTTPS, port: 443, {hostname}{CERTIFICATE}}}")
}

fn passthrough(name: &str, hostname: &str) -> String {
    let hostname = match hostname {
        "" => String::new(),
        hostname => format!("hostname: '{hostname}', "),
    };
    format!("{{name: {name}, protocol: TLS, port: 443, {hostname}tls: {{mode: Passthrough}}}}")
}

#[test]
fn explore() {
    let Some(tools) = tools() else { return };
    let g = |name: &str, listeners: &[String]| {
        gateway(
            name,
            &listeners.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    let base = class("");
    let cases: Vec<(&str, String, Vec<&str>)> = vec![
        (
            "a TLSRoute for a wildcard beside https",
            format!(
                "{base}{}{}",
                g(
                    "one",
                    &[passthrough("tls", ""), https("https", "web.example.com")]
                ),
                tls_route("a", "name: one, sectionName: tls", "web.example.com")
            ),
            vec!["one"],
        ),
        (
            "merged, https and passthrough for one name",
            format!(
                "{}{}{}{}{}",
                class("mergeGateways: true"),
                g("one", &[https("https", "web.example.com")]),
                g("two", &[passthrough("tls", "web.example.com")]),
                http_route("web", "one"),
                tls_route("a", "name: two", "web.example.com")
            ),
            vec!["one", "two"],
        ),
        (
            "merged, https for one name",
            format!(
                "{}{}{}{}",
                class("mergeGateways: true"),
                g("one", &[https("https", "web.example.com")]),
                g("two", &[https("https", "web.example.com")]),
                http_route("web", "one")
            ),
            vec!["one", "two"],
        ),
        (
            "http3 with proxy protocol",
            format!(
                "{base}{}{}{}",
                g("one", &[https("https", "")]),
                http_route("web", "one"),
                policy("ClientTrafficPolicy", "{http3: {}, proxyProtocol: {}}")
                    .replace("  {http3", "  http3: {}\n  proxyProtocol: {}\n#")
            ),
            vec!["one"],
        ),
        (
            "http3 with client certificates",
            format!(
                "{base}{}{}{}",
                g("one", &[https("https", "")]),
                http_route("web", "one"),
                policy(
                    "ClientTrafficPolicy",
                    "http3: {}\n  tls: {clientValidation: {optional: true, caCertificateRefs: [{kind: Secret, name: certificate, group: ''}]}}"
                )
            ),
            vec!["one"],
        ),
        (
            "two https with overlapping names",
            format!(
                "{base}{}{}",
                g(
                    "one",
                    &[
                        https("https", "*.example.com"),
                        https("web", "web.example.com")
                    ]
                ),
                http_route("web", "one")
            ),
            vec!["one"],
        ),
        (
            "an IPv6 address",
            format!(
                "{base}{}{}",
                gateway("one", &["{name: http, protocol: HTTP, port: 80}"]).replace(
                    "listeners:",
                    "addresses: [{type: IPAddress, value: '2001:db8::1'}], listeners:"
                ),
                http_route("web", "one")
            ),
            vec!["one"],
        ),
        (
            "dual stack",
            format!(
                "{}{}{}",
                class("ipFamily: DualStack"),
                gateway("one", &["{name: http, protocol: HTTP, port: 80}"]),
                http_route("web", "one")
            ),
            vec!["one"],
        ),
        (
            "global rate limit",
            format!(
                "{base}{}{}{}",
                gateway("one", &["{name: http, protocol: HTTP, port: 80}"]),
                http_route("web", "one"),
                policy(
                    "BackendTrafficPolicy",
                    "rateLimit: {type: Global, global: {rules: [{limit: {requests: 1000, unit: Hour}}]}}"
                )
            ),
            vec!["one"],
        ),
    ];
    let more: Vec<(&str, String, Vec<&str>)> = vec![
        ("a TLSRoute for a wildcard and one for a name", format!("{base}{}{}{}", g("one", &[passthrough("tls", "*.example.com")]), tls_route("a", "name: one", "'*.example.com'"), tls_route("b", "name: one", "vault.example.com")), vec!["one"]),
        ("a TLSRoute with two names, one of them again", format!("{base}{}{}{}", g("one", &[passthrough("tls", "*.example.com")]), tls_route("a", "name: one", "a.example.com, vault.example.com"), tls_route("b", "name: one", "vault.example.com")), vec!["one"]),
        ("a TLSRoute in two listeners", format!("{base}{}{}", g("one", &[passthrough("tls", "*.example.com"), passthrough("vault", "vault.example.com")]), tls_route("a", "name: one, sectionName: vault}, {name: one, sectionName: tls", "vault.example.com")), vec!["one"]),
        ("a wildcard listener and one without a name, no routes", format!("{base}{}", g("one", &[passthrough("tls", "*.example.com"), passthrough("vault", "")])), vec!["one"]),
        ("wrong group of parametersRef", format!("{base}{}{}", g("one", &[https("https", "")]), http_route("web", "one")).replace("parametersRef: {group: gateway.envoyproxy.io", "parametersRef: {group: gateway.example.com"), vec!["one"]),
        ("parametersRef without namespace", format!("{base}{}{}", g("one", &[https("https", "")]), http_route("web", "one")).replace("name: envoy, namespace: network}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n", "name: envoy}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"), vec!["one"]),
    ];
    let cases = cases.into_iter().chain(more);
    for (name, text, gateways) in cases {
        let front_door = FrontDoor::manifests(name, &text);
        front_door.run(tools, &gateways, |running| {
            println!("=== {name}");
            for listener in running.envoy.listeners() {
                println!(
                    "  {}: {:?} address {}",
                    listener.name, listener.refused, listener.active["address"]
                );
            }
            for url in [
                "http://web.example.com/",
                "https://web.example.com/",
                "https://vault.example.com/",
            ] {
                let outcome = running.send(&Request::get(url));
                println!(
                    "  {url} -> {} {:?}",
                    crate::table::happened(&outcome),
                    match &outcome {
                        crate::request::Outcome::Answered(a) =>
                            format!("{} {:?}", a.version, a.header("alt-svc")),
                        crate::request::Outcome::Failed(e) => e.clone(),
                    }
                );
            }
            let log = running.envoy_gateway.log();
            for line in log
                .lines()
                .filter(|l| l.contains("reason:") || l.contains("message:") || l.contains("type:"))
            {
                if line.contains("message:") {
                    println!("      {}", line.trim());
                }
            }
            println!("  validate: {:?}", foretold::codes(&front_door.project));
        });
    }
}
