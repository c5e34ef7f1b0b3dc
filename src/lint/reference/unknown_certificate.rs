//! Certificates of listeners that nothing creates.

use std::collections::{BTreeSet, HashSet};

use super::names::is_sure;
use super::no_certificate::has_issuer;
use crate::lint::attachment::cluster::is_known;
use crate::lint::flux::variables_at_hand::target_of;
use crate::lint::front::{ENVOY_GATEWAY, GATEWAY_API, text};
use crate::lint::words::any_text;
use crate::lint::{Applied, LintContext};
use envoy_gateway::index::Key;
use envoy_gateway::read::{self, list};
use manifest::diagnostic::suggest::{MOST_COMPARED, listed, nearest, slip};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "reference"/"unknown-certificate", Error, "A certificate of a listener that nothing creates.",
    r#"
A listener names a Secret for its certificate. cert-manager writes certificates into Secrets, and Certificates for this
namespace are among the manifests, but none of them writes that Secret (`spec.secretName`), and nothing else among the
manifests mentions its name. Envoy Gateway waits for the Secret, and the listener stays closed.

## Wrong

```yaml
kind: Certificate
metadata: {name: example-com, namespace: network}
spec: {secretName: example-com-cert}
---
kind: Gateway
spec: {listeners: [{name: https, tls: {certificateRefs: [{name: example-com-tls}]}}]}
```

## Right

```yaml
kind: Certificate
metadata: {name: example-com, namespace: network}
spec: {secretName: example-com-tls}
---
kind: Gateway
spec: {listeners: [{name: https, tls: {certificateRefs: [{name: example-com-tls}]}}]}
```
"#
}

const CERT_MANAGER: &str = "cert-manager.io";

/// The word that is part of the annotations by which a Secret is copied to other namespaces.
const COPIERS: [&str; 2] = ["reflect", "replicat"];

/// A reference of a listener to a Secret that is not given.
struct Wanted<'a> {
    owner: Applied<'a>,
    place: Pointer,
    key: Key<'a>,
}

/// Reports references to Secrets that nothing creates.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let certificates: Vec<Applied<'_>> = context.of_kind(CERT_MANAGER, "Certificate").collect();
    let others: Vec<Applied<'_>> = OTHER_MAKERS
        .iter()
        .flat_map(|(group, kind)| context.of_kind(group, kind))
        .collect();
    if certificates.is_empty() && others.is_empty() {
        return Vec::new();
    }
    let owners = ["Gateway", "ListenerSet"].into_iter();
    let owners = owners.flat_map(|kind| context.of_kind(GATEWAY_API, kind));
    let owners = owners.filter(|it| !has_issuer(it) && is_sure(context, it));
    let made: HashSet<&str> = certificates
        .iter()
        .map(|it| text(it.object, &["spec", "secretName"]))
        .collect();
    let wanted: Vec<Wanted<'_>> = owners.flat_map(|owner| wanted(&owner)).collect();
    let unmade: HashSet<&str> = wanted.iter().map(|it| it.key.name).collect();
    let mentioned = mentioned(context, &unmade);
    let mut found = Vec::new();
    for one in &wanted {
        if !mentioned.contains(one.key.name) {
            let is_near =
                |it: &&Applied<'_>| context.may_share_cluster(it.object, one.owner.object);
            let near: Vec<Applied<'_>> = certificates.iter().filter(is_near).copied().collect();
            let is_made = made.contains(one.key.name);
            found.extend(
                report(one, near, is_made).or_else(|| slipped(one, others.iter().filter(is_near))),
            );
        }
    }
    found
}

