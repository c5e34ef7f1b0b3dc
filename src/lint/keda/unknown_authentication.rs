//! Triggers whose TriggerAuthentication doesn't exist.

use std::collections::BTreeSet;

use crate::lint::LintContext;
use crate::lint::attachment::cluster::is_known;
use crate::lint::reference::instead::{Instead, instead};
use envoy_gateway::index::Key;
use envoy_gateway::read::{list, text};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "keda"/"unknown-authentication", Error, "A trigger that refers to a TriggerAuthentication that doesn't exist.",
    r#"
`authenticationRef` of a trigger names a TriggerAuthentication in the namespace of the ScaledObject, or with `kind:
ClusterTriggerAuthentication` one of the cluster. None has this name, but one with a similar name is there, or one in
another namespace. KEDA can't read the metric, so nothing is scaled by it.

## Wrong

```yaml
kind: TriggerAuthentication
metadata: { name: prometheus }
---
kind: ScaledObject
spec: { triggers: [{ type: prometheus, authenticationRef: { name: promethues } }] }
```

## Right

```yaml
kind: ScaledObject
spec: { triggers: [{ type: prometheus, authenticationRef: { name: prometheus } }] }
```
"#
}

const OWN: &str = "TriggerAuthentication";

/// Reports references to authentications that don't exist.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for scaled in context.of_kind("keda.sh", "ScaledObject") {
        let object = scaled.object;
        let triggers = list(&object.node, &["spec", "triggers"]).iter();
        for (at, trigger) in triggers.enumerate() {
            let Some(name) = text(trigger, &["authenticationRef", "name"]) else {
                continue;
            };
            let kind = text(trigger, &["authenticationRef", "kind"]).unwrap_or(OWN);
            let namespace = if kind == OWN { object.namespace() } else { "" };
            let key = Key { namespace, name };
            if !is_known(name) || kind == OWN && !is_known(namespace) {
                continue;
            }
            let there = context.of_kind("keda.sh", kind);
            let there = there.filter(|it| context.may_share_cluster(it.object, object));
            let there: BTreeSet<Key<'_>> = there.map(|it| Key::of(it.object)).collect();
            if there.contains(&key) || there.iter().any(|it| !is_known(it.name)) {
                continue;
            }
            let help = match instead(key, &there) {
                Some(Instead::Named(near)) => format!("write `{near}`"),
                Some(Instead::In(namespace)) => format!(
                    "it is in namespace `{namespace}`; move it to `{}`, or make it a ClusterTriggerAuthentication",
                    key.namespace
                ),
                None => continue,
            };
            let place = Pointer::root().key("spec").key("triggers").index(at);
            let place = place.key("authenticationRef").key("name");
            let message = format!("there is no {kind} `{name}` for {}", object.name());
            found.push(
                finding(CODE, object, &place, message)
                    .why("KEDA can't read the metric of the trigger, so nothing is scaled by it")
                    .help(help),
            );
        }
    }
    super::once_for_each_setting(found)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn an_authentication_is_there() {
        let says = |namespace: &str, reference: &str| {
            let text = format!(
                "apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {{name: prometheus, namespace: web}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: web, namespace: {namespace}}}
spec: {{triggers: [{{type: prometheus, authenticationRef: {{{reference}}}}}]}}
"
            );
            let found = told(check, "1.9.0", &[("a.yaml", &text)]);
            let place =
                "error keda/unknown-authentication /spec/triggers/0/authenticationRef/name: ";
            found
                .iter()
                .map(|it| it.replace(place, ""))
                .collect::<Vec<_>>()
        };
        assert_eq!(says("web", "name: prometheus"), [""; 0]);
        assert_eq!(
            says("web", "name: promethues"),
            ["there is no TriggerAuthentication `promethues` for web"]
        );
        assert_eq!(
            says("shop", "name: prometheus"),
            ["there is no TriggerAuthentication `prometheus` for web"]
        );
        let cluster = "kind: ClusterTriggerAuthentication, name: aws";
        assert_eq!(says("web", cluster), [""; 0]);
    }
}
