//! Health checks, values and variables from objects that nothing makes.

use std::collections::BTreeSet;

use super::variables_at_hand::target_of;
use crate::lint::attachment::cluster::is_known;
use crate::lint::front::text;
use crate::lint::reference::instead::{Instead, instead};
use crate::lint::reference::names::is_sure;
use crate::lint::words::any_text;
use crate::lint::{Applied, LintContext};
use envoy_gateway::helm_routes::{HELM, release_name};
use envoy_gateway::index::Key;
use envoy_gateway::read::{self, flag, list};
use flux_repo::FLUX;
use manifest::diagnostic::suggest::misspelt;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

manifest::code! {
    "flux"/"unknown-object", Error, "A health check, values or variables of an object that doesn't exist.",
    r#"
A Flux Kustomization takes variables from a ConfigMap or Secret (`postBuild.substituteFrom`) or waits for an object
(`healthChecks`), or a HelmRelease takes values from a ConfigMap or Secret (`valuesFrom`), and there is no such
object. Without it, Flux doesn't apply the Kustomization or install the chart, or it waits until the health check
fails. The ConfigMap or Secret is in the namespace of the object that names it. kustomize adds a hash to the names of
generated ConfigMaps and Secrets, and without a configuration of its name references it doesn't put that into a
HelmRelease. Entries with `optional: true` are not checked.

## Wrong

```yaml
kind: ConfigMap
metadata: {name: cluster-settings, namespace: flux-system}
---
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {postBuild: {substituteFrom: [{kind: ConfigMap, name: cluster-setings}]}}
```

## Right

```yaml
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {postBuild: {substituteFrom: [{kind: ConfigMap, name: cluster-settings}]}}
```
"#
}

/// A list of references in an object.
struct List {
    group: &'static str,
    kind: &'static str,
    path: &'static [&'static str],
    why: &'static str,
}

const LISTS: &[List] = &[
    List {
        group: FLUX,
        kind: "Kustomization",
        path: &["spec", "healthChecks"],
        why: "Flux waits for it until the time is up, then says that the Kustomization failed, and whatever depends on it waits",
    },
    List {
        group: FLUX,
        kind: "Kustomization",
        path: &["spec", "postBuild", "substituteFrom"],
        why: "Flux can't read the variables, so it applies nothing of the Kustomization",
    },
    List {
        group: HELM,
        kind: "HelmRelease",
        path: &["spec", "valuesFrom"],
        why: "Flux can't put the values together, so nothing is installed or updated",
    },
];

/// Reports references to objects that don't exist.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for list in LISTS {
        for one in context.of_kind(list.group, list.kind) {
            if is_sure(context, &one) {
                found.extend(of_list(context, list, &one));
            }
        }
    }
    found
}

fn of_list(context: &LintContext<'_>, of: &List, one: &Applied<'_>) -> Vec<Diagnostic> {
    let place = of.path.iter().fold(Pointer::root(), |at, key| at.key(*key));
    let items = list(&one.object.node, of.path).iter().enumerate();
    let found = items.filter_map(|(at, item)| {
        let wanted = Wanted::of(one, item)?;
        let (message, help, severity) = wanted.wrong(context)?;
        let place = place.index(at).key("name");
        let found = finding(CODE, one.object, &place, message);
        Some(found.severity(severity).why(of.why).help(help))
    });
    found.collect()
}

/// What a reference is for.
struct Wanted<'a> {
    owner: Applied<'a>,
    group: &'a str,
    kind: &'a str,
    key: Key<'a>,
}

impl<'a> Wanted<'a> {
    fn of(owner: &Applied<'a>, item: &'a Node) -> Option<Self> {
        let field = |key: &str| read::text(item, &[key]);
        let version = field("apiVersion").unwrap_or_default();
        let key = Key {
            namespace: field("namespace").unwrap_or(owner.object.namespace()),
            name: field("name")?,
        };
        let is_whole = is_known(key.name) && is_known(key.namespace);
        (is_whole && flag(item, &["optional"]) != Some(true)).then_some(Wanted {
            owner: *owner,
            group: version.split_once('/').map_or("", |(group, _)| group),
            kind: field("kind")?,
            key,
        })
    }

    fn is_data(&self) -> bool {
        self.group.is_empty() && matches!(self.kind, "ConfigMap" | "Secret")
    }

