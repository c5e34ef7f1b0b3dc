//! Flux variables in objects that Flux applies without substitution.

use super::substitution::may_change_kustomizations;
use crate::lint::LintContext;
use flux_repo::{Delivery, is_flux_kustomization, may_patch};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Kind, Node, Pointer, pointer::Step, variable};

manifest::code! {
    "flux"/"not-substituted", Error, "A variable in an object for which Flux substitutes no variables.",
    r#"
The object contains a variable, but the Flux Kustomization that applies it doesn't substitute variables: it
has no `postBuild`, and no patch adds one. Flux then leaves `${NAME}` unchanged, with or without a default.
The API server refuses it as a hostname or an address, or accepts it as a literal name. This is not reported
if a patch of a Flux Kustomization that is not among the manifests could change it, or if the cluster has a webhook or
a policy that may change Flux Kustomizations.

## Wrong

```yaml
kind: Kustomization
metadata:
  name: envoy-gateway
spec:
  path: ./kubernetes/apps/network/envoy-gateway/app
```

## Right

```yaml
kind: Kustomization
metadata:
  name: envoy-gateway
spec:
  path: ./kubernetes/apps/network/envoy-gateway/app
  postBuild:
    substituteFrom:
      - kind: Secret
        name: cluster-secrets
```
"#
}

/// The groups in whose objects a `${…}` is never meant literally: it is in a name, a hostname or an address.
const GROUPS: [&str; 4] = [
    "gateway.networking.k8s.io",
    "gateway.envoyproxy.io",
    "cert-manager.io",
    "cilium.io",
];

/// Reports objects with variables that are applied by Flux Kustomizations without `postBuild`.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if context
        .all()
        .any(|one| may_change_kustomizations(one.object))
    {
        return found;
    }
    for one in context.all() {
        let Some(at) = one.way.and_then(|way| way.flux) else {
            continue;
        };
        let Some((flux, substitutes)) = context.substitutes(one.way) else {
            continue;
        };
        if !GROUPS.contains(&one.object.group()) || !substitutes.is_nothing() {
            continue;
        }
        // Annotations may be text for other programs.
        let Some(spec) = one.written.node.get("spec") else {
            continue;
        };
        let found_at = first_variable(spec, &mut Pointer::root().key("spec"));
        let Some((pointer, text)) = found_at else {
            continue;
        };
        if !is_all_known(context.objects, context.delivery, at) {
            continue;
        }
        let message = format!("{text} is not substituted here, and stays as it is");
        found.push(
            finding(CODE, one.object, &pointer, message)
                .related(flux.span(&Pointer::root().key("spec")), format!("{} has no `postBuild`", flux.name()))
                .why("the API server refuses it in a name, a hostname or an address, and Flux then applies nothing of its Kustomization")
                .help(format!("give {} `postBuild.substituteFrom`, or write the value itself", flux.name())),
        );
    }
    found
}

/// Whether a Flux Kustomization surely has no `postBuild`: what applies it is given, and doesn't patch it.
fn is_all_known(objects: &[Object], delivery: &Delivery, flux: usize) -> bool {
    let Some(object) = objects.get(flux) else {
        return false;
    };
    let ways = delivery.ways(flux);
    !ways.is_empty()
        && ways.iter().all(|way| {
            let patches = way.patched_by.iter().filter_map(|by| objects.get(*by));
            let is_applied = way
                .flux
                .and_then(|by| objects.get(by))
                .is_some_and(is_flux_kustomization);
            is_applied
                && !way.is_partly_unknown
                && !patches.into_iter().any(|by| may_patch(by, object))
        })
}

/// The first string with a variable. Scripts are skipped, because the variable may be the script's own.
fn first_variable<'a>(node: &'a Node, at: &mut Pointer) -> Option<(Pointer, &'a str)> {
    match &node.kind {
        Kind::String(text) if !text.contains('\n') && variable::in_text(text) => {
            Some((at.clone(), text))
        }
        Kind::Map(map) => map.iter().find_map(|(key, value)| {
            at.push(Step::Key(key.to_owned()));
            let found = first_variable(value, at);
            at.pop();
            found
        }),
        Kind::List(items) => items.iter().enumerate().find_map(|(nth, value)| {
            at.push(Step::Index(nth));
            let found = first_variable(value, at);
            at.pop();
            found
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::flux::substitution::tests::{SUBSTITUTES, delivered};
    use crate::lint::support::found_in;

    #[test]
    fn variables_are_substituted_by_somebody() {
        let gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {listeners: [{hostname: '${DOMAIN}'}]}\n";
        let parent = |rest: &str| {
            format!(
                "
# flux/parent.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: cluster, namespace: flux-system}}
spec:
  path: ./ks
  {rest}"
            )
        };
        let under = |rest: &str, post_build: &str| {
            let below = delivered(post_build, gateway).replace("# ks.yaml", "# ks/ks.yaml");
            found_in(&format!("{}{below}", parent(rest)))
        };
        assert_eq!(
            under("", ""),
            [
                "error flux/not-substituted app/x.yaml:4 ${DOMAIN} is not substituted here, and stays as it is"
            ]
        );
        assert_eq!(under("", SUBSTITUTES), [""; 0]);
        let patch = |path: &str| {
            let patch = format!(
                r#"[{{"op": "add", "path": "{path}", "value": {{"substitute": {{"DOMAIN": "b"}}}}}}]"#
            );
            format!("patches: [{{target: {{kind: Kustomization}}, patch: '{patch}'}}]")
        };
        assert_eq!(under(&patch("/spec/postBuild"), ""), [""; 0]);
        assert_eq!(under(&patch("/metadata/labels"), "").len(), 1);
        assert_eq!(
            found_in(&delivered("", gateway)),
            [""; 0],
            "a parent that is not given may patch it"
        );
    }
}
