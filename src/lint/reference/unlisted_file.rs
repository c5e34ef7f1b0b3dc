//! Manifests beside a kustomization that no kustomization lists.
//!
//! Only folders that were walked are checked, because it is not known which files exist in others.

use std::collections::{BTreeMap, BTreeSet};

use crate::lint::LintContext;
use flux_repo::{is_kustomization, is_kustomization_file};
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::value::path::{folder, split};
use manifest::{Object, finding};

manifest::code! {
    "reference"/"unlisted-file", Warning, "A manifest that the kustomization of its folder does not list.",
    r#"
A manifest is in a folder whose kustomization doesn't list it, and no other kustomization lists it either.
Flux applies only what is listed, so the object never reaches the cluster, although it seems to be part of it.

A file that the kustomization names in a comment was removed on purpose, and is not reported.

## Wrong

```yaml
# in a folder with gateway.yaml and policy.yaml
resources:
  - ./gateway.yaml
```

## Right

```yaml
resources:
  - ./gateway.yaml
  - ./policy.yaml
```
"#
}

/// Reports manifests in a folder with a kustomization, if neither that one nor any other lists them.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let kustomizations = context.objects.iter().filter(|it| is_kustomization(it));
    let folders: BTreeMap<&str, &Object> = kustomizations
        .map(|object| (folder(&object.file), object))
        .collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (at, object) in context.objects.iter().enumerate() {
        let (folder, name) = split(&object.file);
        let Some(kustomization) = folders.get(folder) else {
            continue;
        };
        let is_no_matter = !context.delivery.is_left_out(at)
            || is_kustomization_file(&object.file)
            || is_configuration(object)
            || !context.is_walked(folder)
            || is_commented_out(context, kustomization, name);
        if is_no_matter || !seen.insert(object.file.as_str()) {
            continue;
        }
        let root = Pointer::root();
        let message = format!("the kustomization of its folder does not list {name}");
        let at_list = Pointer::root().key("resources");
        found.push(
            finding(CODE, object, &root, message)
                .related(kustomization.span(&at_list), "the list")
                .why(format!(
                    "Flux applies what is listed: {} {} never reaches the cluster",
                    object.kind(),
                    object.name()
                ))
                .help(format!(
                    "add `- ./{name}` to `resources`, or remove the file"
                )),
        );
    }
    found
}

/// Whether an object configures a program outside of the cluster.
fn is_configuration(object: &Object) -> bool {
    object.group().ends_with("config.k8s.io")
        || object.group().is_empty() && object.kind() == "Config"
}

/// Whether a comment in a kustomization contains the name of a file, which means that somebody removed it
/// intentionally.
fn is_commented_out(context: &LintContext<'_>, kustomization: &Object, name: &str) -> bool {
    let Some(text) = context.text(&kustomization.file) else {
        return false;
    };
    text.lines()
        .filter_map(|line| line.split_once('#'))
        .any(|(_, comment)| comment.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told;

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n";

    fn list(entries: &str) -> String {
        format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{entries}\n")
    }

    #[test]
    fn what_is_there_and_not_listed_is_told() {
        let empty = list("resources: []");
        let tree = [
            ("app/kustomization.yaml", empty.as_str()),
            ("app/a.yaml", MAP),
            ("app/values.yaml", "a: b\n"),
            ("other/b.yaml", MAP),
        ];
        assert_eq!(
            told(check, "1.9.0", &tree),
            [
                "warning reference/unlisted-file : the kustomization of its folder does not list a.yaml"
            ]
        );
    }

    #[test]
    fn what_another_list_or_a_comment_names_is_not_told() {
        let own = list("resources: [./a.yaml]\npatches: [{path: p.yaml}]\n# - ./off.yaml");
        let other = list("resources: [../app/b.yaml]");
        let tree = [
            ("app/kustomization.yaml", own.as_str()),
            ("other/kustomization.yaml", other.as_str()),
            ("app/a.yaml", MAP),
            ("app/b.yaml", MAP),
            ("app/p.yaml", MAP),
            ("app/off.yaml", MAP),
        ];
        assert_eq!(told(check, "1.9.0", &tree), [""; 0]);
    }
}
