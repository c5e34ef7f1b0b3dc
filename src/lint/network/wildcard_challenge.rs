//! Wildcard certificates of issuers that only have HTTP-01 solvers.

use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

manifest::code! {
    "network"/"wildcard-challenge", Error, "A wildcard certificate from an issuer that only has HTTP-01 solvers.",
    r#"
Certificate authorities issue wildcard certificates by ACME only after a DNS-01 challenge. All solvers of the
issuer are for HTTP-01, so the order fails, and the Secret of the certificate is never created. Add a DNS-01
solver to the issuer, or list the names one by one.

## Wrong

```yaml
kind: ClusterIssuer
spec:
  acme:
    solvers:
      - http01: { gatewayHTTPRoute: { parentRefs: [{ name: envoy-external }] } }
---
kind: Certificate
spec:
  dnsNames: [example.com, "*.example.com"]
```

## Right

```yaml
kind: ClusterIssuer
spec:
  acme:
    solvers:
      - dns01: { cloudflare: { apiTokenSecretRef: { name: cloudflare, key: token } } }
---
kind: Certificate
spec:
  dnsNames: [example.com, "*.example.com"]
```
"#
}

/// Reports the first wildcard of a certificate that `issuer` signs.
pub(crate) fn report(certificate: &Object, issuer: &Object) -> Option<Diagnostic> {
    let solvers = issuer.node.path(&["spec", "acme", "solvers"])?.as_list()?;
    if solvers.is_empty() || solvers.iter().any(|solver| solver.get("http01").is_none()) {
        return None;
    }
    let list = Pointer::root().key("spec").key("dnsNames");
    let names = certificate.node.at(&list)?.as_list()?;
    let is_wildcard = |name: &&Node| name.as_str().is_some_and(|name| name.starts_with("*."));
    let at = names.iter().position(|name| is_wildcard(&name))?;
    let name = names.get(at)?.as_str()?;
    let message = format!(
        "{} can't issue {name}: it only has HTTP-01 solvers",
        issuer.identity()
    );
    let place = Pointer::root().key("spec").key("acme").key("solvers");
    Some(
        finding(CODE, certificate, &list.index(at), message)
            .related(issuer.span(&place), "the solvers")
            .why("a wildcard needs a DNS-01 challenge, so the certificate is never issued, and its listeners have none")
            .help("add a `dns01` solver to the issuer, or list the names instead of the wildcard"),
    )
}