    /// What is wrong with the reference, what to do, and how bad it is.
    fn wrong(&self, context: &LintContext<'_>) -> Option<(String, String, Severity)> {
        let (kind, key) = (self.kind, self.key);
        let all = context.all();
        let near = all.filter(|it| context.may_share_cluster(it.object, self.owner.object));
        let near: Vec<Applied<'_>> = near.collect();
        let there: BTreeSet<Key<'_>> = near
            .iter()
            .filter_map(|it| self.is_made_by(it.object))
            .collect();
        let may_be_it = |it: &Key<'_>| {
            (it.namespace == key.namespace || !is_known(it.namespace))
                && (it.name == key.name || !is_known(it.name))
        };
        if there.iter().any(may_be_it) {
            return None;
        }
        let message = format!("there is no {kind} {key}");
        if self.is_data()
            && let Some(has_hash) = self.is_generated(context)
        {
            let help = "add `generatorOptions: {disableNameSuffixHash: true}` to the kustomization that generates it";
            let message = format!(
                "kustomize adds a hash to the name of {kind} {}, but not to this reference",
                key.name
            );
            return has_hash.then(|| (message, help.to_owned(), Severity::Error));
        }
        if self.may_be_made(&near) {
            return None;
        }
        let (help, severity) = match instead(key, &there) {
            Some(Instead::Named(name)) if misspelt(key.name, [name]).is_some() => {
                (format!("write `{name}`"), Severity::Error)
            }
            Some(Instead::In(namespace)) => (self.elsewhere(namespace), Severity::Warning),
            _ => {
                let other = self.of_other_kind(&near);
                (
                    other.or_else(|| self.nowhere(context, &there))?,
                    Severity::Warning,
                )
            }
        };
        Some((message, help, severity))
    }

    /// What to do about an object that is in another namespace.
    fn elsewhere(&self, namespace: &str) -> String {
        match self.is_data() {
            true => format!(
                "it is in namespace `{namespace}`; move it to `{}`, because the reference can't leave that namespace",
                self.key.namespace
            ),
            false => format!("write `namespace: {namespace}`"),
        }
    }

    /// What to do about an object that nothing makes, if Flux applies everything that the reference is among, and objects of
    /// the kind are kept there.
    fn nowhere(&self, context: &LintContext<'_>, there: &BTreeSet<Key<'_>>) -> Option<String> {
        let is_of_flux = self.owner.way.is_some_and(|way| way.flux.is_some());
        let mut there = there.iter();
        // Secrets are often made by hand, or by operators.
        let are_kept = match (self.is_data(), self.kind) {
            (true, kind) => kind == "ConfigMap",
            (false, _) => there.any(|it| it.namespace == self.key.namespace),
        };
        let is_flux = self.group.ends_with("toolkit.fluxcd.io");
        // A ResourceSet of the Flux operator makes objects from templates.
        let is_templated = context.given_of("ResourceSet").next().is_some();
        // The clusters of a repository may share more than its folders show.
        let mut others = context.objects.iter();
        let is_mentioned = others.any(|it| {
            let is_other =
                it.name() != self.owner.object.name() || it.kind() != self.owner.object.kind();
            let is_user = it.group() == FLUX || it.group() == HELM;
            it.name() == self.key.name && it.kind() == self.kind
                || is_other
                    && !is_user
                    && any_text(&it.node, &mut |text: &str| text.contains(self.key.name))
        });
        (is_of_flux && !is_templated && !is_mentioned && are_kept && (self.is_data() || is_flux))
            .then(|| {
                match self
            .is_data()
        {
            true => {
                "add it to the manifests, or write `optional: true` if Flux can go on without it"
                    .to_owned()
            }
            false => "name an object that exists, or remove the entry".to_owned(),
        }
            })
    }

    /// The key of the object that is wanted, if this one is of its kind or makes one.
    fn is_made_by<'o>(&self, object: &'o Object) -> Option<Key<'o>> {
        let is_own = object.kind() == self.kind && object.group() == self.group;
        if is_own {
            return Some(Key::of(object));
        }
        let is_secret = self.is_data() && self.kind == "Secret";
        let name = match object.kind() {
            "Certificate" => text(object, &["spec", "secretName"]),
            "SealedSecret" => object.name(),
            "ExternalSecret" => target_of(object),
            _ => "",
        };
        let namespace = object.namespace();
        (is_secret && !name.is_empty()).then_some(Key { namespace, name })
    }

    /// Whether a kustomization generates it; then with whether its name has a hash that the reference lacks.
    fn is_generated(&self, context: &LintContext<'_>) -> Option<bool> {
        let mut generated = context.delivery.generated().iter();
        let it = generated.find(|it| {
            it.generator.kind == self.kind && it.names().any(|name| name == self.key.name)
        })?;
        let mut makers = context.given_of("Kustomization");
        let is_taught = makers.any(|it| it.node.get("configurations").is_some());
        Some(it.generator.has_hash && !is_taught)
    }

    /// A ConfigMap that is a Secret, or the other way round.
    fn of_other_kind(&self, near: &[Applied<'_>]) -> Option<String> {
        if !self.is_data() {
            return None;
        }
        let kind = if self.kind == "Secret" {
            "ConfigMap"
        } else {
            "Secret"
        };
        let other = Wanted { kind, ..*self };
        let mut made = near.iter().filter_map(|it| other.is_made_by(it.object));
        made.any(|it| it == self.key)
            .then(|| format!("write `kind: {kind}`"))
    }

    /// Whether a chart or a tool may make it: a release of that name in its namespace, or anything that mentions its name
    /// otherwise than to use it.
    fn may_be_made(&self, near: &[Applied<'_>]) -> bool {
        let name = self.key.name;
        let copies = |text: &str| text.contains("reflect") || text.contains("replicat");
        let others = near.iter().map(|it| it.object);
        // What needs an object can't make it.
        let mut others = others.filter(|it| !std::ptr::eq(*it, self.owner.object));
        others.any(|it| match (it.group(), it.kind()) {
            (FLUX, _) => false,
            // No chart makes Flux's own objects.
            _ if !self.is_data() && self.group.ends_with("toolkit.fluxcd.io") => false,
            (HELM, "HelmRelease") => {
                let values = it.node.path(&["spec", "values"]);
                let is_named = |text: &str| text.contains(name);
                name.starts_with(&release_name(it))
                    || values.is_some_and(|it| any_text(it, &mut { is_named }))
            }
            ("", "ConfigMap" | "Secret") => {
                it.name() == name && any_text(&it.node, &mut { copies })
            }
            _ => {
                !it.group().ends_with("toolkit.fluxcd.io")
                    && it.kind() != self.kind
                    && any_text(&it.node, &mut |text: &str| text == name)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    const GIVEN: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: cluster-settings, namespace: flux-system}
data: {DOMAIN: example.com}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec: {VALUES}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./apps
  sourceRef: {kind: GitRepository, name: flux-system}
  REST
";

    fn with(rest: &str, values: &str) -> Vec<String> {
        let text = GIVEN.replace("REST", rest).replace("VALUES", values);
        told(check, "1.9.0", &[("a.yaml", &text)])
    }

    #[test]
    fn variables_of_a_config_map_that_does_not_exist_are_told() {
        let from = |entry: &str| with(&format!("postBuild: {{substituteFrom: [{entry}]}}"), "");
        assert_eq!(from("{kind: ConfigMap, name: cluster-settings}"), [""; 0]);
        assert_eq!(
            from("{kind: ConfigMap, name: cluster-setings}"),
            [
                "error flux/unknown-object /spec/postBuild/substituteFrom/0/name: there is no ConfigMap flux-system/cluster-setings"
            ]
        );
        assert_eq!(
            from("{kind: Secret, name: cluster-settings}"),
            [
                "warning flux/unknown-object /spec/postBuild/substituteFrom/0/name: there is no Secret flux-system/cluster-settings"
            ]
        );
        for silent in [
            "{kind: ConfigMap, name: cluster-setings, optional: true}",
            "{kind: Secret, name: cluster-secrets}",
            "{kind: ConfigMap, name: '${CLUSTER}-settings'}",
        ] {
            assert_eq!(from(silent), [""; 0], "{silent}");
        }
    }

    #[test]
    fn a_health_check_of_an_object_that_does_not_exist_is_told() {
        let of = |name: &str, namespace: &str| {
            with(
                &format!(
                    "healthChecks: [{{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: {name}, namespace: {namespace}}}]"
                ),
                "",
            )
        };
        assert_eq!(of("envoy-gateway", "network"), [""; 0]);
        assert_eq!(of("cert-manager", "cert-manager"), [""; 0]);
        let place = "flux/unknown-object /spec/healthChecks/0/name: there is no HelmRelease";
        assert_eq!(
            of("envoy-gatway", "network"),
            [format!("error {place} network/envoy-gatway")]
        );
        assert_eq!(
            of("envoy-gateway", "networking"),
            [format!("warning {place} networking/envoy-gateway")]
        );
    }

    #[test]
    fn values_in_another_namespace_are_told() {
        assert_eq!(
            with(
                "",
                "valuesFrom: [{kind: ConfigMap, name: cluster-settings}]"
            ),
            [
                "warning flux/unknown-object /spec/valuesFrom/0/name: there is no ConfigMap network/cluster-settings"
            ]
        );
    }

    #[test]
    fn a_generated_config_map_has_a_hash_in_its_name() {
        let with = |options: &str| {
            let kustomization = format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [release.yaml]
configMapGenerator: [{{name: values, files: [values.txt]}}]
{options}
"
            );
            let release = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app, namespace: network}
spec: {valuesFrom: [{kind: ConfigMap, name: values}]}
";
            let files = [
                ("kustomization.yaml", kustomization.as_str()),
                ("release.yaml", release),
                ("values.txt", "a: b"),
            ];
            told(check, "1.9.0", &files)
        };
        assert_eq!(
            with(""),
            [
                "error flux/unknown-object /spec/valuesFrom/0/name: kustomize adds a hash to the name of ConfigMap values, but not to this reference"
            ]
        );
        assert_eq!(
            with("generatorOptions: {disableNameSuffixHash: true}"),
            [""; 0]
        );
    }
}
