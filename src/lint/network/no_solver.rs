//! Hostnames for which an issuer has no solver.

use crate::lint::front::GATEWAY_API;
use crate::lint::reference::names::is_sure;
use crate::lint::{Applied, LintContext};
use envoy_gateway::read::{has, list, text};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "network"/"no-solver", Error, "A hostname for which an ACME issuer has no solver.",
    r#"
A solver of an ACME issuer may be for some names only: `dnsZones` are domains with everything below them, `dnsNames` are
single names, and a solver with `matchLabels` is for Certificates with these labels. No solver of the issuer is for this
hostname, so cert-manager can't prove that it is yours, and the certificate is never issued.

## Wrong

```yaml
kind: ClusterIssuer
spec: { acme: { solvers: [{ selector: { dnsZones: [example.org] }, dns01: {} }] } }
---
kind: Certificate
spec: { dnsNames: [shop.example.com] }
```

## Right

```yaml
kind: ClusterIssuer
spec: { acme: { solvers: [{ selector: { dnsZones: [example.org, example.com] }, dns01: {} }] } }
```
"#
}

const CERT_MANAGER: &str = "cert-manager.io";

/// A certificate that is asked for: its object, the issuer's kind and name, and the hostnames with their places.
struct Wanted<'a> {
    of: Applied<'a>,
    issuer: (&'a str, &'a str),
    hostnames: Vec<(Pointer, &'a str)>,
}

/// Reports the first hostname of each object that no solver is for.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let certificates = context.of_kind(CERT_MANAGER, "Certificate");
    let gateways = context.of_kind(GATEWAY_API, "Gateway");
    let all = certificates.filter_map(of_certificate);
    let all = all.chain(gateways.filter_map(of_gateway));
    all.filter_map(|wanted| unsolved(context, &wanted))
        .collect()
}

fn of_certificate(of: Applied<'_>) -> Option<Wanted<'_>> {
    let node = &of.object.node;
    let name = text(node, &["spec", "issuerRef", "name"])?;
    let kind = text(node, &["spec", "issuerRef", "kind"]).unwrap_or("Issuer");
    let place = Pointer::root().key("spec").key("dnsNames");
    let names = list(node, &["spec", "dnsNames"]).iter().enumerate();
    let names = names.filter_map(|(at, it)| Some((place.index(at), it.as_str()?)));
    Some(Wanted {
        of,
        issuer: (kind, name),
        hostnames: names.collect(),
    })
}

fn of_gateway(of: Applied<'_>) -> Option<Wanted<'_>> {
    let annotations = of.object.node.path(&["metadata", "annotations"])?;
    let named = |key: &str| annotations.get(key).and_then(Node::as_str);
    let cluster = named("cert-manager.io/cluster-issuer").map(|name| ("ClusterIssuer", name));
    let own = named("cert-manager.io/issuer").map(|name| ("Issuer", name));
    let place = Pointer::root().key("spec").key("listeners");
    let listeners = list(&of.object.node, &["spec", "listeners"])
        .iter()
        .enumerate();
    let names = listeners.filter_map(|(at, it)| {
        let hostname = text(it, &["hostname"])?;
        let has_certificate = !list(it, &["tls", "certificateRefs"]).is_empty();
        has_certificate.then(|| (place.index(at).key("hostname"), hostname))
    });
    Some(Wanted {
        issuer: cluster.or(own)?,
        hostnames: names.collect(),
        of,
    })
}

fn unsolved(context: &LintContext<'_>, wanted: &Wanted<'_>) -> Option<Diagnostic> {
    let (kind, name) = wanted.issuer;
    let object = wanted.of.object;
    let named = context.named(name).filter(|it| {
        let is_near = kind == "ClusterIssuer" || it.object.namespace() == object.namespace();
        it.object.kind() == kind
            && it.object.group() == CERT_MANAGER
            && is_near
            && context.may_share_cluster(it.object, object)
    });
    let named: Vec<Applied<'_>> = named.collect();
    let [issuer] = named.as_slice() else {
        return None;
    };
    let solvers = list(&issuer.object.node, &["spec", "acme", "solvers"]);
    if solvers.is_empty() || !is_sure(context, issuer) || !is_sure(context, &wanted.of) {
        return None;
    }
    let (place, hostname) = wanted.hostnames.iter().find(|(_, hostname)| {
        !variable::in_text(hostname) && !solvers.iter().any(|it| may_solve(it, hostname))
    })?;
    let solvers = Pointer::root().key("spec").key("acme").key("solvers");
    let message = format!("no solver of the {kind} {name} is for {hostname}");
    Some(
        finding(CODE, object, place, message)
            .related(issuer.object.span(&solvers), "the solvers")
            .why("cert-manager can't prove that the name is yours, so the certificate is never issued")
            .help("add the domain to `selector.dnsZones` of a solver, or a solver without `selector`"),
    )
}

/// Whether a solver may be for a hostname. Labels are of Certificates, which may have any.
fn may_solve(solver: &Node, hostname: &str) -> bool {
    let Some(selector) = solver.get("selector") else {
        return true;
    };
    let (zones, names) = (list(selector, &["dnsZones"]), list(selector, &["dnsNames"]));
    if zones.is_empty() && names.is_empty() || has(selector, &["matchLabels"]) {
        return true;
    }
    let bare = hostname.strip_prefix("*.").unwrap_or(hostname);
    let is_in = |zone: &Node| {
        zone.as_str().is_none_or(|zone| {
            let rest = bare.strip_suffix(zone);
            variable::in_text(zone) || rest.is_some_and(|it| it.is_empty() || it.ends_with('.'))
        })
    };
    let is_name = |name: &Node| {
        name.as_str()
            .is_none_or(|name| variable::in_text(name) || name == hostname)
    };
    zones.iter().any(is_in) || names.iter().any(is_name)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn an_issuer_has_a_solver_for_every_name() {
        let says = |selector: &str, name: &str| {
            let text = format!(
                "apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {{name: le}}
spec: {{acme: {{solvers: [{{{selector}dns01: {{}}}}]}}}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: a, namespace: network}}
spec: {{secretName: a, dnsNames: ['{name}'], issuerRef: {{kind: ClusterIssuer, name: le}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: a, namespace: network, annotations: {{cert-manager.io/cluster-issuer: le}}}}
spec: {{listeners: [{{name: https, hostname: '{name}', tls: {{certificateRefs: [{{name: a}}]}}}}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        let zones = |zone: &str| format!("selector: {{dnsZones: [{zone}]}}, ");
        assert_eq!(says("", "a.example.com"), [""; 0]);
        assert_eq!(says(&zones("example.com"), "*.example.com"), [""; 0]);
        assert_eq!(says(&zones("example.com"), "example.com"), [""; 0]);
        assert_eq!(says(&zones("'${DOMAIN}'"), "a.example.com"), [""; 0]);
        let none = "no solver of the ClusterIssuer le is for a.example.com";
        assert_eq!(
            says(&zones("example.org"), "a.example.com"),
            [
                format!("error network/no-solver /spec/dnsNames/0: {none}"),
                format!("error network/no-solver /spec/listeners/0/hostname: {none}")
            ]
        );
    }
}
