//! Certificates whose issuer is not among the given ones.

use super::names::is_sure;
use crate::lint::front::{GATEWAY_API, text};
use crate::lint::{Applied, LintContext};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "reference"/"unknown-issuer", Warning, "A Certificate or Gateway whose issuer has another name or kind.",
    r#"
`issuerRef` of a Certificate names an Issuer in its own namespace, or with `kind: ClusterIssuer` one of the cluster. A
Gateway names one with the annotation `cert-manager.io/issuer` or `cert-manager.io/cluster-issuer`. If there is none,
cert-manager issues nothing, the Secret stays missing, and the listener that uses it stays closed. This is reported if
there is an issuer with a similar name, or one of the other kind with this name.

## Wrong

```yaml
kind: ClusterIssuer
metadata: {name: letsencrypt}
---
kind: Certificate
spec: {issuerRef: {name: letsencrypt}}
```

## Right

```yaml
kind: ClusterIssuer
metadata: {name: letsencrypt}
---
kind: Certificate
spec: {issuerRef: {kind: ClusterIssuer, name: letsencrypt}}
```
"#
}

const CERT_MANAGER: &str = "cert-manager.io";

/// Reports Certificates without an issuer.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let issuers: Vec<Applied<'_>> = ["Issuer", "ClusterIssuer"]
        .into_iter()
        .flat_map(|kind| context.of_kind(CERT_MANAGER, kind))
        .collect();
    let certificates = context.of_kind(CERT_MANAGER, "Certificate");
    let mut found: Vec<Diagnostic> = certificates
        .filter_map(|certificate| {
            let field = |key: &str| text(certificate.object, &["spec", "issuerRef", key]);
            let wanted = Wanted {
                kind: match field("kind") {
                    "" => "Issuer",
                    kind => kind,
                },
                name: field("name"),
                group: field("group"),
                place: Pointer::root().key("spec").key("issuerRef").key("name"),
            };
            unknown(context, &issuers, &certificate, wanted)
        })
        .collect();
    for kind in ["Gateway", "ListenerSet"] {
        for owner in context.of_kind(GATEWAY_API, kind) {
            for (key, kind) in ANNOTATIONS {
                let path = ["metadata", "annotations", key];
                let wanted = Wanted {
                    kind,
                    name: text(owner.object, &path),
                    group: text(owner.object, &["metadata", "annotations", GROUP]),
                    place: path.iter().fold(Pointer::root(), |at, key| at.key(*key)),
                };
                found.extend(unknown(context, &issuers, &owner, wanted));
            }
        }
    }
    found
}

/// The annotations by which cert-manager makes the certificates of a Gateway, and the kinds of issuers that they name.
const ANNOTATIONS: [(&str, &str); 2] = [
    ("cert-manager.io/cluster-issuer", "ClusterIssuer"),
    ("cert-manager.io/issuer", "Issuer"),
];

/// The annotation with the group of an issuer that is not cert-manager's own.
const GROUP: &str = "cert-manager.io/issuer-group";

/// An issuer that an object names.
struct Wanted<'n> {
    kind: &'n str,
    name: &'n str,
    group: &'n str,
    place: Pointer,
}

fn unknown(
    context: &LintContext<'_>,
    issuers: &[Applied<'_>],
    certificate: &Applied<'_>,
    wanted: Wanted<'_>,
) -> Option<Diagnostic> {
    let object = certificate.object;
    let Wanted {
        kind, name, group, ..
    } = wanted;
    let is_known = |text: &str| !text.is_empty() && !variable::in_text(text);
    if !is_known(name)
        || !matches!(group, "" | CERT_MANAGER)
        || !matches!(kind, "Issuer" | "ClusterIssuer")
        || !is_sure(context, certificate)
    {
        return None;
    }
    let near = issuers
        .iter()
        .filter(|it| context.may_share_cluster(it.object, object));
    let near: Vec<&Applied> = near.collect();
    let is_reachable = |it: &&&Applied<'_>| {
        let namespace = it.object.namespace();
        let is_there = namespace == object.namespace() || !is_known(namespace);
        it.object.kind() == kind && (kind == "ClusterIssuer" || is_there)
    };
    let reachable: Vec<&str> = near
        .iter()
        .filter(is_reachable)
        .map(|it| it.object.name())
        .collect();
    if reachable.iter().any(|it| *it == name || !is_known(it)) {
        return None;
    }
    let other = near.iter().find(|it| it.object.name() == name);
    let help = match (other, nearest(name, reachable.iter().copied())) {
        (Some(other), _) if other.object.kind() != kind => {
            let other = other.object.kind();
            let annotation = ANNOTATIONS.iter().find(|(_, its)| *its == other);
            match annotation.filter(|_| object.kind() != "Certificate") {
                Some((annotation, _)) => format!("use the annotation `{annotation}`"),
                None => format!("write `kind: {other}`"),
            }
        }
        (Some(other), _) => format!(
            "the Issuer is in the namespace {}; use a ClusterIssuer, or an Issuer beside the Certificate",
            other.object.namespace()
        ),
        (None, Some(near)) => format!("write `{near}`"),
        (None, None) => return None,
    };
    let message = format!(
        "there is no {kind} `{name}` for the {} {}",
        object.kind(),
        object.name()
    );
    Some(
        finding(CODE, object, &wanted.place, message)
            .why("cert-manager issues nothing, so the Secret stays missing, and listeners that use it stay closed")
            .help(help),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn the_issuer_has_the_name_and_the_kind() {
        let says = |reference: &str| {
            let text = format!(
                "apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {{name: letsencrypt}}
spec: {{selfSigned: {{}}}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: a, namespace: network}}
spec: {{secretName: a, dnsNames: [a.example.com], issuerRef: {{{reference}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            says("name: letsencrypt"),
            [
                "warning reference/unknown-issuer /spec/issuerRef/name: there is no Issuer `letsencrypt` for the Certificate a"
            ]
        );
        assert_eq!(
            says("kind: ClusterIssuer, name: letsencypt"),
            [
                "warning reference/unknown-issuer /spec/issuerRef/name: there is no ClusterIssuer `letsencypt` for the Certificate a"
            ]
        );
        for right in [
            "kind: ClusterIssuer, name: letsencrypt",
            "kind: ClusterIssuer, name: internal-ca",
            "group: awspca.cert-manager.io, kind: AWSPCAClusterIssuer, name: a",
        ] {
            assert_eq!(says(right), [""; 0], "{right}");
        }
    }
}
