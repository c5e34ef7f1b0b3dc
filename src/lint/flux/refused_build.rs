//! What kustomize refuses when Flux builds a folder: patches that fit nothing, replacements without a source, and the
//! like.

use crate::lint::LintContext;
use flux_repo::build::BuildError;
use flux_repo::{Kustomization, is_kustomization};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::pointer::Step;

manifest::code! {
    "flux"/"refused-build", Error, "A patch or another part of a kustomization that kustomize refuses.",
    r#"
kustomize can't do what the kustomization, or the Flux Kustomization, asks for: for example, a patch is for an object
that is not there, or it changes a path that the object doesn't have. kustomize then builds nothing of the folder, and
Flux applies none of its changes until that is corrected.

A patch with a `target` that fits no object is no error for kustomize, because it changes nothing.

## Wrong

```yaml
resources:
  - ./helmrelease.yaml # the HelmRelease `player`
patches:
  - patch: |
      apiVersion: helm.toolkit.fluxcd.io/v2
      kind: HelmRelease
      metadata:
        name: plyer
      spec:
        suspend: true
```

## Right

```yaml
resources:
  - ./helmrelease.yaml
patches:
  - patch: |
      apiVersion: helm.toolkit.fluxcd.io/v2
      kind: HelmRelease
      metadata:
        name: player
      spec:
        suspend: true
```
"#
}

/// The keys whose entries lead to files. Missing ones are reported as `reference/missing-file`, and unreadable ones at
/// their mistake.
const FILES: [&str; 5] = ["resources", "components", "bases", "crds", "configurations"];

/// Reports what kustomize refuses.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let errors = context.build_errors.iter();
    errors
        .filter(|error| is_own_mistake(context, error))
        .map(|error| {
            let mut found = Diagnostic::new(CODE, format!("kustomize refuses this: {}", error.message))
                .at(error.at.span)
                .in_file(error.at.file.as_str())
                .with_pointer(error.at.pointer.to_string())
                .why("kustomize builds nothing of the folder, so Flux applies nothing of it")
                .help("correct the entry at the mark, or remove it; `kustomize build` shows the same error");
            found.object = object_in(context, &error.at.file).map(Object::reference);
            found
        })
        .collect()
}

fn object_in<'a>(context: &LintContext<'a>, file: &str) -> Option<&'a Object> {
    context.objects.iter().find(|object| object.file == file)
}

/// Whether an error is not only the consequence of a file that is missing, or that was not read.
fn is_own_mistake(context: &LintContext<'_>, error: &BuildError) -> bool {
    let first = error.at.pointer.steps().first();
    let Some(Step::Key(first)) = first else {
        return false;
    };
    if FILES.contains(&first.as_str()) {
        return false;
    }
    let pointer = error.at.pointer.to_string();
    let Some(kustomization) = object_in(context, &error.at.file).filter(|it| is_kustomization(it))
    else {
        return true;
    };
    let entries = Kustomization::of(kustomization).entries();
    let mut below = entries
        .iter()
        .filter(|entry| entry.pointer.to_string().starts_with(&pointer));
    below.all(|entry| context.texts.contains_key(&entry.path))
}

#[cfg(test)]
mod tests {
    use crate::lint::support::found_in;

    const TREE: &str = "
# flux/app.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec: {path: ./app}
# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [service.yaml]
patches:
  - patch: |
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec: {type: ClusterIP}
# app/service.yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
";

    fn found(text: &str) -> Vec<String> {
        let found = found_in(text).into_iter();
        found
            .filter(|one| one.contains("kustomize refuses"))
            .collect()
    }

    #[test]
    fn a_patch_for_an_object_that_is_not_there_is_told() {
        assert_eq!(found(TREE), Vec::<String>::new());
        let misspelt = TREE.replace(
            "metadata: {name: web}\n      spec",
            "metadata: {name: wbe}\n      spec",
        );
        let found = found(&misspelt);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("kustomize refuses this"), "{found:?}");
    }

    #[test]
    fn a_missing_patch_file_is_another_finding() {
        let missing = TREE.replace("- patch: |\n      apiVersion: v1\n      kind: Service\n      metadata: {name: web}\n      spec: {type: ClusterIP}\n", "- path: patch.yaml\n");
        assert_eq!(found(&missing), Vec::<String>::new());
    }
}
