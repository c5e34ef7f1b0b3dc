//! Annotations for cert-manager where Envoy Gateway passes them on to the Service.

use crate::lint::LintContext;
use crate::lint::front::GATEWAY_API;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

manifest::code! {
    "reference"/"misplaced-annotation", Warning, "An annotation for cert-manager that only reaches the Service of a gateway.",
    r#"
cert-manager makes certificates for a Gateway whose own `metadata` has one of its annotations. Those in
`spec.infrastructure` are for the Service and the Pods that Envoy Gateway creates; cert-manager doesn't look at them, so
there is no certificate.

## Wrong

```yaml
kind: Gateway
spec:
  infrastructure:
    annotations: { cert-manager.io/cluster-issuer: letsencrypt }
```

## Right

```yaml
kind: Gateway
metadata:
  annotations: { cert-manager.io/cluster-issuer: letsencrypt }
```
"#
}

/// The annotations by which cert-manager makes certificates.
const ISSUERS: [&str; 2] = ["cert-manager.io/cluster-issuer", "cert-manager.io/issuer"];

/// Reports such annotations in `spec.infrastructure`.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let gateways = context.of_kind(GATEWAY_API, "Gateway");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in gateways.filter_map(|gateway| misplaced(gateway.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn misplaced(gateway: &Object) -> Option<Diagnostic> {
    let path = ["spec", "infrastructure", "annotations"];
    let there = gateway.node.path(&path).and_then(Node::as_map)?;
    let own = gateway.node.path(&["metadata", "annotations"]);
    let mut keys = there.iter().map(|(key, _)| key);
    let key = keys.find(|key| ISSUERS.contains(key))?;
    if own.is_some_and(|it| ISSUERS.iter().any(|key| it.get(key).is_some())) {
        return None;
    }
    let place = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
    let message = format!("cert-manager doesn't read `{key}` in `spec.infrastructure`");
    Some(
        finding(CODE, gateway, &place.key(key), message)
            .why("it makes no certificate for the gateway, so the HTTPS listeners don't work")
            .help("move it to `metadata.annotations` of the Gateway"),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn cert_manager_reads_the_metadata_of_a_gateway() {
        let says = |own: &str, passed_on: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: a, namespace: network, annotations: {{{own}}}}}
spec: {{infrastructure: {{annotations: {{{passed_on}}}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        let issuer = "cert-manager.io/cluster-issuer: le";
        assert_eq!(
            says("", issuer),
            [
                "warning reference/misplaced-annotation /spec/infrastructure/annotations/cert-manager.io~1cluster-issuer: cert-manager doesn't read `cert-manager.io/cluster-issuer` in `spec.infrastructure`"
            ]
        );
        assert_eq!(says(issuer, ""), [""; 0]);
        assert_eq!(says(issuer, issuer), [""; 0]);
    }
}
