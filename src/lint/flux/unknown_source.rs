//! Sources of charts and manifests that don't exist.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::lint::attachment::cluster::is_known;
use crate::lint::front::text;
use crate::lint::reference::instead::{Instead, instead};
use crate::lint::reference::names::is_sure;
use crate::lint::{Applied, LintContext};
use envoy_gateway::index::Key;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::{misspelt, slip};
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "flux"/"unknown-source", Error, "A source of a chart or of manifests that doesn't exist.",
    r#"
A HelmRelease or a Flux Kustomization names a source that doesn't exist in that namespace, while one with this
name is in another namespace, or one with a similar name in the same. A source that an operator makes is not
among the manifests; its name is taken for a mistake if a single object names it, and many name a similar one.
Nothing is installed, and nothing is updated. Without a `namespace`, the source is in the namespace of the
object that names it.

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
    let mut found = Vec::new();
    let mut others: Vec<Reference<'_>> = Vec::new();
    for (group, kind, path) in REFERENCES {
        for one in context.of_kind(group, kind) {
            let (kind, key) = named(one.object, path);
            if given.contains(&(kind, key)) {
                continue;
            }
            match missing(context, &one, path) {
                Some(one) => found.push(one),
                None => others.push(Reference {
                    one,
                    path,
                    kind,
                    key,
                }),
            }
        }
    }
    found.extend(misspelt_by_one(context, &others));
    found
}

/// A reference to a source that is not given.
struct Reference<'a> {
    one: Applied<'a>,
    path: &'static [&'static str],
    kind: &'a str,
    key: Key<'a>,
}

/// How many objects have to name a source that is not given, so that a single similar name is a mistake.
const MANY: usize = 3;

/// References to sources that only one object names, while many name a similar one. An operator or a bootstrap creates
/// such sources, often the one with the whole repository.
fn misspelt_by_one(context: &LintContext<'_>, all: &[Reference<'_>]) -> Vec<Diagnostic> {
    let mut users: BTreeMap<(&str, Key<'_>), Vec<&Reference<'_>>> = BTreeMap::new();
    for it in all {
        let of = users.entry((it.kind, it.key)).or_default();
        of.push(it);
    }
    let mut found = Vec::new();
    for ((kind, key), of) in &users {
        let [reference] = of.as_slice() else {
            continue;
        };
        let object = reference.one.object;
        let is_sure =
            is_known(key.name) && is_known(key.namespace) && is_sure(context, &reference.one);
        let meant = users.iter().find(|((its, other), of)| {
            let is_similar = (other.namespace == key.namespace
                && slip(key.name, [other.name]).is_some())
                || (other.name == key.name && slip(key.namespace, [other.namespace]).is_some());
            let near = of
                .iter()
                .filter(|it| context.may_share_cluster(it.one.object, object));
            its == kind && is_similar && near.count() >= MANY
        });
        if let Some(((_, meant), _)) = meant.filter(|_| is_sure) {
            let place = reference
                .path
                .iter()
                .fold(Pointer::root(), |place, key| place.key(*key));
            let field = if meant.name == key.name {
                "namespace"
            } else {
                "name"
            };
            let value = if meant.name == key.name {
                meant.namespace
            } else {
                meant.name
            };
            found.push(
                finding(
                    CODE,
                    object,
                    &place.key(field),
                    format!("nothing else names the {kind} {key}, but many name {meant}"),
                )
                .why(NOT_FETCHED)
                .help(format!("write `{value}`")),
            );
        }
    }
    found
}

const NOT_FETCHED: &str = "Flux can't fetch it, so nothing is installed or updated";

/// The kind and the name of the source that an object names.
fn named<'a>(object: &'a Object, path: &[&str]) -> (&'a str, Key<'a>) {
    let field = |key: &str| text(object, &[path, &[key]].concat());
    let key = Key {
        namespace: match field("namespace") {
            "" => object.namespace(),
            other => other,
        },
        name: field("name"),
    };
    (field("kind"), key)
}

fn missing(context: &LintContext<'_>, one: &Applied<'_>, path: &[&str]) -> Option<Diagnostic> {
    let object = one.object;
    let (kind, key) = named(object, path);
    if !is_known(key.name) || !is_known(key.namespace) || !is_sure(context, one) {
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
    .why(NOT_FETCHED);
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
    fn a_name_that_differs_from_that_of_many_is_told() {
        let kustomization = |name: &str, source: &str| {
            format!(
                "---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec: {{path: ./apps, sourceRef: {{kind: GitRepository, {source}}}}}
"
            )
        };
        let many: String = ["a", "b", "c"]
            .map(|name| kustomization(name, "name: flux-system"))
            .concat();
        let with = |source: &str| {
            let text = many.clone() + &kustomization("d", source);
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(with("name: flux-system"), [""; 0]);
        assert_eq!(with("name: other"), [""; 0]);
        assert_eq!(
            with("name: flux-sytem"),
            [
                "error flux/unknown-source /spec/sourceRef/name: nothing else names the GitRepository flux-system/flux-sytem, but many name flux-system/flux-system"
            ]
        );
        assert_eq!(
            with("name: flux-system, namespace: flux-sytem"),
            [
                "error flux/unknown-source /spec/sourceRef/namespace: nothing else names the GitRepository flux-sytem/flux-system, but many name flux-system/flux-system"
            ]
        );
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
