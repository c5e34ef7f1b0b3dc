//! Misspelt annotations, which nothing reads.

use std::collections::BTreeSet;

use crate::lint::LintContext;
use crate::lint::field;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::{misspelt, slip};
use manifest::finding_on_key;
use manifest::value::pointer::Step;
use manifest::value::variable;

manifest::code! {
    "reference"/"misspelt-annotation", Warning, "An annotation that is nearly one that a controller reads.",
    r#"
The API server takes any annotation. With a misspelt key no controller reads it: a load balancer gets another address,
external-dns makes no record, or cert-manager no certificate. The annotations of Cilium's address management,
external-dns and cert-manager are compared.

## Wrong

```yaml
annotations: { lbipam.cilum.io/ips: 10.10.30.2 }
```

## Right

```yaml
annotations: { lbipam.cilium.io/ips: 10.10.30.2 }
```
"#
}

const OF_EXTERNAL_DNS: &str = "hostname internal-hostname target ttl controller access endpoints-type alias ingress-hostname-source \
    gateway-hostname-source cloudflare-proxied cloudflare-tags cloudflare-custom-hostname cloudflare-region-key \
    cloudflare-record-comment set-identifier record-type ingress resource";

/// The prefixes of annotations, and the names that a controller reads after them.
const KNOWN: &[(&str, &str)] = &[
    (
        "lbipam.cilium.io",
        "ips sharing-key sharing-cross-namespace",
    ),
    (
        "io.cilium",
        "lb-ipam-ips lb-ipam-sharing-key lb-ipam-sharing-cross-namespace",
    ),
    ("external-dns.kubernetes.io", OF_EXTERNAL_DNS),
    ("external-dns.alpha.kubernetes.io", OF_EXTERNAL_DNS),
    (
        "cert-manager.io",
        "cluster-issuer issuer issuer-kind issuer-group common-name duration renew-before private-key-algorithm \
         private-key-size private-key-encoding private-key-rotation-policy usages alt-names ip-sans uri-sans email-sans \
         revision-history-limit subject-organizations secret-template inject-ca-from inject-ca-from-secret \
         inject-apiserver-ca allow-direct-injection certificate-name issue-temporary-certificate",
    ),
];

/// Reports annotations whose prefix or name is misspelt.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for one in context.all() {
        for place in field::find(&one.object.node, "**.annotations.*") {
            let Some(Step::Key(key)) = place.steps().last() else {
                continue;
            };
            let Some(meant) = meant(key).filter(|_| !variable::in_text(key)) else {
                continue;
            };
            if !told.insert((one.object.file.as_str(), one.at, place.to_string())) {
                continue;
            }
            let message = format!("nothing reads the annotation `{key}`");
            found.push(
                finding_on_key(CODE, one.object, &place, message)
                    .why("annotations with another key are ignored without a word")
                    .help(format!("write `{meant}`")),
            );
        }
    }
    found
}

/// The annotation that a misspelt one is meant to be.
fn meant(key: &str) -> Option<String> {
    let (prefix, name) = key.split_once('/')?;
    if let Some((prefix, names)) = KNOWN.iter().find(|(known, _)| *known == prefix) {
        // Another rule knows all annotations of Cilium's prefixes.
        let mut names = names.split_whitespace();
        let is_known = prefix.contains("cilium") || names.clone().any(|it| it == name);
        let near = misspelt(name, names.by_ref()).filter(|_| !is_known)?;
        return Some(format!("{prefix}/{near}"));
    }
    let near = KNOWN.iter().find(|(known, names)| {
        slip(prefix, [*known]).is_some() && names.split_whitespace().any(|it| it == name)
    });
    near.map(|(prefix, _)| format!("{prefix}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn annotations_that_are_nearly_right_are_told() {
        let with = |key: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: external, namespace: network}}
spec: {{infrastructure: {{annotations: {{'{key}': a}}}}, listeners: []}}
"
            );
            let found = told(check, "1.9.0", &[("a.yaml", &text)]);
            let place = "warning reference/misspelt-annotation /spec/infrastructure/annotations/";
            let short = |one: &String| one.replace(place, "");
            found.iter().map(short).collect::<Vec<_>>()
        };
        assert_eq!(
            with("lbipam.cilum.io/ips"),
            ["lbipam.cilum.io~1ips: nothing reads the annotation `lbipam.cilum.io/ips`"]
        );
        assert_eq!(
            with("external-dns.kubernetes.io/hostnme"),
            [
                "external-dns.kubernetes.io~1hostnme: nothing reads the annotation `external-dns.kubernetes.io/hostnme`"
            ]
        );
        for right in [
            "lbipam.cilium.io/ips",
            "external-dns.alpha.kubernetes.io/hostname",
            "external-dns.alpha.kubernetes.io/webhook-a",
            "example.com/ips",
            "hostname",
        ] {
            assert_eq!(with(right), [""; 0], "{right}");
        }
    }
}