fn wanted<'a>(owner: &Applied<'a>) -> Vec<Wanted<'a>> {
    let listeners = list(&owner.object.node, &["spec", "listeners"])
        .iter()
        .enumerate();
    let mut found: Vec<Wanted<'_>> = Vec::new();
    for (at, listener) in listeners {
        let place = Pointer::root().key("spec").key("listeners").index(at);
        let place = place.key("tls").key("certificateRefs");
        let refs = list(listener, &["tls", "certificateRefs"])
            .iter()
            .enumerate();
        for (at, reference) in refs {
            let is_secret = read::text(reference, &["kind"]).is_none_or(|kind| kind == "Secret");
            let own = owner.object.namespace();
            let key = Key {
                namespace: read::text(reference, &["namespace"]).unwrap_or(own),
                name: read::text(reference, &["name"]).unwrap_or_default(),
            };
            // One mistake in several listeners is told once.
            let is_new = found.iter().all(|it| it.key != key);
            if is_secret && is_new && !key.name.is_empty() && is_known(key.namespace) {
                found.push(Wanted {
                    owner: *owner,
                    place: place.index(at),
                    key,
                });
            }
        }
    }
    found
}

/// The names that an object mentions which may create or copy a Secret: any object that doesn't use certificates itself.
fn mentioned<'n>(context: &LintContext<'_>, names: &HashSet<&'n str>) -> HashSet<&'n str> {
    let mut mentioned = HashSet::new();
    if names.is_empty() {
        return mentioned;
    }
    let uses = |it: &Object| {
        matches!(it.group(), GATEWAY_API | ENVOY_GATEWAY)
            || (it.group() == CERT_MANAGER && it.kind() == "Certificate")
    };
    let mut look = |text: &str| {
        let words =
            text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')));
        mentioned.extend(words.filter_map(|word| names.get(word).copied()));
        // Variables are no words.
        let open = names.iter().filter(|name| variable::in_text(name));
        mentioned.extend(open.filter(|name| text.contains(**name)).copied());
        false
    };
    for object in context.objects.iter().filter(|it| !uses(it)) {
        any_text(&object.node, &mut look);
    }
    let generated = context.delivery.generated().iter();
    for name in generated.flat_map(|it| it.names()) {
        look(&name);
    }
    mentioned
}

/// Whether two names differ if they are written differently: neither contains a Flux variable, or both contain the same
/// ones.
fn is_comparable(name: &str, other: &str) -> bool {
    let variables = |name: &str| -> Vec<String> {
        let all = variable::all(name).filter_map(|it| name.get(it.at..it.end));
        all.map(str::to_owned).collect()
    };
    variables(name) == variables(other)
}

/// What makes Secrets besides Certificates: their group and kind.
const OTHER_MAKERS: [(&str, &str); 3] = [
    ("", "Secret"),
    ("bitnami.com", "SealedSecret"),
    ("external-secrets.io", "ExternalSecret"),
];

/// A name that is a slip of that of a Secret which something else than a Certificate makes.
fn slipped<'a>(
    wanted: &Wanted<'_>,
    others: impl Iterator<Item = &'a Applied<'a>>,
) -> Option<Diagnostic> {
    let here = others.filter(|it| it.object.namespace() == wanted.key.namespace);
    let names: Vec<&str> = here
        .map(|it| target_of(it.object))
        .filter(|name| is_comparable(name, wanted.key.name))
        .take(MOST_COMPARED)
        .collect();
    if names.contains(&wanted.key.name) {
        return None;
    }
    let meant = slip(wanted.key.name, names)?;
    let message = format!("nothing creates the Secret {}", wanted.key);
    Some(
        finding(
            CODE,
            wanted.owner.object,
            &wanted.place.key("name"),
            message,
        )
        .severity(Severity::Warning)
        .why("Envoy Gateway waits for the Secret, and the listener stays closed")
        .help(format!("did you mean `{meant}`?")),
    )
}

