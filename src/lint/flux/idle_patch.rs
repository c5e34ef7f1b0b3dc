//! Patches whose target matches nothing.

use crate::lint::LintContext;
use envoy_gateway::read::{has, list, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "flux"/"idle-patch", Warning, "A patch whose target matches nothing.",
    r#"
A patch of a kustomization or a Flux Kustomization has a `target`, and none of the objects there matches it. kustomize
says nothing about that: the patch is ignored. This is reported only if everything that the kustomization applies is
among the manifests, and if the patch does nothing wherever it is applied. `group`, `kind` and `name` of a target are
regular expressions for the whole value. Patches of components, and targets with selectors of labels or annotations, are
not reported, because they are for whatever chooses them.

## Wrong

```yaml
# The Gateway is called `envoy-external`.
patches:
  - target: {kind: Gateway, name: external}
    patch: |
      - {op: add, path: /metadata/labels, value: {reach: internet}}
```

## Right

```yaml
patches:
  - target: {kind: Gateway, name: envoy-external}
    patch: |
      - {op: add, path: /metadata/labels, value: {reach: internet}}
```
"#
}

/// Reports patches that change nothing.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let idle = context.idle_patches.iter();
    idle.filter_map(|place| {
        let source = place.span?.source;
        // A patch that another Flux Kustomization puts into this one is in another file.
        let mut objects = context.objects.iter().filter(|it| it.file == place.file);
        let by = objects.find(|it| it.node.span.is_some_and(|span| span.source == source))?;
        // In the build, the patches of a Flux Kustomization follow those of the folder's kustomization.
        let lists: [&[&str]; 3] = [&["patches"], &["spec", "patches"], &["patchesJson6902"]];
        lists.into_iter().find_map(|path| {
            let at = list(&by.node, path)
                .iter()
                .position(|it| it.span == place.span)?;
            let place = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
            report(by, &place.index(at).key("target"))
        })
    })
    .collect()
}

fn report(by: &Object, place: &Pointer) -> Option<Diagnostic> {
    let target = by.node.at(place)?;
    // Components and labels are for whatever chooses them.
    let is_by_choice = ["labelSelector", "annotationSelector"]
        .iter()
        .any(|key| has(target, &[key]));
    if by.kind() == "Component" || is_by_choice {
        return None;
    }
    let field = |key: &str| text(target, &[key]).unwrap_or_default();
    let (kind, name) = (field("kind"), field("name"));
    if variable::in_text(kind) || variable::in_text(name) {
        return None;
    }
    let what = match (kind, name) {
        ("", "") => "object that the target selects".to_owned(),
        ("", name) => format!("object `{name}`"),
        (kind, "") => format!("such {kind}"),
        (kind, name) => format!("{kind} `{name}`"),
    };
    let message = format!("the patch is for nothing: there is no {what} here");
    let found = finding(CODE, by, place, message);
    Some(found.why("kustomize ignores the patch without a word").help(
        "change the target to an object that this kustomization applies, or remove the patch",
    ))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_patch_has_a_target() {
        let with = |target: &str| {
            let kustomization = format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [a.yaml]
patches:
  - target: {{{target}}}
    patch: '[{{op: add, path: /metadata/labels, value: {{a: b}}}}]'
"
            );
            let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";
            let files = [
                ("kustomization.yaml", kustomization.as_str()),
                ("a.yaml", map),
            ];
            told(check, "1.9.0", &files)
        };
        for right in [
            "kind: ConfigMap",
            "kind: ConfigMap, name: settings",
            "kind: ConfigMap, name: set.*",
            "kind: 'Config(Map)?'",
        ] {
            assert_eq!(with(right), [""; 0], "{right}");
        }
        assert_eq!(
            with("kind: ConfigMap, name: setings"),
            [
                "warning flux/idle-patch /patches/0/target: the patch is for nothing: there is no ConfigMap `setings` here"
            ]
        );
        assert_eq!(
            with("kind: Gateway"),
            [
                "warning flux/idle-patch /patches/0/target: the patch is for nothing: there is no such Gateway here"
            ]
        );
    }
}
