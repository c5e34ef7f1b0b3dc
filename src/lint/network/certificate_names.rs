//! Whether the certificates of a listener cover its hostname.

use std::collections::{BTreeSet, HashMap};

use crate::lint::front::GATEWAY_API;
use crate::lint::{Applied, LintContext};
use envoy_gateway::read::{list, text};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "network"/"certificate-names", Error, "A listener whose certificate doesn't cover its hostname.",
    r#"
The Certificate for a listener's Secret doesn't include the listener's hostname. Clients get a certificate for
other names and refuse the connection. `*` matches exactly one label: `*.example.com` covers
`git.example.com`, but neither `example.com` nor `a.git.example.com`. Flux variables are compared as text. If
a Secret comes from no Certificate among the manifests, it is assumed to be correct.

## Wrong

```yaml
kind: Certificate
spec:
  secretName: example-com-tls
  dnsNames: ["*.example.com"]
---
kind: Gateway
spec:
  listeners:
    - name: https
      hostname: "*.apps.example.com"
      tls:
        certificateRefs:
          - name: example-com-tls
```

## Right

```yaml
kind: Certificate
spec:
  secretName: example-com-tls
  dnsNames: ["*.example.com", "*.apps.example.com"]
```
"#
}

/// Reports listeners whose hostname is covered by none of their certificates.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut certificates = BySecret::new();
    for one in context.of_kind("cert-manager.io", "Certificate") {
        let secret = one.object.node.path(&["spec", "secretName"]);
        if let Some(secret) = secret.and_then(Node::as_str) {
            let place = (one.object.namespace(), secret);
            certificates.entry(place).or_default().push(one);
        }
    }
    if certificates.is_empty() {
        return Vec::new();
    }
    let gateways = context.of_kind(GATEWAY_API, "Gateway");
    let of_routes = of_routes(context, &certificates);
    gateways
        .flat_map(|gateway| {
            let pointer = Pointer::root().key("spec").key("listeners");
            let listeners = gateway.object.node.at(&pointer).and_then(Node::as_list);
            let listeners = listeners.unwrap_or_default().iter().enumerate();
            listeners
                .filter_map(|(at, listener)| {
                    uncovered(
                        context,
                        &gateway,
                        listener,
                        &pointer.index(at),
                        &certificates,
                    )
                })
                .collect::<Vec<_>>()
        })
        .chain(of_routes)
        .collect()
}

/// Hostnames of routes that the certificates of the gateway's only listener for TLS don't cover.
fn of_routes(context: &LintContext<'_>, certificates: &BySecret<'_>) -> Vec<Diagnostic> {
    // A tunnel asks for the certificate by a name of its own.
    let is_tunnel = |name: &str| name.contains("cloudflare") || name.contains("tunnel");
    if context.objects.iter().any(|it| is_tunnel(it.name())) {
        return Vec::new();
    }
    let mut found: Vec<Diagnostic> = Vec::new();
    for route in context.of_kind(GATEWAY_API, "HTTPRoute") {
        for parent in list(&route.object.node, &["spec", "parentRefs"]) {
            let one = of_parent(context, &route, parent, certificates);
            found.extend(one.filter(|one| !found.contains(one)));
        }
    }
    found
}

