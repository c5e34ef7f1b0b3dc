//! HTTP-01 challenges that no listener lets in.

use super::wildcard_challenge;
use crate::lint::{Applied, LintContext};
use envoy_gateway::hostname::overlap;
use envoy_gateway::view::Allowed;
use envoy_gateway::{Listener, Resolved};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "network"/"acme-solver", Error, "A solver for HTTP-01 challenges whose routes no listener admits.",
    r#"
To prove that a domain is yours, cert-manager creates an HTTPRoute in the namespace of the Certificate and
attaches it to the gateway in `gatewayHTTPRoute.parentRefs`. The certificate authority asks on port 80. No
HTTP listener of the gateway on this port admits routes of that namespace (`allowedRoutes`), or has a hostname
that fits. The challenge is never answered, and the certificate is never issued.

## Wrong

```yaml
kind: Gateway # in the namespace network
spec:
  listeners:
    - { name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: Same } } }
---
kind: Certificate # in the namespace shop
```

## Right

```yaml
kind: Gateway # in the namespace network
spec:
  listeners:
    - { name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }
---
kind: Certificate # in the namespace shop
```
"#
}

/// The group of cert-manager's objects.
const CERT_MANAGER: &str = "cert-manager.io";

/// A certificate that an issuer signs.
struct Wanted<'a> {
    object: &'a Object,
    namespace: &'a str,
    names: Vec<&'a str>,
}

/// Reports solvers of issuers whose routes can't be attached, in one cluster.
pub(crate) fn check<'a>(
    context: &LintContext<'_>,
    resolved: &Resolved<'a>,
    all: &[Applied<'a>],
) -> Vec<(&'a Object, Diagnostic)> {
    let of_kind = |kind: &'static str| {
        let issuers = all.iter().map(|one| one.object);
        issuers.filter(move |object| object.kind() == kind && object.group() == CERT_MANAGER)
    };
    let mut found = Vec::new();
    for issuer in of_kind("ClusterIssuer").chain(of_kind("Issuer")) {
        let wanted: Vec<Wanted> = of_kind("Certificate")
            .filter(|certificate| is_signed_by(certificate, issuer))
            .map(wanted)
            .collect();
        for one in &wanted {
            let wildcard = wildcard_challenge::report(one.object, issuer);
            found.extend(wildcard.map(|it| (one.object, it)));
        }
        let list = Pointer::root().key("spec").key("acme").key("solvers");
        let solvers = issuer.node.at(&list).and_then(Node::as_list);
        for (at, solver) in solvers.unwrap_or_default().iter().enumerate() {
            let path = ["http01", "gatewayHTTPRoute", "parentRefs"];
            let parents = solver.path(&path).and_then(Node::as_list);
            let parents = parents.unwrap_or_default();
            let place = path.iter().fold(list.index(at), |at, key| at.key(*key));
            let refused = wanted.iter().find(|wanted| {
                is_known(wanted.namespace)
                    && !parents.is_empty()
                    && parents
                        .iter()
                        .all(|parent| is_refused(resolved, parent, wanted) == Some(true))
            });
            // A solver with a selector is only for some certificates.
            if let Some(wanted) = refused.filter(|_| solver.get("selector").is_none()) {
                found.push((issuer, refusal(context, issuer, &place, parents, wanted)));
            }
        }
    }
    found
}

fn is_known(text: &str) -> bool {
    !text.is_empty() && !variable::in_text(text)
}

fn is_signed_by(certificate: &Object, issuer: &Object) -> bool {
    let part = |key: &str| {
        let node = certificate.node.path(&["spec", "issuerRef", key]);
        node.and_then(Node::as_str)
    };
    part("name") == Some(issuer.name())
        && part("kind").unwrap_or("Issuer") == issuer.kind()
        && (issuer.kind() == "ClusterIssuer" || certificate.namespace() == issuer.namespace())
}

fn wanted(certificate: &Object) -> Wanted<'_> {
    let names = certificate.node.path(&["spec", "dnsNames"]);
    let names = names.and_then(Node::as_list).unwrap_or_default().iter();
    Wanted {
        object: certificate,
        namespace: certificate.namespace(),
        names: names.filter_map(Node::as_str).collect(),
    }
}