fn report(wanted: &Wanted<'_>, near: Vec<Applied<'_>>, is_made: bool) -> Option<Diagnostic> {
    let secret = |it: &Applied<'_>| text(it.object, &["spec", "secretName"]).to_owned();
    let is_here = |it: &&Applied<'_>| {
        let namespace = it.object.namespace();
        namespace == wanted.key.namespace || !is_known(namespace)
    };
    let here: Vec<&Applied<'_>> = near.iter().filter(is_here).collect();
    let may_be_it = |it: &&Applied<'_>| {
        secret(it) == wanted.key.name || !is_comparable(&secret(it), wanted.key.name)
    };
    if here.iter().any(may_be_it) {
        return None;
    }
    let place = wanted.place.key("name");
    let message = format!("nothing creates the Secret {}", wanted.key);
    let found = finding(CODE, wanted.owner.object, &place, message)
        .why("Envoy Gateway waits for the Secret, and the listener stays closed");
    let elsewhere = near
        .iter()
        .find(|it| is_made && secret(it) == wanted.key.name);
    if let Some(elsewhere) = elsewhere {
        let namespace = elsewhere.object.namespace();
        let template = elsewhere.object.node.path(&["spec", "secretTemplate"]);
        let copies = |text: &str| COPIERS.iter().any(|copier| text.contains(copier));
        if template.is_some_and(|it| any_text(it, &mut { copies })) || !is_known(namespace) {
            return None;
        }
        return Some(found.severity(Severity::Warning).help(format!(
            "the Certificate {} writes it in namespace `{namespace}`; move that to `{}`, or refer to it with `namespace: {namespace}` and allow that with a ReferenceGrant there",
            Key::of(elsewhere.object), wanted.key.namespace
        )));
    }
    let by_name = here.iter().find(|it| it.object.name() == wanted.key.name);
    let secrets: BTreeSet<String> = here.iter().map(|it| secret(it)).collect();
    if secrets.is_empty() {
        return None;
    }
    let names = secrets.iter().map(String::as_str).take(MOST_COMPARED);
    Some(match (by_name, nearest(wanted.key.name, names)) {
        (Some(by_name), _) => found.help(format!(
            "write `{}`, the `secretName` of the Certificate {}",
            secret(by_name),
            wanted.key.name
        )),
        (None, Some(near)) => found.help(format!("write `{near}`, which a Certificate writes")),
        (None, None) => found.severity(Severity::Warning).help(format!(
            "use one that a Certificate writes: {}",
            listed(secrets.iter().map(|name| format!("`{name}`")))
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn with(name: &str, beside: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: example, namespace: network}}
spec: {{secretName: example-com-cert}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: external, namespace: network}}
spec:
  gatewayClassName: envoy
  listeners:
    - {{name: a, protocol: HTTPS, port: 443, tls: {{certificateRefs: [{{name: {name}}}]}}}}
    - {{name: b, protocol: HTTPS, port: 444, tls: {{certificateRefs: [{{name: {name}}}]}}}}
{beside}"
        );
        told(check, "1.9.0", &[("a.yaml", &text)])
    }

    #[test]
    fn a_secret_that_nothing_creates_is_told_once() {
        let place = "reference/unknown-certificate /spec/listeners/0/tls/certificateRefs/0/name: nothing creates the Secret";
        assert_eq!(with("example-com-cert", ""), [""; 0]);
        assert_eq!(
            with("example-com-tls", ""),
            [format!("error {place} network/example-com-tls")]
        );
        assert_eq!(
            with("example", ""),
            [format!("error {place} network/example")]
        );
        assert_eq!(
            with("other", ""),
            [format!("warning {place} network/other")]
        );
        assert_eq!(with("'${NAME}'", ""), [""; 0]);
        let with_variable = |name: &str| {
            let certificate = "---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: home, namespace: home}
spec: {secretName: '${DOMAIN/./-}-tls'}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: home, namespace: home}
spec:
  gatewayClassName: envoy
  listeners:
    - {name: a, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: 'NAME'}]}}
";
            with("example-com-cert", &certificate.replace("NAME", name))
        };
        assert_eq!(with_variable("${DOMAIN/./-}-tls"), [""; 0]);
        assert_eq!(with_variable("${OTHER/./-}-tls"), [""; 0]);
        assert_eq!(with_variable("${DOMAIN/./-}-tsl").len(), 1);
        let made = "---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: x, namespace: network}
spec: {target: {name: example-com-tls}}
";
        assert_eq!(with("example-com-tls", made), [""; 0]);
    }
}
