//! Annotations for DNS records on Gateways, which external-dns only reads on routes.

use std::collections::BTreeSet;

use super::annotations::annotations;
use crate::lint::LintContext;
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "dns"/"annotation-on-gateway", Warning, "An annotation for DNS records on a Gateway, which external-dns only reads on routes.",
    r#"
For the records of routes, external-dns reads only the annotation `target` from the Gateway (or ListenerSet). All
others, such as `cloudflare-proxied` and `ttl`, are read from the route. On the Gateway they are ignored, so records
may be published without the proxy that is meant to protect them. Annotate the routes, or set the default of
external-dns itself, for example `--cloudflare-proxied`.

## Wrong

```yaml
kind: Gateway
metadata:
  annotations:
    external-dns.kubernetes.io/cloudflare-proxied: "true"
```

## Right

```yaml
kind: HTTPRoute
metadata:
  annotations:
    external-dns.kubernetes.io/cloudflare-proxied: "true"
```
"#
}

/// The annotations that are only read from routes.
const OF_ROUTES: [&str; 6] = [
    "cloudflare-custom-hostname",
    "cloudflare-proxied",
    "cloudflare-region-key",
    "cloudflare-tags",
    "set-identifier",
    "ttl",
];

/// Reports annotations of routes on Gateways and ListenerSets.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for one in annotations(context) {
        let is_parent = matches!(one.kind, "Gateway" | "ListenerSet");
        if !is_parent || !OF_ROUTES.contains(&one.name.as_str()) {
            continue;
        }
        // An object that is annotated with both prefixes has one mistake.
        if !told.insert((
            one.object.file.as_str(),
            one.object.name(),
            one.name.clone(),
        )) {
            continue;
        }
        let message = format!(
            "external-dns doesn't read `{}{}` on {}s",
            one.prefix, one.name, one.kind
        );
        found.push(
            finding(CODE, one.object, &one.pointer, message)
                .why("the records of its routes are published as if the annotation were not there")
                .help(
                    "annotate the routes instead, or set the default in the values of external-dns",
                ),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn only_the_target_is_read_from_a_gateway() {
        let says = |kind: &str, annotation: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: a, namespace: network, annotations: {{{annotation}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        let proxied = "external-dns.kubernetes.io/cloudflare-proxied: 'true'";
        assert_eq!(
            says("Gateway", proxied),
            [
                "warning dns/annotation-on-gateway /metadata/annotations/external-dns.kubernetes.io~1cloudflare-proxied: external-dns doesn't read `external-dns.kubernetes.io/cloudflare-proxied` on Gateways"
            ]
        );
        assert_eq!(says("HTTPRoute", proxied), [""; 0]);
        let target = "external-dns.kubernetes.io/target: a.example.com";
        assert_eq!(says("Gateway", target), [""; 0]);
    }
}