fn of_parent(
    context: &LintContext<'_>,
    route: &Applied<'_>,
    parent: &Node,
    certificates: &BySecret<'_>,
) -> Option<Diagnostic> {
    let namespace = text(parent, &["namespace"]).unwrap_or(route.object.namespace());
    let named = context.named(text(parent, &["name"])?).filter(|it| {
        it.object.kind() == "Gateway"
            && it.object.namespace() == namespace
            && context.may_share_cluster(it.object, route.object)
    });
    let named: Vec<Applied<'_>> = named.collect();
    let [gateway] = named.as_slice() else {
        return None;
    };
    let listeners = list(&gateway.object.node, &["spec", "listeners"]).iter();
    let of_tls: Vec<&Node> = listeners.filter(|it| it.get("tls").is_some()).collect();
    // With several, another one may answer.
    let [listener] = of_tls.as_slice() else {
        return None;
    };
    let section = text(parent, &["sectionName"]);
    if section.is_some_and(|it| text(listener, &["name"]) != Some(it)) {
        return None;
    }
    let mut names = Vec::new();
    let mut places = Vec::new();
    for reference in list(listener, &["tls", "certificateRefs"]) {
        let own = gateway.object.namespace();
        let namespace = text(reference, &["namespace"]).unwrap_or(own);
        let by_secret: &HashMap<(&str, &str), Vec<Applied<'_>>> = certificates;
        let of = by_secret.get(&(namespace, text(reference, &["name"])?))?;
        let near = of.iter();
        let near = near.filter(|it| context.may_share_cluster(it.object, gateway.object));
        for certificate in near {
            names.extend(names_on(certificate));
            places.push(*certificate);
        }
    }
    let certificate = places.first()?;
    let hostnames = list(&route.object.node, &["spec", "hostnames"]).iter();
    let (at, hostname) = hostnames.enumerate().find_map(|(at, it)| {
        let hostname = it.as_str()?;
        let is_out = |name: &String| covers(name, hostname) == Some(false);
        (!hostname.starts_with("*.") && names.iter().all(is_out)).then_some((at, hostname))
    })?;
    let place = Pointer::root().key("spec").key("hostnames").index(at);
    let dns_names = Pointer::root().key("spec").key("dnsNames");
    let message = format!("the certificate of the gateway is not valid for {hostname}");
    Some(
        finding(CODE, route.object, &place, message)
            .severity(Severity::Warning)
            .related(certificate.object.span(&dns_names), "its names")
            .why("clients close the connection, because the certificate doesn't have the hostname that they requested")
            .help(format!(
                "add \"{hostname}\" to `dnsNames` of the Certificate {}",
                certificate.object.name()
            )),
    )
}

/// Certificates by the namespace and name of the Secret that they are stored in.
type BySecret<'a> = HashMap<(&'a str, &'a str), Vec<Applied<'a>>>;

fn uncovered(
    context: &LintContext<'_>,
    gateway: &Applied<'_>,
    listener: &Node,
    pointer: &Pointer,
    certificates: &BySecret<'_>,
) -> Option<Diagnostic> {
    let hostname = listener.get("hostname")?.as_str()?;
    let references = listener.path(&["tls", "certificateRefs"])?.as_list()?;
    let mut names = Vec::new();
    let mut places = Vec::new();
    for reference in references {
        let secret = reference.get("name")?.as_str()?;
        let own = gateway.object.namespace();
        let namespace = reference.get("namespace").map_or(Some(own), Node::as_str)?;
        // The map's keys live as long as the objects, but the lookup's key may not.
        let by_secret: &HashMap<(&str, &str), Vec<Applied<'_>>> = certificates;
        let of: Vec<&Applied> = by_secret
            .get(&(namespace, secret))
            .into_iter()
            .flatten()
            .filter(|one| context.may_share_cluster(one.object, gateway.object))
            .collect();
        // The Secret is not made from a given Certificate, so it may have any names.
        if of.is_empty() {
            return None;
        }
        for certificate in of {
            names.extend(names_on(certificate));
            places.push(*certificate);
        }
    }
    if names.is_empty()
        || names
            .iter()
            .any(|name| covers(name, hostname) != Some(false))
    {
        return None;
    }
    let listed = names.join(", ");
    let certificate = places.first()?;
    let at = Pointer::root().key("spec").key("dnsNames");
    let name = listener
        .get("name")
        .and_then(Node::as_str)
        .unwrap_or_default();
    Some(
        finding(
            CODE,
            gateway.object,
            &pointer.key("hostname"),
            format!("the certificate of listener {name} is not valid for {hostname}"),
        )
        .related(certificate.object.span(&at), format!("it is valid for {listed}"))
        .why("clients close the connection, because the certificate doesn't have the hostname that they requested")
        .help(format!("add \"{hostname}\" to `dnsNames` of the Certificate {}", certificate.object.name())),
    )
}

/// The names that cert-manager requests: `dnsNames`, and `commonName`, which issuers add.
fn names_on(certificate: &Applied<'_>) -> Vec<String> {
    let names = certificate.object.node.path(&["spec", "dnsNames"]);
    let names = names.and_then(Node::as_list).unwrap_or_default().iter();
    let common = certificate.object.node.path(&["spec", "commonName"]);
    names
        .chain(common)
        .filter_map(Node::as_str)
        .map(str::to_owned)
        .collect()
}

