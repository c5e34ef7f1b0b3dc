//! Tests each fact with the smallest objects that show it.

use super::filter_chains::{Source, clashes};
use super::http2::without_http2;
use super::http3::{Reason, without_http3};
use super::ip_family::unanswered_addresses;
use super::parameters::{Parameters, wrong_parameters};
use crate::view::Resolved;
use crate::{Settings, resolve};
use flux_repo::fixture::tree;

const CLASS: &str = "
# class.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
";

/// Resolves these files together with a class, and asks something of the result.
fn look<T>(files: &str, ask: impl Fn(&Resolved<'_>) -> T) -> T {
    let tree = tree(&format!("{CLASS}{files}"));
    ask(&resolve(&tree.objects, &Settings::default()))
}

fn gateway(name: &str, listeners: &str) -> String {
    format!(
        "
# {name}.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: network}}
spec: {{gatewayClassName: envoy, listeners: [{listeners}]}}
"
    )
}

fn tls_route(name: &str, hostnames: &str) -> String {
    format!(
        "
# {name}.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {{name: {name}, namespace: network}}
spec:
  parentRefs: [{{name: one}}]
  hostnames: [{hostnames}]
  rules: [{{backendRefs: [{{name: {name}, port: 443}}]}}]
"
    )
}

fn client_policy(spec: &str) -> String {
    format!(
        "
# policy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {{name: one, namespace: network}}
spec: {{targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: one}}], {spec}}}
"
    )
}

const HTTPS: &str =
    "{name: https, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: certificate}]}}";
const WEB: &str = "{name: web, protocol: HTTPS, port: 443, hostname: web.example.com, \
     tls: {certificateRefs: [{name: certificate}]}}";
const VAULT: &str = "{name: vault, protocol: TLS, port: 443, hostname: vault.example.com, tls: {mode: Passthrough}}";
const ANY: &str =
    "{name: any, protocol: TLS, port: 443, hostname: '*.example.com', tls: {mode: Passthrough}}";

/// The sources of the second chain of each clash, with the name.
fn found(files: &str) -> Vec<(Source, Option<String>)> {
    look(files, |resolved| {
        let clashes = clashes(resolved).into_iter();
        clashes.map(|it| (it.second.source, it.name)).collect()
    })
}

#[test]
fn a_tls_listener_without_a_route_takes_all_names() {
    let beside = |listeners: &str| found(&gateway("one", listeners));
    assert_eq!(
        beside(&format!("{HTTPS}, {VAULT}")),
        [(Source::Empty, None)]
    );
    assert_eq!(beside(&format!("{WEB}, {VAULT}")), []);
    assert_eq!(beside(&format!("{ANY}, {VAULT}")), []);
    assert_eq!(beside(&format!("{HTTPS}, {ANY}, {VAULT}")).len(), 1);
}

#[test]
fn a_tls_listener_with_a_route_takes_the_names_of_the_route() {
    let files = gateway("one", &format!("{HTTPS}, {VAULT}"));
    assert_eq!(
        found(&format!("{files}{}", tls_route("a", "vault.example.com"))),
        []
    );
}

#[test]
fn two_routes_for_one_name_clash() {
    let files = gateway("one", ANY);
    let first = tls_route("a", "a.example.com, vault.example.com");
    let files = format!("{files}{first}{}", tls_route("b", "vault.example.com"));
    let clashes = found(&files);
    assert!(matches!(
        clashes.as_slice(),
        [(Source::Route(_), Some(name))] if name == "vault.example.com"
    ));
}

#[test]
fn a_route_for_a_wildcard_and_one_for_a_name_below_it_do_not_clash() {
    let files = gateway("one", ANY);
    let files = format!("{files}{}", tls_route("a", "'*.example.com'"));
    assert_eq!(
        found(&format!("{files}{}", tls_route("b", "vault.example.com"))),
        []
    );
}

#[test]
fn http3_is_lost_with_the_proxy_protocol_and_with_client_certificates() {
    let reasons = |spec: &str| {
        let files = format!("{}{}", gateway("one", HTTPS), client_policy(spec));
        look(&files, |resolved| {
            let all = without_http3(resolved).into_iter();
            all.map(|it| it.reason).collect::<Vec<_>>()
        })
    };
    assert_eq!(
        reasons("http3: {}, proxyProtocol: {}"),
        [Reason::ProxyProtocol]
    );
    assert_eq!(
        reasons("http3: {}, enableProxyProtocol: true"),
        [Reason::ProxyProtocol]
    );
    let validation = "tls: {clientValidation: {caCertificateRefs: [{name: ca}]}}";
    let both = format!("http3: {{}}, {validation}");
    assert_eq!(reasons(&both), [Reason::ClientCertificates]);
    assert_eq!(reasons("http3: {}"), []);
    assert_eq!(reasons("proxyProtocol: {}"), []);
}

#[test]
fn listeners_that_share_a_certificate_have_no_http2() {
    let count = |files: &str| look(files, |resolved| without_http2(resolved).len());
    let shared = gateway("one", &format!("{HTTPS}, {WEB}"));
    assert_eq!(count(&shared), 2);
    assert_eq!(count(&gateway("one", HTTPS)), 0);
    let chosen = client_policy("tls: {alpnProtocols: [h2, http/1.1]}");
    assert_eq!(count(&format!("{shared}{chosen}")), 0);
    let elsewhere = WEB.replace("443", "8443");
    assert_eq!(count(&gateway("one", &format!("{HTTPS}, {elsewhere}"))), 0);
}

#[test]
fn an_address_of_the_other_family_is_not_answered() {
    let addresses = |settings: &str| {
        let gateway = gateway("one", HTTPS).replace(
            "spec: {",
            "spec: {infrastructure: {annotations: {lbipam.cilium.io/ips: '10.0.0.1,fd00::1'}, \
             parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy}}, ",
        );
        let proxy = format!(
            "
# proxy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: envoy, namespace: network}}
spec: {{{settings}}}
"
        );
        look(&format!("{gateway}{proxy}"), |resolved| {
            let all = unanswered_addresses(resolved).into_iter();
            all.map(|it| it.address.to_string()).collect::<Vec<_>>()
        })
    };
    assert_eq!(addresses(""), ["fd00::1"]);
    assert_eq!(addresses("ipFamily: IPv6"), ["10.0.0.1"]);
    assert_eq!(addresses("ipFamily: DualStack"), [""; 0]);
}

#[test]
fn a_class_refers_to_an_envoy_proxy_with_its_namespace() {
    let found = |reference: &str, settings: &str, mode: bool| {
        let files = format!(
            "
# class.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy}}
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: {{kind: EnvoyProxy, name: envoy, {reference}}}

# proxy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: envoy, namespace: network}}
spec: {{{settings}}}
"
        );
        let tree = tree(&files);
        let resolved = resolve(&tree.objects, &Settings::default());
        let all = wrong_parameters(&resolved, |_| mode).into_iter();
        all.map(|(_, it)| it).collect::<Vec<_>>()
    };
    let right = "group: gateway.envoyproxy.io, namespace: network";
    let elsewhere = "group: gateway.example.com, namespace: network";
    assert_eq!(found(elsewhere, "", true), [Parameters::NoEnvoyProxy]);
    let without = "group: gateway.envoyproxy.io";
    assert_eq!(found(without, "", true), [Parameters::WithoutNamespace]);
    let merging = "mergeGateways: true";
    assert_eq!(
        found(right, merging, true),
        [Parameters::MergesInGatewayNamespace]
    );
    assert_eq!(found(right, merging, false), []);
    assert_eq!(found(right, "", true), []);
}
