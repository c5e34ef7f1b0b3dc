//! Flux Kustomizations whose folder doesn't exist.

use std::collections::BTreeMap;

use crate::lint::attachment::cluster::is_patched;
use crate::lint::front::text;
use crate::lint::{Applied, LintContext};
use envoy_gateway::read::list;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::finding;
use manifest::value::path::join;
use manifest::value::{Pointer, variable};

manifest::code! {
    "flux"/"missing-path", Error, "A Flux Kustomization for a folder that doesn't exist.",
    r#"
`spec.path` of a Flux Kustomization is a folder of its source. If there is no such folder, Flux reports
`kustomization path not found`, applies nothing, and everything that depends on the Kustomization waits. This is
reported only if all files are given, and if the paths of other Flux Kustomizations show that the source is this
repository. The paths in `spec.components` are relative to that folder.

## Wrong

```yaml
kind: Kustomization
metadata: { name: apps }
spec: { path: ./app }
```

## Right

```yaml
kind: Kustomization
metadata: { name: apps }
spec: { path: ./apps }
```
"#
}

/// A source: kind, namespace and name.
type SourceKey<'a> = (&'a str, &'a str, &'a str);

/// Reports paths that lead nowhere.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let all: Vec<Applied<'_>> = context
        .of_kind("kustomize.toolkit.fluxcd.io", "Kustomization")
        .collect();
    let mut here: BTreeMap<SourceKey<'_>, Vec<&str>> = BTreeMap::new();
    for one in &all {
        if let (Some(source), Some(path)) = (source(one.object), path(one.object))
            && context.delivery.folder(one.at) == Some(&path)
            && context.has_folder(&path)
        {
            let written = text(one.object, &["spec", "path"]);
            here.entry(source).or_default().push(written);
        }
    }
    let mut found = Vec::new();
    for one in &all {
        if let Some(known) = source(one.object).and_then(|source| here.get(&source)) {
            found.extend(missing(context, one, known));
            found.extend(missing_components(context, one));
        }
    }
    found
}

/// The components that don't exist. Their paths are relative to the folder of the Flux Kustomization.
fn missing_components(context: &LintContext<'_>, one: &Applied<'_>) -> Vec<Diagnostic> {
    let Some(folder) = path(one.object).filter(|it| context.has_folder(it)) else {
        return Vec::new();
    };
    if is_patched(context, one) {
        return Vec::new();
    }
    let components = list(&one.object.node, &["spec", "components"]).iter();
    let is_absent = |component: &str| {
        let at = join(&folder, component);
        let is_plain = !variable::in_text(component) && !component.contains("://");
        let is_hidden = at.split('/').any(|step| step.starts_with('.'));
        is_plain && !is_hidden && context.is_walked(&at) && !context.has_folder(&at)
    };
    let found = components.enumerate().filter_map(|(at, component)| {
        let component = component.as_str().filter(|it| is_absent(it))?;
        let place = Pointer::root().key("spec").key("components").index(at);
        let message = format!("there is no folder `{component}` beside `{folder}`");
        Some(
            finding(CODE, one.object, &place, message)
                .why("Flux can't build the Kustomization and applies nothing of it")
                .help(format!(
                    "write the path of a component, relative to `{folder}`"
                )),
        )
    });
    found.collect()
}

fn missing(context: &LintContext<'_>, one: &Applied<'_>, known: &[&str]) -> Option<Diagnostic> {
    let path = path(one.object)?;
    let is_hidden = path.split('/').any(|step| step.starts_with('.'));
    let is_known = context.is_walked(&path) && !is_hidden && !is_patched(context, one);
    if context.delivery.folder(one.at).is_some() || !is_known || context.has_folder(&path) {
        return None;
    }
    let written = text(one.object, &["spec", "path"]);
    let help = match nearest(written, known.iter().copied()) {
        Some(near) => format!("write the path of a folder that exists, such as `{near}`"),
        None => {
            "write the path of a folder that exists, or remove the Flux Kustomization".to_owned()
        }
    };
    let place = Pointer::root().key("spec").key("path");
    let message = format!("there is no folder `{written}`");
    Some(
        finding(CODE, one.object, &place, message)
            .why("Flux applies nothing of it, and what depends on it waits")
            .help(help),
    )
}

/// The source of a Flux Kustomization.
fn source(object: &Object) -> Option<SourceKey<'_>> {
    let field = |key| text(object, &["spec", "sourceRef", key]);
    let namespace = match field("namespace") {
        "" => object.namespace(),
        namespace => namespace,
    };
    let key = (field("kind"), namespace, field("name"));
    (!key.2.is_empty()).then_some(key)
}

/// The path of a Flux Kustomization, without `./`.
fn path(object: &Object) -> Option<String> {
    let written = text(object, &["spec", "path"]);
    if written.is_empty() || variable::in_text(written) || written.contains("..") {
        return None;
    }
    let path = join("", written);
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_path_is_that_of_a_folder() {
        let kustomization = |name: &str, path: &str| {
            format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec: {{prune: true, path: {path}, sourceRef: {{kind: GitRepository, name: flux-system}}}}
"
            )
        };
        let says = |path: &str| {
            let (own, apps) = (
                kustomization("clusters", "./clusters"),
                kustomization("apps", path),
            );
            let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n";
            let files = [
                ("clusters/a.yaml", own.as_str()),
                ("clusters/b.yaml", apps.as_str()),
                ("apps/a.yaml", map),
            ];
            told(check, "1.9.0", &files)
        };
        assert_eq!(says("./apps"), [""; 0]);
        assert_eq!(
            says("./app"),
            ["error flux/missing-path /spec/path: there is no folder `./app`"]
        );
    }
}
