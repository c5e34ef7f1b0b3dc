//! Files and folders that kustomizations list but that don't exist.
//!
//! Only folders that were walked are checked, because it is not known which files exist in others.

use crate::lint::LintContext;
use flux_repo::{Entry, Kustomization, is_below_link, is_kustomization, kustomization_files};
use manifest::diagnostic::Diagnostic;
use manifest::value::path::folder;
use manifest::{Object, finding};

manifest::code! {
    "reference"/"missing-file", Error, "A file or folder that a kustomization lists but that doesn't exist.",
    r#"
A kustomization lists a file that doesn't exist, or a folder that has no kustomization. kustomize fails: it
builds nothing from the folder, and Flux applies none of its changes until the entry is corrected.

A file can be reported as missing only if its folder was searched, so give `validate` the folder that contains
all of the manifests. `render` checks the kustomizations that it writes or edits. If one of them would list a
missing file, `render` writes nothing.

## Wrong

```yaml
resources:
  - ./helm-release.yaml
```

## Right

```yaml
resources:
  - ./helmrelease.yaml
```
"#
}

/// Reports files that are listed but missing.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let kustomizations = context.objects.iter().filter(|it| is_kustomization(it));
    let mut found = Vec::new();
    for kustomization in kustomizations {
        let entries = Kustomization::of(kustomization).entries();
        let entries = entries.iter();
        found.extend(entries.filter_map(|entry| missing(context, kustomization, entry)));
    }
    found
}

/// The finding on an entry, if there is nothing at its path that kustomize can read.
fn missing(
    context: &LintContext<'_>,
    kustomization: &Object,
    entry: &Entry<'_>,
) -> Option<Diagnostic> {
    let target = entry.path.as_str();
    let is_hidden = target
        .split('/')
        .any(|step| step.starts_with('.') && step != "..");
    // Walking skips hidden files. If even the folder of the target is missing, maybe only a part of the repository is
    // given.
    if is_hidden || !context.is_walked(target) || !context.has_folder(folder(target)) {
        return None;
    }
    if is_below_link(context.files, target) {
        return None;
    }
    let has_own = kustomization_files(target).any(|file| context.files.contains(&file));
    let standing = match () {
        () if context.files.contains(target) => Standing::File,
        () if context.has_folder(target) => Standing::Folder { has_own },
        () => Standing::Nothing,
    };
    not_built(kustomization, entry, standing)
}

/// What exists at the path of a kustomization's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A file.
    File,
    /// A folder.
    Folder {
        /// Whether it has its own kustomization.
        has_own: bool,
    },
    /// Nothing.
    Nothing,
}

/// Reports the entries at which kustomize would fail. `stands` returns what exists, or will exist, at a path.
pub(crate) fn at_which_it_stops(
    objects: &[Object],
    stands: &dyn Fn(&str) -> Standing,
) -> Vec<Diagnostic> {
    let kustomizations = objects.iter().filter(|it| is_kustomization(it));
    let entries = kustomizations.flat_map(|it| {
        let entries = Kustomization::of(it).entries().into_iter();
        entries.map(move |entry| (it, entry))
    });
    entries
        .filter_map(|(it, entry)| not_built(it, &entry, stands(&entry.path)))
        .collect()
}

/// The finding on an entry, if kustomize would fail at what exists there.
fn not_built(kustomization: &Object, entry: &Entry<'_>, standing: Standing) -> Option<Diagnostic> {
    let written = entry.text;
    let (message, help) = match (standing, entry.role.may_be_folder()) {
        (Standing::File, _) | (Standing::Folder { has_own: true }, true) => return None,
        _ if entry.may_be_elsewhere => return None,
        (Standing::Folder { .. }, true) => (
            format!("`{written}` is a folder without a kustomization.yaml"),
            "list its files one by one, or give the folder a kustomization.yaml that does",
        ),
        (Standing::Folder { .. }, false) => (
            format!("`{written}` is a folder, and only a file can stand here"),
            "write the path of a file in it",
        ),
        (Standing::Nothing, _) => (
            format!("`{written}` is listed and not there"),
            "correct the path, or remove the entry",
        ),
    };
    Some(
        finding(CODE, kustomization, &entry.pointer, message)
            .why("kustomize stops at this entry: nothing of the folder is built, and Flux applies no change of it")
            .help(help),
    )
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
    fn what_is_listed_and_not_there_is_told() {
        let kustomization = list(
            "resources: [./a.yaml, ./b.yaml, ./empty, ../gone/c.yaml, 'https://example.com/d.yaml', ./.e.yaml]\n\
             configMapGenerator: [{name: m, files: [lua=m.lua]}]",
        );
        let tree = [
            ("app/kustomization.yaml", kustomization.as_str()),
            ("app/a.yaml", MAP),
            ("app/empty/values.yaml", "a: b\n"),
        ];
        assert_eq!(
            told(check, "1.9.0", &tree),
            [
                "error reference/missing-file /resources/1: `./b.yaml` is listed and not there",
                "error reference/missing-file /resources/2: `./empty` is a folder without a kustomization.yaml",
                "error reference/missing-file /configMapGenerator/0/files/0: `lua=m.lua` is listed and not there",
            ]
        );
    }
}
