//! Sources of charts and manifests that don't exist.

use std::collections::{BTreeSet, HashSet};

use crate::lint::attachment::cluster::{is_known, is_patched, is_walked};
use crate::lint::front::text;
use crate::lint::reference::instead::{Instead, instead};
use crate::lint::{Applied, LintContext};
use envoy_gateway::index::Key;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::misspelt;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "flux"/"unknown-source", Error, "A source of a chart or of manifests that doesn't exist.",
    r#"
A HelmRelease or a Flux Kustomization names a source that doesn't exist in that namespace, while one with this
name is in another namespace, or one with a similar name in the same. Nothing is installed, and nothing is
updated. Without a `namespace`, the source is in the namespace of the object that names it.

## Wrong

```yaml
kind: OCIRepository
metadata: {name: envoy-gateway, namespace: flux-system}
---
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec: {chartRef: {kind: OCIRepository, name: envoy-gateway}}
```

## Right

```yaml
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec: {chartRef: {kind: OCIRepository, name: envoy-gateway, namespace: flux-system}}
```
"#
}

const SOURCES: &str = "source.toolkit.fluxcd.io";

/// The kinds of sources.
const KINDS: [&str; 5] = [
    "OCIRepository",
    "HelmRepository",
    "GitRepository",
    "Bucket",
    "HelmChart",
];

/// The objects that name a source: group, kind, and the path of the reference.
const REFERENCES: &[(&str, &str, &[&str])] = &[
    (
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        &["spec", "chartRef"],
    ),
    (
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        &["spec", "chart", "spec", "sourceRef"],
    ),
    (
        "kustomize.toolkit.fluxcd.io",
        "Kustomization",
        &["spec", "sourceRef"],
    ),
    (SOURCES, "HelmChart", &["spec", "sourceRef"]),
];

/// Reports references to sources that don't exist.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let kinds = KINDS.iter();
    let given: HashSet<(&str, Key<'_>)> = kinds
        .flat_map(|kind| context.of_kind(SOURCES, kind))
        .map(|it| (it.object.kind(), Key::of(it.object)))
        .collect();
    if given.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (group, kind, path) in REFERENCES {
        for one in context.of_kind(group, kind) {
            found.extend(missing(context, &given, &one, path));
        }
    }
    found
}

fn missing(
    context: &LintContext<'_>,
    given: &HashSet<(&str, Key<'_>)>,
    one: &Applied<'_>,
    path: &[&str],
) -> Option<Diagnostic> {
    let object = one.object;
    let field = |key: &str| text(object, &[path, &[key]].concat());
    let kind = field("kind");
    let key = Key {
        namespace: match field("namespace") {
            "" => object.namespace(),
            other => other,
        },
        name: field("name"),
    };
    let is_whole = one.way.is_none_or(|way| !way.is_partly_unknown);
    let is_sure = is_whole && is_walked(context, object) && !is_patched(context, one);
    if given.contains(&(kind, key)) || !is_known(key.name) || !is_known(key.namespace) || !is_sure {
        return None;
    }
    let of_kind = context.of_kind(SOURCES, kind);
    let near: Vec<Applied<'_>> = of_kind
        .filter(|it| context.may_share_cluster(it.object, object))
        .collect();
    let mut of_name = near.iter().filter(|it| it.object.name() == key.name);
    if of_name.any(|it| is_in_component(context, it)) {
        return None;
    }
    let there: BTreeSet<Key<'_>> = near.iter().map(|it| Key::of(it.object)).collect();
    let may_be_it = |it: &Key<'_>| {
        (it.namespace == key.namespace || !is_known(it.namespace))
            && (it.name == key.name || !is_known(it.name))
    };
    if there.iter().any(may_be_it) {
        return None;
    }
    let place = path
        .iter()
        .fold(Pointer::root(), |place, key| place.key(*key));
    let found = finding(
        CODE,
        object,
        &place.key("name"),
        format!("there is no {kind} {key}"),
    )
    .why("Flux can't fetch it, so nothing is installed or updated");
    let mut others = context.named(key.name).filter(|it| {
        it.object.group() == SOURCES
            && KINDS.contains(&it.object.kind())
            && Key::of(it.object) == key
            && context.may_share_cluster(it.object, object)
    });
    if let Some(other) = others.next() {
        return Some(found.help(format!("write `kind: {}`", other.object.kind())));
    }
    Some(match instead(key, &there)? {
        Instead::Named(name) => {
            misspelt(key.name, [name])?;
            found.help(format!("write `{name}`"))
        }
        Instead::In(namespace) => {
            found.help(format!("add `namespace: {namespace}`, where the {kind} is"))
        }
    })
}

/// Whether a source is part of a component, of which each namespace that uses it gets a copy.
fn is_in_component(context: &LintContext<'_>, source: &Applied<'_>) -> bool {
    let by = source
        .way
        .and_then(|way| context.objects.get(way.listed_by?));
    by.is_some_and(|by| by.kind() == "Component")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn with(reference: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: envoy-gateway, namespace: flux-system}}
spec: {{url: oci://docker.io/envoyproxy/gateway-helm}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: envoy-gateway, namespace: network}}
spec: {{chartRef: {{kind: OCIRepository, {reference}}}}}
"
        );
        told(check, "1.9.0", &[("a.yaml", &text)])
    }

    #[test]
    fn a_source_in_another_namespace_or_with_a_similar_name_is_told() {
        assert_eq!(with("name: envoy-gateway, namespace: flux-system"), [""; 0]);
        assert_eq!(
            with("name: envoy-gateway"),
            [
                "error flux/unknown-source /spec/chartRef/name: there is no OCIRepository network/envoy-gateway"
            ]
        );
        assert_eq!(
            with("name: envoy-gatway, namespace: flux-system"),
            [
                "error flux/unknown-source /spec/chartRef/name: there is no OCIRepository flux-system/envoy-gatway"
            ]
        );
        assert_eq!(with("name: app-template"), [""; 0]);
    }

    #[test]
    fn a_source_of_another_kind_is_told() {
        let text = "apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1h, url: 'https://example.com/a.git'}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./apps, sourceRef: {kind: OCIRepository, name: flux-system}}
";
        assert_eq!(
            told(check, "1.9.0", &[("a.yaml", text)]),
            [
                "error flux/unknown-source /spec/sourceRef/name: there is no OCIRepository flux-system/flux-system"
            ]
        );
    }
}
