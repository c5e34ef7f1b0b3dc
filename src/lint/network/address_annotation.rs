//! Annotations for addresses that nothing reads, or that contain no address.

use std::collections::BTreeSet;

use crate::lint::LintContext;
use crate::lint::front::{ENVOY_GATEWAY, GATEWAY_API};
use envoy_gateway::address::ANNOTATIONS;
use envoy_gateway::proxies::Controller;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::value::pointer::Step;
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "network"/"address-annotation", Warning, "An annotation for an address that nothing reads.",
    r#"
The address of a load balancer is requested with an annotation of its Service. Envoy Gateway makes the Service, and
gives it the annotations in `spec.infrastructure.annotations` of the Gateway or in `envoyService.annotations` of the
EnvoyProxy, but not those in `metadata.annotations` of the Gateway. An annotation in the wrong place, with a misspelt
key, or with a value that is no address is ignored, and the Service gets any address of the pool, or none.

## Wrong

```yaml
kind: Gateway
metadata:
  annotations: {lbipam.cilium.io/ips: 10.10.30.2}
```

## Right

```yaml
kind: Gateway
spec:
  infrastructure:
    annotations: {lbipam.cilium.io/ips: 10.10.30.2}
```
"#
}

/// The beginnings of the keys that Cilium's address management reads, and the keys.
const OF_CILIUM: &[(&str, &[&str])] = &[
    (
        "lbipam.cilium.io/",
        &[
            "lbipam.cilium.io/ips",
            "lbipam.cilium.io/sharing-key",
            "lbipam.cilium.io/sharing-cross-namespace",
        ],
    ),
    (
        "io.cilium/lb-ipam",
        &[
            "io.cilium/lb-ipam-ips",
            "io.cilium/lb-ipam-sharing-key",
            "io.cilium/lb-ipam-sharing-cross-namespace",
        ],
    ),
];

const WHY: &str = "the annotation is ignored, so the Service gets any address of the pool, or none";

/// Where the annotations of Services are written: group, kind and path.
const PLACES: &[(&str, &str, &[&str])] = &[
    ("", "Service", &["metadata", "annotations"]),
    (
        GATEWAY_API,
        "Gateway",
        &["spec", "infrastructure", "annotations"],
    ),
    (
        ENVOY_GATEWAY,
        "EnvoyProxy",
        &[
            "spec",
            "provider",
            "kubernetes",
            "envoyService",
            "annotations",
        ],
    ),
];

/// Reports such annotations.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (group, kind, path) in PLACES {
        for one in context.of_kind(group, kind) {
            found.extend(unknown_keys(one.object, path));
        }
    }
    for front in context.fronts() {
        if front.controller == Controller::EnvoyGateway {
            found.extend(on_gateway(front.gateway.object));
        }
    }
    let mut told = BTreeSet::new();
    for request in context.address_requests() {
        let is_open = variable::in_text(&request.text) || request.text.contains("{{");
        let key = request.pointer.steps().last();
        let is_annotation = ANNOTATIONS
            .iter()
            .any(|it| key == Some(&Step::Key(it.key.to_owned())));
        let place = (
            request.object.file.as_str(),
            request.pointer.to_string(),
            request.text.as_str(),
        );
        if request.address.is_none() && is_annotation && !is_open && told.insert(place) {
            let message = format!("`{}` is not an IP address", request.text);
            found.push(
                finding(CODE, request.object, &request.pointer, message)
                    .why(WHY)
                    .help("write one or more IP addresses, separated by commas"),
            );
        }
    }
    let mut different: Vec<Diagnostic> = Vec::new();
    for one in found {
        if !different.contains(&one) {
            different.push(one);
        }
    }
    different
}

fn keys<'n>(object: &'n Object, path: &[&str]) -> impl Iterator<Item = &'n str> + use<'n> {
    let map = object.node.path(path).and_then(Node::as_map).into_iter();
    map.flat_map(|map| map.iter().map(|(key, _)| key))
}

fn at(path: &[&str], key: &str) -> Pointer {
    let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
    pointer.key(key)
}

/// Keys that look like those of Cilium, but are not.
fn unknown_keys(object: &Object, path: &[&str]) -> Vec<Diagnostic> {
    let found = keys(object, path).filter_map(|key| {
        let (_, known) = OF_CILIUM.iter().find(|(start, _)| key.starts_with(start))?;
        if known.contains(&key) || variable::in_text(key) {
            return None;
        }
        let message = format!("Cilium has no annotation `{key}`");
        let help = match nearest(key, known.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None => format!("use one of {}", known.join(", ")),
        };
        Some(
            finding(CODE, object, &at(path, key), message)
                .why(WHY)
                .help(help),
        )
    });
    found.collect()
}

/// Annotations of the Gateway itself, which its Service doesn't get.
fn on_gateway(gateway: &Object) -> Vec<Diagnostic> {
    let path = ["metadata", "annotations"];
    let below = ["spec", "infrastructure", "annotations"];
    let found = keys(gateway, &path).filter_map(|key| {
        ANNOTATIONS.iter().find(|it| it.key == key)?;
        if keys(gateway, &below).any(|it| it == key) {
            return None;
        }
        let message = format!("the gateway's Service doesn't get the annotation `{key}`");
        Some(
            finding(CODE, gateway, &at(&path, key), message)
                .why(WHY)
                .help("move it to `spec.infrastructure.annotations`"),
        )
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn annotations_for_addresses_are_where_they_are_read() {
        let with = |metadata: &str, below: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy}}
spec: {{controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: external, namespace: network, annotations: {{{metadata}}}}}
spec: {{gatewayClassName: envoy, infrastructure: {{annotations: {{{below}}}}}, listeners: []}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        for right in [
            "lbipam.cilium.io/ips: 10.10.30.2",
            "lbipam.cilium.io/ips: '10.10.30.2,fd00::2'",
            "lbipam.cilium.io/ips: '${ADDRESS}'",
        ] {
            assert_eq!(with("a: b", right), [""; 0], "{right}");
        }
        let place = "warning network/address-annotation /spec/infrastructure/annotations";
        assert_eq!(
            with("", "lbipam.cilium.io/ip: 10.10.30.2"),
            [format!(
                "{place}/lbipam.cilium.io~1ip: Cilium has no annotation `lbipam.cilium.io/ip`"
            )]
        );
        assert_eq!(
            with("", "lbipam.cilium.io/ips: 10.10.30.300"),
            [format!(
                "{place}/lbipam.cilium.io~1ips: `10.10.30.300` is not an IP address"
            )]
        );
        assert_eq!(
            with("lbipam.cilium.io/ips: 10.10.30.2", ""),
            [
                "warning network/address-annotation /metadata/annotations/lbipam.cilium.io~1ips: the gateway's Service doesn't get the annotation `lbipam.cilium.io/ips`"
            ]
        );
    }
}
