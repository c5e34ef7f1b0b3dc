//! Values from a key that the ConfigMap or Secret doesn't have.

use crate::lint::LintContext;
use crate::lint::attachment::cluster::is_known;
use crate::lint::reference::names::is_sure;
use envoy_gateway::helm_routes::HELM;
use envoy_gateway::read::{flag, list, text};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::listed;
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

manifest::code! {
    "flux"/"missing-key", Error, "Values of a HelmRelease from a key that doesn't exist.",
    r#"
An entry of `valuesFrom` takes the values from the key `valuesKey` of a ConfigMap or Secret, or from `values.yaml` if it
names none. The ConfigMap or Secret is there, but not that key, so Flux installs nothing. `optional: true` doesn't help:
it only allows that the whole object is missing.

## Wrong

```yaml
kind: ConfigMap
data: { app.yaml: "replicas: 2" }
---
kind: HelmRelease
spec: { valuesFrom: [{ kind: ConfigMap, name: app }] }
```

## Right

```yaml
kind: ConfigMap
data: { app.yaml: "replicas: 2" }
---
kind: HelmRelease
spec: { valuesFrom: [{ kind: ConfigMap, name: app, valuesKey: app.yaml }] }
```
"#
}

/// The key, if none is named.
const DEFAULT: &str = "values.yaml";

/// Reports entries of `valuesFrom` whose key is not there.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for release in context.of_kind(HELM, "HelmRelease") {
        if !is_sure(context, &release) {
            continue;
        }
        let entries = list(&release.object.node, &["spec", "valuesFrom"]).iter();
        for (at, entry) in entries.enumerate() {
            let (Some(kind), Some(name)) = (text(entry, &["kind"]), text(entry, &["name"])) else {
                continue;
            };
            let key = text(entry, &["valuesKey"]).unwrap_or(DEFAULT);
            let namespace = release.object.namespace();
            if !is_known(name) || !is_known(key) || !is_known(namespace) {
                continue;
            }
            let there = context.named(name).filter(|it| {
                it.object.kind() == kind
                    && it.object.group().is_empty()
                    && context.may_share_cluster(it.object, release.object)
            });
            let there: Vec<_> = there.collect();
            // Of several, one may be that of another cluster.
            let [one] = there.as_slice() else { continue };
            let is_whole = one.object.namespace() == namespace && is_sure(context, one);
            let keys = keys(one.object);
            if !is_whole || keys.is_empty() || keys.contains(&key) {
                continue;
            }
            let place = Pointer::root().key("spec").key("valuesFrom").index(at);
            let place = match entry.get("valuesKey") {
                Some(_) => place.key("valuesKey"),
                None => place.key("name"),
            };
            let message = format!("{kind} {name} has no key `{key}`");
            let help = match keys.as_slice() {
                [only] => format!("write `valuesKey: {only}`"),
                all => format!(
                    "set `valuesKey` to one of its keys: {}",
                    listed(all.iter().map(|it| format!("`{it}`")))
                ),
            };
            let is_optional = flag(entry, &["optional"]) == Some(true);
            let why = match is_optional {
                true => {
                    "Flux installs nothing: `optional` only allows that the whole object is missing"
                }
                false => "Flux can't put the values together, so nothing is installed or updated",
            };
            found.push(
                finding(CODE, release.object, &place, message)
                    .why(why)
                    .help(help),
            );
        }
    }
    found
}

/// The keys of a ConfigMap or Secret.
fn keys(object: &Object) -> Vec<&str> {
    let maps = ["data", "stringData", "binaryData"].iter();
    let maps = maps.filter_map(|key| object.node.get(key).and_then(Node::as_map));
    maps.flat_map(|map| map.iter().map(|(key, _)| key))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn values_come_from_a_key_that_is_there() {
        let says = |entry: &str| {
            let text = format!(
                "apiVersion: v1
kind: ConfigMap
metadata: {{name: app, namespace: web}}
data: {{app.yaml: a, more.yaml: b}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: web, namespace: web}}
spec: {{valuesFrom: [{{kind: ConfigMap, name: app{entry}}}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(says(", valuesKey: app.yaml"), [""; 0]);
        assert_eq!(
            says(""),
            [
                "error flux/missing-key /spec/valuesFrom/0/name: ConfigMap app has no key `values.yaml`"
            ]
        );
        assert_eq!(
            says(", valuesKey: ap.yaml, optional: true"),
            [
                "error flux/missing-key /spec/valuesFrom/0/valuesKey: ConfigMap app has no key `ap.yaml`"
            ]
        );
        assert_eq!(says(", valuesKey: '${KEY}'"), [""; 0]);
    }
}