/// Whether a name in a certificate covers a hostname (RFC 6125: `*` stands for exactly one label). Flux variables are
/// compared as text; `None` if the result depends on the value of one.
fn covers(name: &str, hostname: &str) -> Option<bool> {
    let (name, hostname) = (name.to_lowercase(), hostname.to_lowercase());
    if name == hostname {
        return Some(true);
    }
    let rest = name.strip_prefix("*.");
    let below = hostname.split_once('.').map(|(_, below)| below);
    let is_covered = rest.is_some()
        && rest == below
        && !hostname.starts_with("*.")
        && !hostname.starts_with("${");
    if is_covered {
        return Some(true);
    }
    (variables(&name) == variables(&hostname)).then_some(false)
}

/// The variables in a text, as written.
fn variables(text: &str) -> BTreeSet<&str> {
    if !variable::in_text(text) {
        return BTreeSet::new();
    }
    text.match_indices("${")
        .filter_map(|(at, _)| {
            let rest = text.get(at..)?;
            rest.get(..=rest.find('}')?)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::{FRONT, found_in};

    #[test]
    fn a_star_stands_for_one_label_and_variables_are_text() {
        for (name, hostname, want) in [
            ("*.example.com", "a.example.com", Some(true)),
            ("*.Example.com", "*.example.com", Some(true)),
            ("*.example.com", "a.b.example.com", Some(false)),
            ("*.example.com", "example.com", Some(false)),
            ("example.com", "*.example.com", Some(false)),
            ("*.${DOMAIN}", "a.${DOMAIN}", Some(true)),
            ("*.${DOMAIN}", "a.b.${DOMAIN}", Some(false)),
            ("${DOMAIN}", "*.${DOMAIN}", Some(false)),
            ("*.${DOMAIN}", "a.${OTHER}", None),
            ("*.example.com", "a.${DOMAIN}", None),
            ("*.${DOMAIN}", "a.example.com", None),
        ] {
            assert_eq!(covers(name, hostname), want, "{name} {hostname}");
        }
    }

    #[test]
    fn certificates_are_for_the_names_of_routes() {
        let says = |hostname: &str, tunnel: &str| {
            let front = FRONT.replace(
                "protocol: HTTPS}",
                "protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}",
            );
            found_in(&format!(
                "{front}
# route.yaml
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: site, namespace: network}}
spec: {{secretName: tls, dnsNames: ['*.example.com']}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: shop, namespace: network}}
spec: {{parentRefs: [{{name: external}}], hostnames: ['{hostname}']}}
{tunnel}"
            ))
        };
        assert_eq!(says("shop.example.com", ""), [""; 0]);
        assert_eq!(
            says("example.com", ""),
            [
                "warning network/certificate-names route.yaml:9 the certificate of the gateway is not valid for example.com"
            ]
        );
        let tunnel = "---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cloudflared, namespace: network}
";
        assert_eq!(says("example.com", tunnel), [""; 0]);
    }

    #[test]
    fn certificates_are_for_the_names_of_their_listeners() {
        let listener = |hostname: &str| {
            FRONT.replace(
                "protocol: HTTPS}",
                &format!("protocol: HTTPS, hostname: '{hostname}', tls: {{certificateRefs: [{{name: tls}}]}}}}"),
            )
        };
        let certificate = |namespace: &str| {
            format!(
                "
# certificate.yaml
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: site, namespace: {namespace}}}
spec: {{secretName: tls, dnsNames: ['${{DOMAIN}}', '*.${{DOMAIN}}']}}"
            )
        };
        let own = certificate("network");
        assert_eq!(
            found_in(&format!("{}{own}\n", listener("git.${DOMAIN}"))),
            [""; 0]
        );
        assert_eq!(
            found_in(&format!("{}{own}\n", listener("git.${OTHER}"))),
            [""; 0]
        );
        assert_eq!(
            found_in(&format!("{}{own}\n", listener("a.git.${DOMAIN}"))),
            [
                "error network/certificate-names front.yaml:33 the certificate of listener https is not valid for a.git.${DOMAIN}"
            ]
        );
        assert_eq!(
            found_in(&format!(
                "{}{}\n",
                listener("a.git.${DOMAIN}"),
                certificate("other")
            )),
            [""; 0]
        );
    }
}
