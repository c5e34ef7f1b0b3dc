//! Targets of DNS records on routes.

use std::collections::BTreeSet;

use super::annotations::annotations;
use crate::lint::LintContext;
use envoy_gateway::RouteKind;
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "dns"/"target-on-route", Warning, "A target for DNS records on a route, which external-dns doesn't read.",
    r#"
The annotation `target` decides where the DNS records of routes point to. external-dns reads it from the
Gateway (or ListenerSet) to which the route is attached, and never from the route itself. The records of this
route have the target of its gateway, or the gateway's address. Annotate the gateway, use another gateway for
this route, or write a DNSEndpoint for the name and exclude the route with the annotation `controller: none`.

## Wrong

```yaml
kind: HTTPRoute
metadata:
  annotations:
    external-dns.kubernetes.io/target: cdn.example.com
```

## Right

```yaml
kind: Gateway
metadata:
  annotations:
    external-dns.kubernetes.io/target: cdn.example.com
```
"#
}

/// Reports the annotation `target` on routes.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for one in annotations(context) {
        let is_route = RouteKind::parse(one.kind).is_some();
        if !is_route || one.name != "target" {
            continue;
        }
        let place = one.pointer.to_string();
        let whole = place
            .rsplit_once('/')
            .map_or("", |(whole, _)| whole)
            .to_owned();
        // An object that is annotated with both prefixes has one mistake.
        if one.has_both
            && !told.insert((
                one.object.file.clone(),
                one.object.identity().to_string(),
                whole,
            ))
        {
            continue;
        }
        let message = format!(
            "external-dns doesn't read `{}{}` on {} routes",
            one.prefix, one.name, one.kind
        );
        let message = message.replace("Route routes", "Routes");
        found.push(
            finding(CODE, one.object, &one.pointer, message)
                .why("the DNS records of the route have the target of its gateway, or the gateway's address")
                .help("annotate the Gateway instead, or remove the annotation"),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told;

    #[test]
    fn a_target_is_read_from_gateways_alone() {
        let says = |kind: &str, key: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: a, namespace: b, annotations: {{external-dns.kubernetes.io/{key}: x.example.com}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            says("HTTPRoute", "target"),
            [
                "warning dns/target-on-route /metadata/annotations/external-dns.kubernetes.io~1target: external-dns doesn't read `external-dns.kubernetes.io/target` on HTTPRoutes"
            ]
        );
        assert_eq!(says("Gateway", "target"), [""; 0]);
        assert_eq!(says("HTTPRoute", "hostname"), [""; 0]);
    }
}
