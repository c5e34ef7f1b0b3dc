//! Flux Kustomizations and HelmReleases that depend on one that doesn't exist.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::dependencies::{Dependency, Dependent, dependent_releases};
use crate::lint::LintContext;
use crate::lint::reference::instead::{Instead, instead};
use crate::lint::reference::names::is_sure;
use envoy_gateway::helm_routes::HELM;
use envoy_gateway::index::Key;
use flux_repo::{ClusterPlace, FLUX};
use manifest::diagnostic::suggest::{MOST_COMPARED, listed, misspelt, nearest};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "flux"/"missing-dependency", Error, "A Flux Kustomization or HelmRelease that depends on one that doesn't exist.",
    r#"
A Flux Kustomization depends on one that doesn't exist, or a HelmRelease on another HelmRelease. Flux waits until
the dependency is ready, so the object is never applied. Without a `namespace`, the dependency is in the object's
own namespace. A HelmRelease can't depend on a Kustomization, nor the other way round. This is reported if all Flux
Kustomizations of that namespace are among the manifests, if one of that name is in another namespace, or if
one in the same namespace has a similar name.

## Wrong

```yaml
kind: Kustomization
metadata:
  name: envoy-gateway-config
  namespace: network
spec:
  dependsOn:
    - name: envoy
```

## Right

```yaml
kind: Kustomization
metadata:
  name: envoy-gateway-config
  namespace: network
spec:
  dependsOn:
    - name: envoy-gateway
```
"#
}

/// Reports dependencies that don't exist.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = of_kustomizations(context);
    let releases = dependent_releases(context);
    for dependent in releases.iter().filter(|it| is_sure(context, &it.of)) {
        for need in dependent.needs.iter().filter(|need| is_missing(need)) {
            let elsewhere = elsewhere(context, &releases, dependent, need);
            let elsewhere = elsewhere.map(|there| in_other_namespace(dependent, need, there));
            let elsewhere = elsewhere.or_else(|| of_other_kind(context, dependent, need));
            let near = || similar(context, &releases, dependent, need);
            let nowhere = || nowhere(context, dependent, need);
            found.extend(elsewhere.or_else(near).or_else(nowhere));
        }
    }
    found
}

/// A HelmRelease that is not given, although Flux applies the one that depends on it, and everything that is listed
/// anywhere is given.
fn nowhere(
    context: &LintContext<'_>,
    dependent: &Dependent<'_>,
    need: &Dependency<'_>,
) -> Option<Diagnostic> {
    let is_whole = dependent.of.way.is_some_and(|way| way.flux.is_some())
        && context.delivery.missing().is_empty()
        && context.walked.iter().any(String::is_empty)
        // A ResourceSet of the Flux operator makes objects from templates.
        && context.given_of("ResourceSet").next().is_none()
        // The clusters of a repository may share more than its folders show.
        && !context.given_of("HelmRelease").any(|it| it.name() == need.name);
    let help = "name a HelmRelease that exists, or remove the dependency".to_owned();
    let found = nothing_there(dependent, need, help);
    is_whole.then(|| found.severity(Severity::Warning))
}

fn of_kustomizations(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let all = context.dependents();
    let mut found = Vec::new();
    let mut nearby: BTreeMap<(ClusterPlace, &str), NearDependents> = BTreeMap::new();
    for dependent in all {
        let place = context.delivery.place(&dependent.of.object.file);
        for need in dependent.needs.iter().filter(|need| is_missing(need)) {
            if let Some(there) = elsewhere(context, all, dependent, need) {
                found.push(in_other_namespace(dependent, need, there));
                continue;
            }
            if let Some(one) = of_other_kind(context, dependent, need) {
                found.push(one);
                continue;
            }
            let near = nearby
                .entry((place.clone(), need.namespace))
                .or_insert_with(|| NearDependents::new(context, all, &place, need.namespace));
            let missing = missing(near, dependent, need);
            found.extend(missing.or_else(|| similar(context, all, dependent, need)));
        }
    }
    found
}

