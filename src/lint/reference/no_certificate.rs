//! Listeners of an annotated Gateway for which cert-manager creates no certificate.

use super::names::is_sure;
use crate::lint::front::{GATEWAY_API, text};
use crate::lint::{Applied, LintContext};
use envoy_gateway::read::{self, list};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "reference"/"no-certificate", Warning, "A listener for which cert-manager creates no certificate.",
    r#"
The Gateway is annotated so that cert-manager creates the certificates of its listeners. It leaves out listeners
without a `hostname`, because it would not know what to write into the certificate, and those whose Secret is in
another namespace. It says so only in its log. Envoy Gateway then waits for the Secret, and the listener stays
closed. Give the listener a hostname, which may be a wildcard, or create the certificate by yourself with a
Certificate.

## Wrong

```yaml
kind: Gateway
metadata: {name: envoy-external, annotations: {cert-manager.io/cluster-issuer: letsencrypt}}
spec:
  listeners:
    - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: shop-tls}]}}
```

## Right

```yaml
kind: Gateway
metadata: {name: envoy-external, annotations: {cert-manager.io/cluster-issuer: letsencrypt}}
spec:
  listeners:
    - {name: https, port: 443, protocol: HTTPS, hostname: shop.example.com, tls: {certificateRefs: [{name: shop-tls}]}}
```
"#
}

/// The annotations that make cert-manager create certificates for a Gateway.
const ISSUERS: [&str; 2] = ["cert-manager.io/issuer", "cert-manager.io/cluster-issuer"];

/// Whether cert-manager creates certificates for a Gateway or a ListenerSet.
pub(super) fn has_issuer(object: &Applied<'_>) -> bool {
    ISSUERS.iter().any(|key| {
        let own = !text(object.object, &["metadata", "annotations", key]).is_empty();
        own || object
            .way
            .is_some_and(|way| way.annotations.contains_key(*key))
    })
}

/// Reports listeners that cert-manager leaves out.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let owners = ["Gateway", "ListenerSet"].into_iter();
    let owners = owners.flat_map(|kind| context.of_kind(GATEWAY_API, kind));
    let owners = owners.filter(|it| has_issuer(it) && is_sure(context, it));
    owners.flat_map(|owner| left_out(context, &owner)).collect()
}

fn left_out(context: &LintContext<'_>, owner: &Applied<'_>) -> Vec<Diagnostic> {
    let listeners = list(&owner.object.node, &["spec", "listeners"]).iter();
    let found = listeners.enumerate().filter_map(|(at, listener)| {
        let place = Pointer::root().key("spec").key("listeners").index(at);
        listener_left_out(context, owner, listener, &place)
    });
    found.collect()
}

fn listener_left_out(
    context: &LintContext<'_>,
    owner: &Applied<'_>,
    listener: &Node,
    place: &Pointer,
) -> Option<Diagnostic> {
    let tls = listener.get("tls")?;
    let refs = list(tls, &["certificateRefs"]);
    let first = refs.first()?;
    if read::text(tls, &["mode"]).is_some_and(|mode| mode != "Terminate") {
        return None;
    }
    let own = owner.object.namespace();
    let elsewhere = refs.iter().position(|it| {
        read::text(it, &["namespace"])
            .is_some_and(|it| it != own && !own.is_empty() && !variable::in_text(it))
    });
    let hostname = read::text(listener, &["hostname"]).unwrap_or_default();
    let secret = read::text(
        elsewhere.and_then(|at| refs.get(at)).unwrap_or(first),
        &["name"],
    )?;
    if (!hostname.is_empty() && elsewhere.is_none()) || is_made_otherwise(context, owner, secret) {
        return None;
    }
    let name = read::text(listener, &["name"]).unwrap_or_default();
    let (place, why, help) = match elsewhere {
        Some(at) => (
            place
                .key("tls")
                .key("certificateRefs")
                .index(at)
                .key("namespace"),
            "its Secret is in another namespace",
            "write a Secret of the Gateway's namespace, or create the certificate with a Certificate",
        ),
        None => (
            place.clone(),
            "it has no `hostname`",
            "add a `hostname` (it may be a wildcard, such as `\"*.example.com\"`), or create the certificate with a Certificate",
        ),
    };
    let message =
        format!("cert-manager creates no certificate for listener `{name}`, because {why}");
    Some(
        finding(CODE, owner.object, &place, message)
            .why("the listener stays closed, because its Secret is never created; only the log of cert-manager says so")
            .help(help),
    )
}

/// Whether a given object creates the Secret, so that the annotation is not needed for it.
fn is_made_otherwise(context: &LintContext<'_>, owner: &Applied<'_>, secret: &str) -> bool {
    context.all().any(|one| {
        let object = one.object;
        let names = match object.kind() {
            "Certificate" => [text(object, &["spec", "secretName"]), ""],
            "Secret" | "SealedSecret" => [object.name(), ""],
            "ExternalSecret" => [object.name(), text(object, &["spec", "target", "name"])],
            _ => return false,
        };
        names.contains(&secret) && context.may_share_cluster(object, owner.object)
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn with(listener: &str, secret: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: external, namespace: network, annotations: {{cert-manager.io/cluster-issuer: letsencrypt}}}}
spec:
  gatewayClassName: envoy
  listeners: [{{name: https, protocol: HTTPS, port: 443, {listener} tls: {{certificateRefs: [{{{secret}}}]}}}}]
"
        );
        told(check, "1.9.0", &[("a.yaml", &text)])
    }

    #[test]
    fn listeners_that_cert_manager_leaves_out_are_told() {
        assert_eq!(with("hostname: shop.example.com,", "name: shop"), [""; 0]);
        assert_eq!(
            with("", "name: shop"),
            [
                "warning reference/no-certificate /spec/listeners/0: cert-manager creates no certificate for listener `https`, \
              because it has no `hostname`"
            ]
        );
        assert_eq!(
            with("hostname: shop.example.com,", "name: shop, namespace: shop"),
            [
                "warning reference/no-certificate /spec/listeners/0/tls/certificateRefs/0/namespace: cert-manager creates no \
              certificate for listener `https`, because its Secret is in another namespace"
            ]
        );
    }
}
