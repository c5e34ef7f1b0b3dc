//! Routes, Services and Backends that policies name, and that don't exist. A chart may create any of them, so nothing
//! is said of a name that a given HelmRelease could stand for.

use std::collections::BTreeSet;

use super::cluster::{ClusterAttachments, is_known, is_walked, list, spec};
use super::no_target::{CODE, NOTHING};
use crate::lint::reference::instead::{Instead, instead};
use crate::lint::words::any_text;
use envoy_gateway::RouteKind;
use envoy_gateway::helm_routes::{HELM, release_name, release_namespace};
use envoy_gateway::index::{ENVOY_GATEWAY, GATEWAY_API, Key};
use envoy_gateway::policy::Policy;
use envoy_gateway::read;
use manifest::diagnostic::suggest::MOST_COMPARED;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, finding};

impl<'a> ClusterAttachments<'_, 'a> {
    /// A route that doesn't exist, if it would have to be among the given objects, or is among them in another
    /// namespace or of another kind.
    pub(super) fn no_route(
        &self,
        policy: &Object,
        kind: RouteKind,
        key: Key<'_>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        // A route whose parents are wrong is not resolved, but it is there, and its parents are reported.
        let is_given = self.all.iter().any(|one| {
            let object = one.object;
            (object.group(), object.kind()) == (GATEWAY_API, kind.as_str())
                && Key::of(object) == key
        });
        if is_given || !self.is_certain(policy, key) {
            return None;
        }
        let mut of_kind = BTreeSet::new();
        let mut others = Vec::new();
        for route in self.resolved.routes() {
            match route.kind == kind {
                true => of_kind.insert(route.key()),
                false => {
                    others.push(route);
                    continue;
                }
            };
        }
        let kind = kind.as_str();
        if let Some(other) = others.iter().find(|it| it.key() == key) {
            let message = format!("{key} is of kind {}, not {kind}", other.kind.as_str());
            return Some(
                finding(CODE, policy, &place.key("kind"), message)
                    .why(NOTHING)
                    .help(format!("write `kind: {}`", other.kind.as_str())),
            );
        }
        if let Some(found) = self.absent(policy, kind, key, &of_kind, place) {
            return Some(found);
        }
        // Without a release in the namespace, all its routes are in manifests.
        let there = of_kind.iter().filter(|it| it.namespace == key.namespace);
        let there: Vec<&str> = there.map(|it| it.name).take(MOST_COMPARED).collect();
        let has_releases = self.releases().any(|it| {
            let namespace = release_namespace(it);
            namespace == key.namespace || !is_known(namespace)
        });
        if there.is_empty() || has_releases {
            return None;
        }
        let message = format!("there is no {kind} {key}");
        Some(
            finding(CODE, policy, &place.key("name"), message)
                .why(NOTHING)
                .help(format!("use one that exists: {}", list(&there))),
        )
    }

    /// The finding on an object that is there under a similar name or in another namespace; `None` if it exists, or if
    /// a chart may create it.
    fn absent(
        &self,
        policy: &Object,
        kind: &str,
        key: Key<'_>,
        there: &BTreeSet<Key<'_>>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let may_be_it = |it: &Key<'_>| {
            (it.namespace == key.namespace || !is_known(it.namespace))
                && (it.name == key.name || !is_known(it.name))
        };
        if there.iter().any(may_be_it) || self.may_come_from_a_chart(key) {
            return None;
        }
        let message = format!("there is no {kind} {key}");
        let found = finding(CODE, policy, &place.key("name"), message).why(NOTHING);
        Some(match instead(key, there)? {
            Instead::Named(name) => found.help(format!("write `{name}`")),
            Instead::In(namespace) => found.severity(Severity::Warning).help(format!(
                "a policy can only target objects in its own namespace; move it to `{namespace}`, where the {kind} is"
            )),
        })
    }

    /// Whether a name and its place are known well enough to say that nothing has it.
    fn is_certain(&self, policy: &Object, key: Key<'_>) -> bool {
        is_known(key.name) && is_known(key.namespace) && is_walked(self.context, policy)
    }

    fn releases(&self) -> impl Iterator<Item = &'a Object> {
        let all = self.all.iter().map(|one| one.object);
        all.filter(|it| it.kind() == "HelmRelease" && it.group() == HELM)
    }

    /// Whether a chart may create an object with this name: charts name what they create after the release, unless
    /// their values say otherwise.
    pub(super) fn may_come_from_a_chart(&self, key: Key<'_>) -> bool {
        self.releases().any(|release| {
            let namespace = release_namespace(release);
            let (name, own) = (release_name(release), release.name());
            let is_near = namespace == key.namespace || !is_known(namespace);
            let values = release.node.path(&["spec", "values"]);
            is_near
                && (key.name.contains(own)
                    || key.name.contains(&name)
                    || variable::in_text(&name)
                    || values.is_some_and(|it| any_text(it, &mut |text| text.contains(key.name))))
        })
    }

    /// Reports Services and Backends that a BackendTLSPolicy names and that don't exist, and ports that they don't have.
    pub(super) fn backend_tls_targets(&self, policy: &'a Object) -> Vec<Diagnostic> {
        if self.is_open(policy) {
            return Vec::new();
        }
        let targets = read::list(&policy.node, &["spec", "targetRefs"]).iter();
        let found = targets.enumerate().filter_map(|(at, target)| {
            let place = spec().key("targetRefs").index(at);
            self.backend_tls_target(policy, target, &place)
        });
        found.collect()
    }

    fn backend_tls_target(
        &self,
        policy: &Object,
        target: &'a Node,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let field = |key: &str| read::text(target, &[key]).unwrap_or_default();
        let (group, kind) = (field("group"), field("kind"));
        let key = Key {
            namespace: policy.namespace(),
            name: field("name"),
        };
        let is_backend = matches!((group, kind), ("", "Service") | (ENVOY_GATEWAY, "Backend"));
        let right = match (group, kind) {
            ("", "Backend") => Some(ENVOY_GATEWAY),
            (ENVOY_GATEWAY, "Service") => Some("\"\""),
            _ => None,
        };
        if let Some(right) = right {
            let message = format!("there is no kind {kind} in the group `{group}`");
            return Some(
                finding(CODE, policy, &place.key("group"), message)
                    .why(NOTHING)
                    .help(format!("write `group: {right}`, or another `kind`")),
            );
        }
        if !is_backend || !self.is_certain(policy, key) {
            return None;
        }
        let given = self.all.iter().map(|one| one.object);
        let given = given.filter(|it| it.kind() == kind && it.group() == group);
        if let Some(object) = given.clone().find(|it| Key::of(it) == key) {
            return self.no_port(policy, object, target, place);
        }
        let other = match kind {
            "Service" => (ENVOY_GATEWAY, "Backend"),
            _ => ("", "Service"),
        };
        let mut objects = self.all.iter().map(|one| one.object);
        if objects.any(|it| (it.group(), it.kind()) == other && Key::of(it) == key) {
            let message = format!("there is no {kind} {key}, but a {}", other.1);
            let help = format!("write `group: \"{}\"` and `kind: {}`", other.0, other.1);
            return Some(
                finding(CODE, policy, &place.key("kind"), message)
                    .why(NOTHING)
                    .help(help),
            );
        }
        let rules = self.resolved.routes().iter().flat_map(|it| &it.rules);
        let used = rules.flat_map(|it| &it.backends);
        let used = used.filter(|it| it.kind == kind && it.group == group);
        let used = used.map(|it| Key {
            namespace: it.namespace,
            name: it.name,
        });
        let there: BTreeSet<Key<'_>> = given.map(Key::of).chain(used).collect();
        self.absent(policy, kind, key, &there, place)
    }

    /// A section that is no name of a port of the Service.
    fn no_port(
        &self,
        policy: &Object,
        service: &Object,
        target: &Node,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let section = read::text(target, &["sectionName"])?;
        if service.kind() != "Service" || self.is_open(service) || variable::in_text(section) {
            return None;
        }
        let ports = read::list(&service.node, &["spec", "ports"]).iter();
        let names: Vec<&str> = ports
            .map(|it| read::text(it, &["name"]).unwrap_or_default())
            .collect();
        if names
            .iter()
            .any(|it| *it == section || variable::in_text(it))
        {
            return None;
        }
        let named: Vec<&str> = names.into_iter().filter(|it| !it.is_empty()).collect();
        let help = match named.is_empty() {
            true => "its ports have no names; remove `sectionName`".to_owned(),
            false => format!("its ports are called {}", list(&named)),
        };
        let message = format!(
            "Service {} has no port with the name `{section}`",
            Key::of(service)
        );
        Some(
            finding(CODE, policy, &place.key("sectionName"), message)
                .why(NOTHING)
                .help(help),
        )
    }

    /// An EnvoyPatchPolicy for something else than a Gateway.
    pub(super) fn no_gateway_to_patch(
        &self,
        policy: &Policy<'_>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let merges = self.resolved.classes().iter().any(|it| it.merges);
        let wanted = if merges { "GatewayClass" } else { "Gateway" };
        let target = policy.object.node.path(&["spec", "targetRef"])?;
        let kind = read::text(target, &["kind"])?;
        if merges || kind == wanted || variable::in_text(kind) || !policy.ancestors.is_empty() {
            return None;
        }
        let gateways = self.resolved.gateways().iter();
        let gateways = gateways.filter(|it| it.object.namespace() == policy.object.namespace());
        let names: Vec<&str> = gateways.map(|it| it.object.name()).collect();
        let help = match names.is_empty() {
            true => {
                format!("write `group: {GATEWAY_API}`, `kind: Gateway` and the name of a Gateway")
            }
            false => format!("target a Gateway of this namespace: {}", list(&names)),
        };
        let message =
            format!("an EnvoyPatchPolicy can't target a resource of kind {kind}, only a Gateway");
        Some(
            finding(CODE, policy.object, &place.key("kind"), message)
                .why("Envoy Gateway ignores the policy, and its patches are not applied")
                .help(help),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, graded, policy, route, said};

    const ROUTE: &str =
        "{targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: NAME}]}";

    fn aimed(name: &str, namespace: &str, beside: &str) -> Vec<String> {
        let app = route("sectionName: https", "rules: []");
        let policy = policy("SecurityPolicy", "login", &ROUTE.replace("NAME", name));
        let policy = policy.replace("namespace: network", &format!("namespace: {namespace}"));
        let found = graded(&format!("{GATEWAY}{app}{policy}{beside}"));
        found
            .into_iter()
            .filter(|it| it.contains("no-target"))
            .collect()
    }

    #[test]
    fn a_policy_for_a_route_that_does_not_exist_is_told() {
        assert_eq!(aimed("app", "apps", ""), [""; 0]);
        assert_eq!(
            aimed("appp", "apps", ""),
            [
                "error attachment/no-target SecurityPolicy /spec/targetRefs/0/name: there is no HTTPRoute apps/appp"
            ]
        );
        assert_eq!(
            aimed("app", "network", ""),
            [
                "warning attachment/no-target SecurityPolicy /spec/targetRefs/0/name: there is no HTTPRoute network/app"
            ]
        );
        // It may come from a chart, or from another repository.
        let release = "---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: wiki, namespace: apps}
spec: {}
";
        assert_eq!(aimed("wiki", "apps", release), [""; 0]);
        assert_eq!(aimed("other", "apps", release), [""; 0]);
        assert_eq!(aimed("wiki", "wiki", ""), [""; 0]);
    }

    #[test]
    fn a_policy_for_a_route_of_another_kind_is_told() {
        let spec = ROUTE
            .replace("HTTPRoute", "GRPCRoute")
            .replace("NAME", "app");
        let policy = policy("SecurityPolicy", "login", &spec)
            .replace("namespace: network", "namespace: apps");
        let text = format!(
            "{GATEWAY}{}{policy}",
            route("sectionName: https", "rules: []")
        );
        assert_eq!(
            said(&text),
            [
                "attachment/no-target /spec/targetRefs/0/kind: apps/app is of kind HTTPRoute, not GRPCRoute (write `kind: HTTPRoute`)"
            ]
        );
    }

    #[test]
    fn a_backend_tls_policy_away_from_its_service_is_told() {
        let with = |namespace: &str, section: &str| {
            said(&format!(
                "{GATEWAY}---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: apps}}
spec: {{ports: [{{name: https, port: 443}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {{name: web, namespace: {namespace}}}
spec:
  targetRefs: [{{group: '', kind: Service, name: web{section}}}]
  validation: {{hostname: web.example.com, wellKnownCACertificates: System}}
"
            ))
        };
        assert_eq!(with("apps", ""), [""; 0]);
        assert_eq!(with("apps", ", sectionName: https"), [""; 0]);
        assert_eq!(
            with("network", ""),
            [
                "attachment/no-target /spec/targetRefs/0/name: there is no Service network/web (a policy can only target \
              objects in its own namespace; move it to `apps`, where the Service is)"
            ]
        );
        assert_eq!(
            with("apps", ", sectionName: '443'"),
            [
                "attachment/no-target /spec/targetRefs/0/sectionName: Service apps/web has no port with the name `443` \
              (its ports are called `https`)"
            ]
        );
    }

    #[test]
    fn a_patch_policy_for_a_route_is_told() {
        let spec = "{type: JSONPatch, targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: app}, jsonPatches: []}";
        assert_eq!(
            said(&format!(
                "{GATEWAY}{}",
                policy("EnvoyPatchPolicy", "a", spec)
            )),
            [
                "attachment/no-target /spec/targetRef/kind: an EnvoyPatchPolicy can't target a resource of kind HTTPRoute, \
              only a Gateway (target a Gateway of this namespace: `external`)"
            ]
        );
    }
}