/// A dependency whose name is a misspelling of one in the same namespace.
fn similar(
    context: &LintContext<'_>,
    all: &[Dependent<'_>],
    dependent: &Dependent<'_>,
    need: &Dependency<'_>,
) -> Option<Diagnostic> {
    let near = all
        .iter()
        .filter(|it| context.may_share_cluster(it.of.object, dependent.of.object));
    let there: BTreeSet<Key<'_>> = near.map(|it| Key::of(it.of.object)).collect();
    let key = Key {
        namespace: need.namespace,
        name: need.name,
    };
    let Some(Instead::Named(name)) = instead(key, &there) else {
        return None;
    };
    misspelt(need.name, [name])?;
    Some(nothing_there(
        dependent,
        need,
        format!("did you mean `{name}`?"),
    ))
}

/// A HelmRelease that a Flux Kustomization names, or the other way round.
fn of_other_kind(
    context: &LintContext<'_>,
    dependent: &Dependent<'_>,
    need: &Dependency<'_>,
) -> Option<Diagnostic> {
    let (group, kind, help) = match dependent.of.object.group() {
        FLUX => (
            HELM,
            "HelmRelease",
            "name the Flux Kustomization that applies the HelmRelease, with `wait: true` in it",
        ),
        _ => (
            FLUX,
            "Kustomization",
            "move the dependency to the Flux Kustomization that applies this HelmRelease",
        ),
    };
    let mut named = context.named(need.name);
    named.find(|it| {
        it.object.group() == group
            && it.object.kind() == kind
            && context.may_share_cluster(it.object, dependent.of.object)
    })?;
    let message = format!(
        "`{}` is a {kind}, and a {} can only depend on others of its own kind",
        need.name,
        dependent.kind()
    );
    Some(
        finding(CODE, dependent.of.object, &need.pointer, message)
            .why(format!(
                "Flux waits for a {} of that name, so it never applies {}",
                dependent.kind(),
                dependent.of.object.name()
            ))
            .help(help),
    )
}

fn is_missing(need: &Dependency<'_>) -> bool {
    need.found.is_none()
        && !need.namespace.is_empty()
        && !variable::in_text(need.name)
        && !variable::in_text(need.namespace)
}

/// The only Flux Kustomization of that name, which is in another namespace.
fn elsewhere<'d, 'a>(
    context: &LintContext<'_>,
    all: &'d [Dependent<'a>],
    dependent: &Dependent<'_>,
    need: &Dependency<'_>,
) -> Option<&'d Dependent<'a>> {
    let mut named = all.iter().filter(|one| {
        one.of.object.name() == need.name
            && one.of.at != dependent.of.at
            && !variable::in_text(one.of.object.namespace())
            && context.may_share_cluster(one.of.object, dependent.of.object)
    });
    named.next().filter(|_| named.next().is_none())
}

fn in_other_namespace(
    dependent: &Dependent<'_>,
    need: &Dependency<'_>,
    there: &Dependent<'_>,
) -> Diagnostic {
    let namespace = there.of.object.namespace();
    let name = need.name;
    let message = format!(
        "the {} {name} is in the namespace {namespace}, not in {}",
        dependent.kind(),
        need.namespace
    );
    finding(CODE, dependent.of.object, &need.pointer, message)
        .related(
            there.of.object.span(&Pointer::root().key("metadata").key("name")),
            "the one that is meant",
        )
        .why(format!(
            "Flux looks in the namespace {}, finds nothing there, and never applies {}; without `namespace`, it looks in the object's own",
            need.namespace,
            dependent.of.object.name()
        ))
        .help(format!("write `{{name: {name}, namespace: {namespace}}}` in `spec.dependsOn`"))
}

/// The Flux Kustomizations of a namespace that may be in the same cluster.
struct NearDependents<'a> {
    names: Vec<&'a str>,
    /// Whether there are no others.
    is_known_in_full: bool,
}