/// Whether no listener of a parent lets the challenge in; `None` if that is not known.
fn is_refused(resolved: &Resolved<'_>, parent: &Node, wanted: &Wanted<'_>) -> Option<bool> {
    let part = |key: &str| parent.get(key).and_then(Node::as_str);
    if part("kind").is_some_and(|kind| kind != "Gateway") {
        return None;
    }
    let namespace = part("namespace").unwrap_or(wanted.namespace);
    let mut gateways = resolved.gateways().iter();
    let gateway = gateways.find(|gateway| {
        Some(gateway.object.name()) == part("name") && gateway.object.namespace() == namespace
    })?;
    gateway.class?;
    let listeners: Vec<&Listener> = gateway
        .listeners
        .iter()
        .filter_map(|id| resolved.listener(*id))
        .filter(|it| part("sectionName").is_none_or(|section| section == it.name))
        .collect();
    Some(!listeners.iter().any(|listener| {
        let admits = match listener.allowed {
            Allowed::Same => listener.object.namespace() == wanted.namespace,
            Allowed::All | Allowed::Selected(_) => true,
            Allowed::Nothing => false,
        };
        let fits = wanted.names.is_empty()
            || listener.hostname.is_some_and(variable::in_text)
            || wanted
                .names
                .iter()
                .any(|name| variable::in_text(name) || overlap(listener.hostname, Some(name)));
        admits && fits && listener.protocol == "HTTP" && listener.port == 80
    }))
}

fn refusal(
    context: &LintContext<'_>,
    issuer: &Object,
    place: &Pointer,
    parents: &[Node],
    wanted: &Wanted<'_>,
) -> Diagnostic {
    let name = |node: &Node| node.get("name").and_then(Node::as_str).map(str::to_owned);
    let gateways: Vec<String> = parents.iter().filter_map(name).collect();
    let message = format!(
        "no HTTP listener of {} on port 80 admits the challenges of {}",
        gateways.join(", "),
        wanted.object.identity()
    );
    let help = match context.model.is_some() {
        true => {
            "let its listener `http` admit routes of that namespace (`routes` of the listener in cluster.toml), issue the certificate in the gateway's namespace, or use a DNS-01 solver"
        }
        false => {
            "let an HTTP listener on port 80 admit routes of that namespace (`allowedRoutes.namespaces`), issue the certificate in the gateway's namespace, or use a DNS-01 solver"
        }
    };
    finding(CODE, issuer, place, message)
        .related(
            wanted.object.span(&Pointer::root().key("metadata").key("name")),
            "the certificate",
        )
        .why("cert-manager creates the route for the challenge in the namespace of the Certificate, so the certificate is never issued")
        .help(help)
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::cluster::check;
    use crate::lint::support::told;

    #[test]
    fn challenges_reach_a_listener() {
        let with_name = |from: &str, namespace: &str, name: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy}}
spec: {{controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: external, namespace: network}}
spec:
  gatewayClassName: envoy
  listeners: [{{name: http, protocol: HTTP, port: 80, allowedRoutes: {{namespaces: {{from: {from}}}}}}}]
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {{name: acme}}
spec: {{acme: {{solvers: [{{http01: {{gatewayHTTPRoute: {{parentRefs: [{{name: external, namespace: network}}]}}}}}}]}}}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: shop, namespace: {namespace}}}
spec: {{secretName: shop, dnsNames: ['{name}'], issuerRef: {{name: acme, kind: ClusterIssuer}}}}
"
            );
            let found = told(check, "1.9.0", &[("a.yaml", &text)]);
            found
                .into_iter()
                .filter(|one| one.contains("acme"))
                .collect::<Vec<_>>()
        };
        let says = |from: &str, namespace: &str| with_name(from, namespace, "shop.example.com");
        assert_eq!(
            with_name("All", "shop", "*.example.com"),
            [
                "error network/wildcard-challenge /spec/dnsNames/0: ClusterIssuer acme can't issue *.example.com: it only has HTTP-01 solvers"
            ]
        );
        assert_eq!(says("All", "shop"), [""; 0]);
        assert_eq!(says("Same", "network"), [""; 0]);
        assert_eq!(
            says("Same", "shop"),
            [
                "error network/acme-solver /spec/acme/solvers/0/http01/gatewayHTTPRoute/parentRefs: no HTTP listener of external on port 80 admits the challenges of Certificate shop/shop"
            ]
        );
    }
}
