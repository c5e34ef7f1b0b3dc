//! What Envoy Gateway accepts, but Envoy refuses or does otherwise.

use crate::foretold;
use crate::front_door::{FrontDoor, Running};
use crate::request::{Outcome, Request};
use crate::table::Table;
use crate::tools::tools;

/// A class, whose EnvoyProxy has these settings.
pub(super) fn class(settings: &str) -> String {
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
pub(super) fn gateway(name: &str, listeners: &[String]) -> String {
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

/// An HTTPRoute to a Service of the same name.
pub(super) fn http_route(name: &str, gateway: &str) -> String {
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
pub(super) fn policy(kind: &str, spec: &str) -> String {
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

pub(super) fn https(name: &str, hostname: &str) -> String {
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

const HTTP: &str = "{name: http, protocol: HTTP, port: 80}";

/// The codes of `envoy` and `reference` in the report of `validate`.
fn codes(front_door: &FrontDoor) -> Vec<String> {
    let mut codes = foretold::codes(&front_door.project);
    codes.retain(|code| code.starts_with("envoy/") || code.starts_with("reference/"));
    codes.sort();
    codes.dedup();
    codes
}

/// Runs some gateways, and compares what Envoy refuses, and requests, with what is foretold.
fn compare(table: &mut Table, name: &str, text: &str, gateways: &[&str], urls: &[&str]) {
    let Some(tools) = tools() else { return };
    let front_door = FrontDoor::manifests(name, text);
    front_door.run(tools, gateways, |running| {
        running.compare_refusals(table);
        for url in urls {
            running.compare(table, &Request::get(*url));
        }
    });
}

const VAULT: &str = "https://vault.example.com/";
const WEB: &str = "https://web.example.com/";

#[test]
fn listeners_that_envoy_can_not_tell_apart_are_foretold() {
    let base = class("");
    let mut table = Table::default();
    let route = http_route("web", "one");
    for (name, listeners) in [
        (
            "TLS without a route beside HTTPS",
            [https("https", ""), passthrough("tls", "vault.example.com")],
        ),
        (
            "TLS without a route beside HTTPS with a hostname",
            [
                https("https", "*.example.com"),
                passthrough("tls", "vault.example.com"),
            ],
        ),
        (
            "two TLS listeners without a route",
            [
                passthrough("wildcard", "*.example.com"),
                passthrough("tls", ""),
            ],
        ),
    ] {
        let text = format!("{base}{}{route}", gateway("one", &listeners));
        compare(&mut table, name, &text, &["one"], &[WEB, VAULT]);
    }
    table.conclude("TLS listeners without routes");
}

#[test]
fn routes_that_envoy_can_not_tell_apart_are_foretold() {
    let base = class("");
    let mut table = Table::default();
    let one = gateway("one", &[passthrough("tls", "*.example.com")]);
    for (name, first) in [
        ("two TLSRoutes for one name", "vault.example.com"),
        (
            "two TLSRoutes that share a name",
            "web.example.com, vault.example.com",
        ),
        ("TLSRoutes for a wildcard and a name", "'*.example.com'"),
    ] {
        let routes = [
            tls_route("first", "name: one", first),
            tls_route("second", "name: one", "vault.example.com"),
        ];
        let text = format!("{base}{one}{}", routes.concat());
        compare(&mut table, name, &text, &["one"], &[WEB, VAULT]);
    }
    let two = [
        passthrough("tls", "*.example.com"),
        passthrough("vault", "vault.example.com"),
    ];
    let route = tls_route("first", "name: one", "vault.example.com");
    let text = format!("{base}{}{route}", gateway("one", &two));
    compare(
        &mut table,
        "a TLSRoute at two listeners",
        &text,
        &["one"],
        &[VAULT],
    );
    table.conclude("TLSRoutes");
}

#[test]
fn merged_gateways_that_envoy_can_not_tell_apart_are_foretold() {
    let merging = class("mergeGateways: true");
    let mut table = Table::default();
    let one = gateway("one", &[https("https", "web.example.com")]);
    let two = gateway("two", &[passthrough("tls", "web.example.com")]);
    let routes = [
        http_route("web", "one"),
        tls_route("secret", "name: two", "web.example.com"),
    ];
    let text = format!("{merging}{one}{two}{}", routes.concat());
    let name = "HTTPS and TLS passthrough for one name in merged gateways";
    compare(&mut table, name, &text, &["one", "two"], &[WEB]);
    table.conclude("merged gateways");
}

/// Runs the gateway `one` with these manifests, and returns what `ask` returns, with the codes of `validate`.
fn with_one<T: Send>(
    text: &str,
    ask: impl FnOnce(&mut Running<'_>) -> T + Send,
) -> Option<(T, Vec<String>)> {
    let front_door = FrontDoor::manifests("one", text);
    let answer = front_door.run(tools()?, &["one"], ask);
    Some((answer, codes(&front_door)))
}

/// What `alt-svc` offers at the gateway, and what Envoy refused.
fn http3(running: &mut Running<'_>) -> (bool, Vec<String>) {
    let request = Request::get(WEB).curl(&["--haproxy-protocol"]);
    let outcome = match running.send(&request) {
        Outcome::Failed(_) => running.send(&Request::get(WEB)),
        answered => answered,
    };
    let offers = outcome.answer().header("alt-svc").is_some();
    let refused = running.refused().into_iter();
    (
        offers,
        refused
            .map(|it| it.name)
            .filter(|it| !it.is_empty())
            .collect(),
    )
}

#[test]
fn http3_that_does_not_work_is_foretold() {
    let one = gateway("one", &[https("https", "")]);
    let front = format!("{}{one}{}", class(""), http_route("web", "one"));
    let with = |settings: &str| format!("{front}{}", policy("ClientTrafficPolicy", settings));
    let Some((works, codes)) = with_one(&with("http3: {}"), http3) else {
        return;
    };
    assert_eq!(works, (true, vec![]));
    assert_eq!(codes, [""; 0]);
    let proxied = with("http3: {}\n  proxyProtocol: {optional: true}");
    let (offered, codes) = with_one(&proxied, http3).expect("the tools");
    assert_eq!(offered, (true, vec!["network/one/https-quic".to_owned()]));
    assert_eq!(codes, ["envoy/without-quic"]);
    let certificates = with(
        "http3: {}\n  tls: {clientValidation: {optional: true, caCertificateRefs: [{name: certificate}]}}",
    );
    let (off, codes) = with_one(&certificates, http3).expect("the tools");
    assert_eq!(off, (false, vec![]));
    assert_eq!(codes, ["envoy/without-quic"]);
}

#[test]
fn listeners_without_http2_are_foretold() {
    let version = |running: &mut Running<'_>| {
        let outcome = running.send(&Request::get(WEB));
        outcome.answer().version.clone()
    };
    let front = |listeners: &[String]| {
        let one = gateway("one", listeners);
        format!("{}{one}{}", class(""), http_route("web", "one"))
    };
    let alone = front(&[https("https", "*.example.com")]);
    let Some((alone, codes)) = with_one(&alone, version) else {
        return;
    };
    assert_eq!((alone.as_str(), codes), ("2", vec![]));
    let shared = front(&[
        https("https", "web.example.com"),
        https("other", "other.example.com"),
    ]);
    let (old, codes) = with_one(&shared, version).expect("the tools");
    assert_eq!(old, "1.1");
    assert_eq!(codes, ["envoy/shared-certificate"]);
    let alpn = "tls: {alpnProtocols: [h2, http/1.1]}";
    let chosen = format!("{shared}{}", policy("ClientTrafficPolicy", alpn));
    let (new, codes) = with_one(&chosen, version).expect("the tools");
    assert_eq!((new.as_str(), codes), ("2", vec![]));
}

/// The address on which Envoy listens for the listener `http`.
fn address(running: &mut Running<'_>) -> String {
    let listeners = running.envoy.listeners();
    let mut listeners = listeners.iter().filter(|it| it.name == "network/one/http");
    let listener = listeners.next().expect("the listener");
    let address = &listener.active["address"]["socket_address"]["address"];
    address.as_str().unwrap_or_default().to_owned()
}

#[test]
fn an_ipv6_address_needs_an_ip_family() {
    let front = |settings: &str| {
        let one = gateway("one", &[HTTP.to_owned()]);
        let annotated =
            "spec: {infrastructure: {annotations: {lbipam.cilium.io/ips: '2001:db8::1'}}, ";
        format!("{}{}", class(settings), one.replace("spec: {", annotated))
    };
    let Some((default, codes)) = with_one(&front(""), address) else {
        return;
    };
    assert_eq!(default, "0.0.0.0");
    assert_eq!(codes, ["envoy/ip-family"]);
    let (both, codes) = with_one(&front("ipFamily: DualStack"), address).expect("the tools");
    assert_eq!((both.as_str(), codes), ("::", vec![]));
}

#[test]
fn a_class_that_does_not_get_its_settings_is_foretold() {
    let front = |from: &str, to: &str| {
        let one = gateway("one", &[HTTP.to_owned()]);
        format!("{}{one}", class("ipFamily: DualStack").replace(from, to))
    };
    let ask = |running: &mut Running<'_>| {
        let is_refused = running.log().contains("InvalidParameters");
        (address(running), is_refused)
    };
    let Some((right, codes)) = with_one(&front("", ""), ask) else {
        return;
    };
    assert_eq!((right, codes), (("::".to_owned(), false), vec![]));
    for (from, to) in [
        (
            "{group: gateway.envoyproxy.io",
            "{group: gateway.example.com",
        ),
        (", name: envoy, namespace: network}", ", name: envoy}"),
    ] {
        let (wrong, codes) = with_one(&front(from, to), ask).expect("the tools");
        assert_eq!(wrong, ("0.0.0.0".to_owned(), true), "{to}");
        assert_eq!(codes, ["reference/parameters"], "{to}");
    }
}

/// The controller, installed without a Redis.
const CONTROLLER: &str = "---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: envoy-gateway, namespace: network}
spec: {url: 'oci://docker.io/envoyproxy/gateway-helm', ref: {tag: v1.9.0}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec: {chartRef: {kind: OCIRepository, name: envoy-gateway}}
";

#[test]
fn a_global_rate_limit_needs_redis() {
    let one = gateway("one", &[HTTP.to_owned()]);
    let limit = "rateLimit: {global: {rules: [{limit: {requests: 1000, unit: Hour}}]}}";
    let limit = policy("BackendTrafficPolicy", limit);
    let text = format!(
        "{}{one}{}{limit}{CONTROLLER}",
        class(""),
        http_route("web", "one")
    );
    let status = |running: &mut Running<'_>| {
        let outcome = running.send(&Request::get("http://web.example.com/"));
        outcome.answer().status
    };
    let Some((status, codes)) = with_one(&text, status) else {
        return;
    };
    assert_eq!(status, 500);
    assert_eq!(codes, ["reference/rate-limit-service"]);
}
