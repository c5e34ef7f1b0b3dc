//! Gateways, routes and policies for the tests of this group.

use super::cluster::check;
use super::no_redirect;
use crate::lint::support;
use manifest::diagnostic::Diagnostic;

/// A gateway with a listener for HTTP, and one for HTTPS that allows routes from all namespaces.
pub const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - name: https
      port: 443
      protocol: HTTPS
      hostname: \"*.example.com\"
      allowedRoutes: {namespaces: {from: All}}
      tls: {certificateRefs: [{name: example-com-tls}]}
";

/// A route of the namespace `apps`.
pub fn route(parent: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: app, namespace: apps}}
spec:
  parentRefs: [{{name: external, namespace: network, {parent}}}]
  {spec}
"
    )
}

/// A policy in the namespace of the gateway.
pub fn policy(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: {kind}
metadata: {{name: {name}, namespace: network}}
spec: {spec}
"
    )
}

/// The findings on manifests, each as `code pointer: message (help)`.
pub fn said(text: &str) -> Vec<String> {
    let found = support::found(check, "1.9.0", &[("a.yaml", text)]);
    // No test for other findings redirects plain HTTP.
    let found = found.iter().filter(|it| it.code != no_redirect::CODE);
    let line = |it: &Diagnostic| {
        let pointer = it.pointer.clone().unwrap_or_default();
        format!(
            "{} {pointer}: {} ({})",
            it.code,
            it.message,
            it.help.clone().unwrap_or_default()
        )
    };
    found.map(line).collect()
}

/// The findings on manifests, each as `severity code Kind pointer: message`.
pub fn graded(text: &str) -> Vec<String> {
    let found = support::found(check, "1.9.0", &[("a.yaml", text)]);
    let line = |it: &Diagnostic| {
        assert!(
            it.why.is_some() && it.help.is_some() && it.span.is_some(),
            "{it:?}"
        );
        let kind = it
            .object
            .as_ref()
            .map(|it| it.kind.clone())
            .unwrap_or_default();
        let pointer = it.pointer.clone().unwrap_or_default();
        format!(
            "{} {} {kind} {pointer}: {}",
            it.severity.as_str(),
            it.code,
            it.message
        )
    };
    found.iter().map(line).collect()
}

/// `external`, and a second gateway `internal` in the same namespace.
pub fn two_gateways() -> String {
    let internal = GATEWAY
        .replace("name: external", "name: internal")
        .replace("metadata: {", "metadata: {labels: {reach: lan}, ");
    format!("{GATEWAY}---{internal}")
}
