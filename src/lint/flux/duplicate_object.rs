//! Objects that are defined twice.

use std::collections::HashMap;

use crate::lint::{Applied, LintContext};
use flux_repo::is_kustomization;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "flux"/"duplicate-object", Error, "An object that is defined twice.",
    r#"
Two manifests define an object of the same kind, namespace and name. If they are in one file or one
kustomization, kustomize fails (`may not add resource with an already registered id`), and nothing of the Flux
Kustomization is applied. If two Flux Kustomizations apply them, which is a warning, each overwrites what the
other has applied, and if one of them is removed, the object may be deleted. If both are equal, this is a
note.

## Wrong

```yaml
kind: HTTPRoute
metadata: { name: web, namespace: network }
---
kind: HTTPRoute
metadata: { name: web, namespace: network }
```

## Right

```yaml
kind: HTTPRoute
metadata: { name: web, namespace: network }
---
kind: HTTPRoute
metadata: { name: web-redirect, namespace: network }
```
"#
}

/// What identifies an object in a cluster.
type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

/// Reports the second definition of each object.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut seen: HashMap<Key<'_>, Vec<Applied<'_>>> = HashMap::new();
    let mut found = Vec::new();
    for one in context.all() {
        let object = one.object;
        let is_known = [object.name(), object.namespace()]
            .iter()
            .all(|text| !variable::in_text(text));
        // Nearly every folder defines its namespace, and a Kustomization of kustomize is no object of the cluster.
        let is_counted = object.kind() != "Namespace" && !is_kustomization(object);
        // What is rendered twice is reported where it is rendered.
        let is_rendered = context.model.is_some() && object.origins.is_some();
        let is_skipped = is_rendered || object.name().is_empty() || merges(&one);
        if !is_known || !is_counted || is_skipped {
            continue;
        }
        let key = (
            object.group(),
            object.kind(),
            object.namespace(),
            object.name(),
        );
        let others = seen.entry(key).or_default();
        let first = others
            .iter()
            .find(|other| other.at != one.at && context.may_share_cluster(other.object, object));
        found.extend(first.and_then(|first| report(context, first, &one)));
        others.push(one);
    }
    found
}

/// Whether Flux adds the object to one that exists, or leaves that as it is.
fn merges(one: &Applied<'_>) -> bool {
    let annotations = one.object.node.path(&["metadata", "annotations"]);
    let mode = annotations.and_then(|it| it.get("kustomize.toolkit.fluxcd.io/ssa"));
    mode.and_then(Node::as_str).is_some()
}

fn report(
    context: &LintContext<'_>,
    first: &Applied<'_>,
    second: &Applied<'_>,
) -> Option<Diagnostic> {
    let name = Pointer::root().key("metadata").key("name");
    let identity = second.object.identity();
    let listed = |one: &Applied<'_>| one.way.and_then(|way| way.listed_by);
    let by = |one: &Applied<'_>| {
        let way = one.way.filter(|way| !way.is_partly_unknown);
        way.and_then(|way| way.flux)
    };
    let is_together = first.object.file == second.object.file
        || listed(first).is_some() && listed(first) == listed(second) && by(first) == by(second);
    let one = finding(
        CODE,
        second.object,
        &name,
        format!("{identity} is defined twice"),
    )
    .related(first.object.place_to_change(&name), "the first definition");
    if is_together {
        return Some(
            one.why(
                "kustomize refuses the second one, so nothing of the Flux Kustomization is applied",
            )
            .help("remove one of the two, or give it another name"),
        );
    }
    let (flux, other) = (by(first)?, by(second)?);
    let files = (context.objects.get(flux)?, context.objects.get(other)?);
    // Without a namespace, it is not known whether they are in the same one.
    let is_same = flux != other
        && !second.object.namespace().is_empty()
        && context.may_share_cluster(files.0, files.1);
    let are_equal = first.object.node.to_json() == second.object.node.to_json();
    is_same.then(|| {
        let severity = match are_equal {
            true => Severity::Note,
            false => Severity::Warning,
        };
        one.severity(severity)
            .why("two Flux Kustomizations apply it, so each overwrites what the other has applied, and it may be deleted with either of them")
            .help("keep one of the two definitions, or give it another name")
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::flux::dependencies::tests::ks;
    use crate::lint::support::found_in;

    fn route(name: &str) -> String {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: {name}, namespace: network}}\n"
        )
    }

    #[test]
    fn an_object_is_defined_once() {
        let both =
            |second: &str| found_in(&format!("# a.yaml\n{}---\n{}", route("web"), route(second)));
        assert_eq!(both("app"), [""; 0]);
        assert_eq!(
            both("web"),
            ["error flux/duplicate-object a.yaml:7 HTTPRoute network/web is defined twice"]
        );
        let apart = |second: &str| {
            found_in(&format!(
                "{}{}\n# one/a.yaml\n{}# two/b.yaml\n{}",
                ks("one", ""),
                ks("two", ""),
                route("web"),
                route(second)
            ))
        };
        assert_eq!(apart("app"), [""; 0]);
        assert_eq!(
            apart("web"),
            ["note flux/duplicate-object two/b.yaml:3 HTTPRoute network/web is defined twice"]
        );
        let other = "web, labels: {a: b}";
        assert_eq!(
            apart(other),
            ["warning flux/duplicate-object two/b.yaml:3 HTTPRoute network/web is defined twice"]
        );
    }
}