impl<'a> NearDependents<'a> {
    fn new(
        context: &LintContext<'a>,
        all: &[Dependent<'a>],
        place: &ClusterPlace<'_>,
        namespace: &str,
    ) -> Self {
        let near: Vec<&Dependent> = all
            .iter()
            .filter(|one| {
                one.of.object.namespace() == namespace
                    && place.may_share_cluster(&context.delivery.place(&one.of.object.file))
            })
            .collect();
        NearDependents {
            is_known_in_full: !near.is_empty() && is_known_in_full(context, namespace, &near),
            names: near.iter().map(|one| one.of.object.name()).collect(),
        }
    }

    /// A suggestion for a name that doesn't exist.
    fn help(&self, wanted: &str) -> String {
        let compared = self.names.iter().copied().take(MOST_COMPARED);
        if let Some(name) = nearest(wanted, compared) {
            return format!("did you mean `{name}`?");
        }
        format!("there are {}", listed(self.names.iter()))
    }
}

fn missing(
    near: &NearDependents<'_>,
    dependent: &Dependent<'_>,
    need: &Dependency<'_>,
) -> Option<Diagnostic> {
    if !near.is_known_in_full {
        return None;
    }
    Some(nothing_there(dependent, need, near.help(need.name)))
}

fn nothing_there(dependent: &Dependent<'_>, need: &Dependency<'_>, help: String) -> Diagnostic {
    let message = format!(
        "there is no {} {} in the namespace {}",
        dependent.kind(),
        need.name,
        need.namespace
    );
    finding(CODE, dependent.of.object, &need.pointer, message)
        .why(format!(
            "Flux waits for it and never applies {}",
            dependent.of.object.name()
        ))
        .help(help)
}

/// The namespace that Flux Kustomizations of all folders usually share.
const SHARED: &str = "flux-system";

/// Whether all Flux Kustomizations of a namespace are given: one kustomization lists them and everything that it
/// lists is given, or everything that applies them is given, up to the Kustomization that Flux starts with.
fn is_known_in_full(context: &LintContext<'_>, namespace: &str, all: &[&Dependent<'_>]) -> bool {
    let lacking: HashSet<usize> = context
        .delivery
        .missing()
        .iter()
        .map(|one| one.by)
        .collect();
    let lacks = |by: usize| lacking.contains(&by);
    let are_complete = all.iter().all(|one| {
        one.of.way.is_some_and(|way| {
            !way.is_partly_unknown && way.listed_by.map_or(way.flux.is_some(), |by| !lacks(by))
        })
    });
    let listers: BTreeSet<_> = all
        .iter()
        .map(|one| one.of.way.and_then(|way| way.listed_by))
        .collect();
    let is_one_folder = listers.len() == 1 && namespace != SHARED;
    are_complete && (is_one_folder || all.iter().all(|one| begins_with_flux(context, one.of.at)))
}

/// Whether everything that applies a Flux Kustomization is given, up to one that applies itself.
fn begins_with_flux(context: &LintContext<'_>, flux: usize) -> bool {
    let mut at = flux;
    for _ in 0..DEEPEST {
        let above = context.delivery.ways(at).first().and_then(|way| way.flux);
        match above {
            Some(above) if above == at => return context.delivery.missing().is_empty(),
            Some(above) => at = above,
            None => return false,
        }
    }
    false
}

/// A bound on how deeply Flux Kustomizations apply each other.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use crate::lint::flux::dependencies::tests::ks;
    use crate::lint::support::found_in;

    fn listing(names: &str) -> String {
        format!(
            "
# net/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{names}]"
        )
    }

    #[test]
    fn what_flux_waits_for_is_there() {
        let says = |names: &str, needs: &str| {
            let parts = [
                listing(names),
                ks("envoy", ""),
                ks("config", &format!("dependsOn: [{needs}]")),
            ];
            found_in(&format!("{}\n", parts.concat()))
        };
        let all = "envoy.yaml, config.yaml";
        assert_eq!(says(all, "{name: envoy}"), [""; 0]);
        assert_eq!(
            says(all, "{name: issuers, namespace: cert-manager}"),
            [""; 0]
        );
        assert_eq!(
            says("envoy.yaml, config.yaml, absent.yaml", "{name: envoi}"),
            [""; 0]
        );
        let with_keda = |needs: &str| {
            let keda = ks("keda", "").replace("namespace: network", "namespace: observability");
            let config = ks("config", &format!("dependsOn: [{needs}]"));
            found_in(&format!("{config}{keda}\n"))
        };
        assert_eq!(
            with_keda("{name: keda}"),
            [
                "error flux/missing-dependency net/config.yaml:6 the Flux Kustomization keda is in the namespace observability, not in network"
            ]
        );
        assert_eq!(with_keda("{name: keda, namespace: observability}"), [""; 0]);
        let release = "
# net/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: redis, namespace: network}";
        let on_release = ks("config", "dependsOn: [{name: redis}]");
        assert_eq!(
            found_in(&format!("{on_release}{release}\n")),
            [
                "error flux/missing-dependency net/config.yaml:6 `redis` is a HelmRelease, and a Flux Kustomization can only depend on others of its own kind"
            ]
        );
        assert_eq!(
            says(all, "{name: envoi}"),
            [
                "error flux/missing-dependency net/config.yaml:6 there is no Flux Kustomization envoi in the namespace network"
            ]
        );
    }
}
