//! Backends for HTTP/2 to which Envoy speaks HTTP/1.1.

use crate::lint::front::GATEWAY_API;
use crate::lint::reference::names::is_sure;
use crate::lint::{Applied, LintContext};
use envoy_gateway::read::{int, list, text};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "envoy"/"undeclared-protocol", Warning, "A backend for HTTP/2 to which Envoy speaks HTTP/1.1.",
    r#"
For an HTTPRoute, Envoy speaks HTTP/1.1 to the backend, unless the port of the Service has `appProtocol:
kubernetes.io/h2c`. A server for gRPC, or one that only speaks HTTP/2, closes such connections, and clients get 502 or
503. This is reported if the port is called `grpc`, or if its `appProtocol` means HTTP/2 to other programs, but not to
Envoy Gateway. A GRPCRoute needs nothing, because Envoy always speaks HTTP/2 for it.

## Wrong

```yaml
kind: Service
spec: { ports: [{ name: grpc, port: 9090 }] }
```

## Right

```yaml
kind: Service
spec: { ports: [{ name: grpc, port: 9090, appProtocol: kubernetes.io/h2c }] }
```
"#
}

/// Protocols that Envoy Gateway doesn't know, and that mean HTTP/2 elsewhere.
const NOT_KNOWN: [&str; 6] = [
    "h2",
    "h2c",
    "http2",
    "kubernetes.io/grpc",
    "kubernetes.io/h2",
    "kubernetes.io/http2",
];

/// Reports ports of Services for HTTP/2 that HTTPRoutes refer to.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let policies = context.of_kind(GATEWAY_API, "BackendTLSPolicy");
    let encrypted: Vec<Applied<'_>> = policies.collect();
    let mut found: Vec<Diagnostic> = Vec::new();
    for route in context.of_kind(GATEWAY_API, "HTTPRoute") {
        let rules = list(&route.object.node, &["spec", "rules"]).iter();
        for reference in rules.flat_map(|rule| list(rule, &["backendRefs"])) {
            let one = plain(context, &route, reference, &encrypted);
            found.extend(one.filter(|one| !found.contains(one)));
        }
    }
    found
}

fn plain(
    context: &LintContext<'_>,
    route: &Applied<'_>,
    reference: &Node,
    encrypted: &[Applied<'_>],
) -> Option<Diagnostic> {
    if text(reference, &["kind"]).is_some_and(|kind| kind != "Service") {
        return None;
    }
    let name = text(reference, &["name"])?;
    let namespace = text(reference, &["namespace"]).unwrap_or(route.object.namespace());
    let number = int(reference, &["port"])?;
    let of_name = context.named(name).filter(|it| {
        it.object.kind() == "Service"
            && it.object.group().is_empty()
            && it.object.namespace() == namespace
            && context.may_share_cluster(it.object, route.object)
    });
    let of_name: Vec<Applied<'_>> = of_name.collect();
    let [service] = of_name.as_slice() else {
        return None;
    };
    // Over TLS, the protocol is agreed on.
    let is_encrypted = encrypted.iter().any(|policy| {
        let targets = list(&policy.object.node, &["spec", "targetRefs"]).iter();
        let mut names = targets.filter_map(|it| text(it, &["name"]));
        policy.object.namespace() == namespace && names.any(|it| it == name)
    });
    if is_encrypted || !is_sure(context, service) {
        return None;
    }
    let ports = list(&service.object.node, &["spec", "ports"]).iter();
    let (at, port) = ports
        .enumerate()
        .find(|(_, port)| int(port, &["port"]) == Some(number))?;
    let place = Pointer::root().key("spec").key("ports").index(at);
    let (place, message) = match text(port, &["appProtocol"]) {
        Some(protocol) => {
            let lower = protocol.to_ascii_lowercase();
            NOT_KNOWN.contains(&lower.as_str()).then(|| {
                (
                    place.key("appProtocol"),
                    format!("Envoy Gateway doesn't know the protocol `{protocol}`"),
                )
            })?
        }
        None => {
            let title = text(port, &["name"])?;
            let is_grpc = title == "grpc" || title.starts_with("grpc-") && title != "grpc-web";
            is_grpc.then(|| {
                (
                    place,
                    format!("Envoy speaks HTTP/1.1 to the port `{title}` of Service {name}"),
                )
            })?
        }
    };
    Some(
        finding(CODE, service.object, &place, message)
            .related(
                route.object.place_to_change(&Pointer::root().key("metadata").key("name")),
                "the route that leads there",
            )
            .why("Envoy speaks HTTP/1.1 to the backend; a server that only speaks HTTP/2 closes the connection, and clients get 502 or 503")
            .help("write `appProtocol: kubernetes.io/h2c` for this port, or use a GRPCRoute"),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_port_for_grpc_has_its_protocol() {
        let says = |port: &str| {
            let text = format!(
                "apiVersion: v1
kind: Service
metadata: {{name: shop, namespace: shop}}
spec: {{ports: [{{port: 9090{port}}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: shop, namespace: shop}}
spec: {{rules: [{{backendRefs: [{{name: shop, port: 9090}}]}}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(says(", name: http"), [""; 0]);
        assert_eq!(
            says(", name: grpc, appProtocol: kubernetes.io/h2c"),
            [""; 0]
        );
        assert_eq!(
            says(", name: grpc"),
            [
                "warning envoy/undeclared-protocol /spec/ports/0: Envoy speaks HTTP/1.1 to the port `grpc` of Service shop"
            ]
        );
        assert_eq!(
            says(", name: http, appProtocol: h2c"),
            [
                "warning envoy/undeclared-protocol /spec/ports/0/appProtocol: Envoy Gateway doesn't know the protocol `h2c`"
            ]
        );
    }
}
