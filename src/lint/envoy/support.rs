//! Gateways and routes for the tests of this group.

/// A class of Envoy Gateway.
pub(crate) const CLASS: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
";

/// A gateway with an HTTPS listener for a domain, and one that passes TLS through for a name in it.
pub(crate) const TLS: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: internal, namespace: network}
spec:
  gatewayClassName: envoy
  listeners:
    - {name: https, port: 443, hostname: \"*.example.com\", protocol: HTTPS, tls: {certificateRefs: [{name: a-tls}]}}
    - {name: vault, port: 443, hostname: vault.example.com, protocol: TLS, tls: {mode: Passthrough}}
";

/// A TLSRoute for the name that [`TLS`] passes through.
pub(crate) fn tls_route(name: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {{name: {name}, namespace: network}}
spec:
  hostnames: [vault.example.com]
  parentRefs: [{{name: internal, sectionName: vault}}]
  rules: [{{backendRefs: [{{name: vault, port: 8200}}]}}]
"
    )
}

/// A line of a Gateway's list of listeners.
pub(crate) fn https(name: &str, hostname: &str, secret: &str) -> String {
    format!(
        "    - {{name: {name}, port: 443, hostname: {hostname}, protocol: HTTPS, tls: {{certificateRefs: [{{name: {secret}}}]}}}}\n"
    )
}

/// A Gateway of [`CLASS`] with these listeners, and with these other lines of its `spec`.
pub(crate) fn gateway(spec: &str, listeners: &[String]) -> String {
    let listeners = listeners.concat();
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: internal, namespace: network}}
spec:
  gatewayClassName: envoy
{spec}  listeners:
{listeners}"
    )
}
