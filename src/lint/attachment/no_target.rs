//! Policies whose target doesn't exist.

use std::collections::BTreeSet;

use super::cluster::{ClusterAttachments, is_known, is_patched, list, spec};
use super::no_gateway::{Missing, meant};
use crate::lint::Applied;
use envoy_gateway::RouteKind;
use envoy_gateway::helm_routes::{HELM, release_namespace};
use envoy_gateway::index::{GATEWAY_API, Key};
use envoy_gateway::policy::{Policy, PolicyKind, PolicyTarget, Scope};
use envoy_gateway::read::text;
use envoy_gateway::selector::{Labels, selects};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "attachment"/"no-target", Error, "A policy whose target doesn't exist.",
    r#"
A policy targets a gateway, a route or a Service that its namespace doesn't have, or a listener, a rule or a port
that its target doesn't have. The policy applies to nothing, so what it should protect is unprotected and what it
should limit is unlimited; its status doesn't show it. A policy's targets are in its own namespace, unless a selector
says otherwise. A BackendTLSPolicy belongs into the namespace of the Service, not into that of the route.

## Wrong

```yaml
targetRefs:
  - group: gateway.networking.k8s.io
    kind: Gateway
    name: envoy-external
    sectionName: htps
```

## Right

```yaml
targetRefs:
  - group: gateway.networking.k8s.io
    kind: Gateway
    name: envoy-external
    sectionName: https
```
"#
}

pub(super) const NOTHING: &str =
    "the policy applies to nothing: it protects nothing, and its settings have no effect";

impl<'a> ClusterAttachments<'_, 'a> {
    /// Reports a listener or rule that the target doesn't have.
    pub(super) fn no_section(
        &self,
        policy: &Policy<'_>,
        target: &PolicyTarget<'_>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let scope = target.scope;
        let names = self.sections(target);
        let given = scope.section().unwrap_or_default();
        if variable::in_text(given) || names.iter().any(|name| variable::in_text(name)) {
            return None;
        }
        let message = format!("{} {} has no `{given}`", scope.kind(), scope.key());
        Some(
            finding(CODE, policy.object, &place.key("sectionName"), message)
                .why(NOTHING)
                .help(format!("it has {}", list(&names))),
        )
    }

    /// A gateway or route that doesn't exist, although it would have to be among the given objects.
    pub(super) fn no_target(
        &self,
        policy: &Policy<'_>,
        target: &PolicyTarget<'_>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let key = match target.scope {
            // The schema refuses a ClientTrafficPolicy for anything else than gateways.
            Scope::Route(kind, key) | Scope::Rule(kind, key, _)
                if !matches!(policy.kind, PolicyKind::Client | PolicyKind::Patch) =>
            {
                return self.no_route(policy.object, kind, key, place);
            }
            _ if policy.kind == PolicyKind::Patch && target.scope.kind() != "Gateway" => {
                return self.no_gateway_to_patch(policy, place);
            }
            Scope::Gateway(key) | Scope::GatewayListener(key, _) => key,
            Scope::Set(key) | Scope::SetListener(key, _) => {
                return self.no_listener_set(CODE, policy.object, key, place);
            }
            _ => return None,
        };
        let missing = self.missing_gateway(policy.object, key, true)?;
        let message = format!("there is no Gateway {key}");
        let one = finding(CODE, policy.object, &place.key("name"), message);
        Some(match missing {
            Missing::Among(there) => one.why(NOTHING).help(meant(key.name, &there)),
            Missing::In(namespace) => one.severity(Severity::Warning).why(NOTHING).help(format!(
                "a policy can only target objects in its own namespace; move it to `{namespace}`"
            )),
        })
    }

    /// The names of the sections that a target has.
    fn sections(&self, target: &PolicyTarget<'_>) -> Vec<&str> {
        let owner = target.scope.whole();
        let listeners = self.resolved.listeners().iter();
        let of_owner = listeners
            .filter(|it| it.object.kind() == owner.kind() && Key::of(it.object) == owner.key());
        let routes = self.resolved.routes().iter();
        let rules = routes.filter(|it| it.kind.as_str() == owner.kind() && it.key() == owner.key());
        let rules = rules.flat_map(|it| it.rules.iter().filter_map(|rule| rule.name));
        of_owner.map(|it| it.name).chain(rules).collect()
    }

    /// A selector that matches none of the objects that it can select, if all of these are given.
    pub(super) fn selects_nothing(
        &self,
        policy: &Policy<'_>,
        at: usize,
        by: &Node,
    ) -> Option<Diagnostic> {
        let kind = text(by, &["kind"])?;
        let candidates = self.candidates(policy, kind, by)?;
        if candidates.is_empty() {
            return self.selects_elsewhere(policy, at, by);
        }
        let may_select = |one: &&&Applied<'_>| selects(Some(by), &self.labels(one)) != Some(false);
        let mut selected = candidates.iter().filter(may_select).peekable();
        if selected.peek().is_some() {
            return self.selects_ungranted(policy, at, selected.map(|one| one.object));
        }
        let names: BTreeSet<&str> = candidates.iter().map(|one| one.object.name()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let message = match names.as_slice() {
            [only] => {
                format!("the selector doesn't match {kind} `{only}`, the only one in its scope")
            }
            all => format!(
                "the selector matches none of the {} {kind}s in its scope",
                all.len()
            ),
        };
        let place = spec().key("targetSelectors").index(at);
        Some(
            finding(CODE, policy.object, &place, message)
                .severity(Severity::Warning)
                .why("the policy applies to nothing through it")
                .help(format!(
                    "use labels that the {kind} has (in `metadata.labels`, or added by a kustomization or by Flux's `commonMetadata`)"
                )),
        )
    }

    /// A selector that would match a gateway, if the policy were in the namespace of the gateway.
    fn selects_elsewhere(&self, policy: &Policy<'_>, at: usize, by: &Node) -> Option<Diagnostic> {
        if text(by, &["kind"]) != Some("Gateway") || by.get("namespaces").is_some() {
            return None;
        }
        let all = self.all.iter().filter(|one| {
            let object = one.object;
            object.kind() == "Gateway" && object.group() == GATEWAY_API
        });
        let mut selected = all.filter(|one| selects(Some(by), &self.labels(one)) == Some(true));
        let key = Key::of(selected.next()?.object);
        if !is_known(key.namespace) || !is_known(policy.object.namespace()) {
            return None;
        }
        let message = format!(
            "the selector matches no Gateway in namespace `{}`; Gateway {key} is in another one",
            policy.object.namespace()
        );
        let place = spec().key("targetSelectors").index(at);
        Some(
            finding(CODE, policy.object, &place, message)
                .severity(Severity::Warning)
                .why("without `namespaces`, a selector only looks in the namespace of the policy, so it applies to nothing, and no status says so")
                .help(format!("move the policy to namespace `{}`", key.namespace)),
        )
    }

    /// A selector that matches objects of other namespaces only, none of which allows that with a ReferenceGrant.
    fn selects_ungranted<'o>(
        &self,
        policy: &Policy<'_>,
        at: usize,
        mut selected: impl Iterator<Item = &'o Object>,
    ) -> Option<Diagnostic> {
        let own = policy.object.namespace();
        let first = selected.next()?;
        let is_refused = |it: &Object| {
            it.namespace() != own && is_known(it.namespace()) && !self.is_granted(policy.object, it)
        };
        if !is_refused(first) || !selected.all(is_refused) {
            return None;
        }
        let (kind, key) = (first.kind(), Key::of(first));
        let message = format!(
            "the selector matches {kind} {key}, but no ReferenceGrant in namespace `{}` allows the policy to target it",
            key.namespace
        );
        let place = spec().key("targetSelectors").index(at);
        let help = format!(
            "add a ReferenceGrant to namespace `{}` with `from: [{{group: {}, kind: {}, namespace: {own}}}]` and `to: [{{group: {GATEWAY_API}, kind: {kind}}}]`",
            key.namespace,
            policy.object.group(),
            policy.object.kind()
        );
        let found = finding(CODE, policy.object, &place, message);
        Some(found.severity(Severity::Warning).why(NOTHING).help(help))
    }

    /// The given objects that a selector can select; `None` if there may be others.
    fn candidates(&self, policy: &Policy<'_>, kind: &str, by: &Node) -> Option<Vec<&Applied<'a>>> {
        let is_route = RouteKind::parse(kind).is_some();
        if !(is_route || kind == "Gateway")
            || text(by, &["group"]).is_some_and(|group| group != GATEWAY_API)
        {
            return None;
        }
        let own = policy.object.namespace();
        let is_all = match text(by, &["namespaces", "from"]) {
            None | Some("Same") => false,
            Some("All") => true,
            Some(_) => return None,
        };
        let in_reach = |namespace: &str| is_all || namespace == own || !is_known(namespace);
        // Charts may create routes with unknown labels.
        let may_make = |one: &Applied<'_>| {
            let object = one.object;
            object.group() == HELM
                && object.kind() == "HelmRelease"
                && in_reach(release_namespace(object))
        };
        if is_route && self.all.iter().any(may_make) {
            return None;
        }
        let all = self.all.iter().filter(|one| {
            let object = one.object;
            object.kind() == kind && object.group() == GATEWAY_API && in_reach(object.namespace())
        });
        Some(all.collect())
    }

    fn labels(&self, one: &Applied<'_>) -> Labels {
        let mut labels = Labels {
            is_open: is_patched(self.context, one)
                || one.way.is_some_and(|way| way.is_partly_unknown),
            ..Labels::default()
        };
        labels.add(one.object.node.path(&["metadata", "labels"]));
        labels
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::cluster::check;
    use crate::lint::attachment::support::{GATEWAY, graded, policy, said, two_gateways};
    use crate::lint::support;

    #[test]
    fn a_section_that_is_not_there_is_told_with_those_that_are() {
        let of =
            |spec: &str| said(&(GATEWAY.to_owned() + &policy("BackendTrafficPolicy", "a", spec)));
        assert_eq!(
            of(
                "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external, sectionName: htp}]}"
            ),
            [
                "attachment/no-target /spec/targetRefs/0/sectionName: Gateway network/external has no `htp` (it has `http`, `https`)"
            ]
        );
    }

    #[test]
    fn a_target_that_is_not_there_is_told_where_others_of_its_namespace_are() {
        let spec =
            "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: internal}]}";
        assert_eq!(
            graded(&(GATEWAY.to_owned() + &policy("SecurityPolicy", "a", spec))),
            [
                "error attachment/no-target SecurityPolicy /spec/targetRefs/0/name: there is no Gateway network/internal"
            ]
        );
        let far = policy("SecurityPolicy", "a", &spec.replace("internal", "external"));
        assert_eq!(
            graded(&(GATEWAY.to_owned() + &far.replace("namespace: network", "namespace: apps"))),
            [
                "warning attachment/no-target SecurityPolicy /spec/targetRefs/0/name: there is no Gateway apps/external"
            ]
        );
    }

    #[test]
    fn selectors_that_match_nothing_are_told() {
        let of = |kind: &str, labels: &str| {
            let spec = format!(
                "{{targetSelectors: [{{group: gateway.networking.k8s.io, kind: {kind}, {labels}}}]}}"
            );
            graded(&(two_gateways() + &policy("SecurityPolicy", "lan", &spec)))
        };
        assert_eq!(of("Gateway", "matchLabels: {reach: lan}"), [""; 0]);
        assert_eq!(of("Gateway", "matchLabels: {reach: \"${X}\"}"), [""; 0]);
        assert_eq!(
            of("Gateway", "matchLabels: {reach: wan}"),
            [
                "warning attachment/no-target SecurityPolicy /spec/targetSelectors/0: the selector matches none of the 2 Gateways in its scope"
            ]
        );
        let spec = "{targetSelectors: [{group: gateway.networking.k8s.io, kind: Gateway, matchLabels: {reach: lan}}]}";
        let elsewhere =
            policy("SecurityPolicy", "lan", spec).replace("namespace: network", "namespace: edge");
        assert_eq!(
            graded(&(two_gateways() + &elsewhere)),
            [
                "warning attachment/no-target SecurityPolicy /spec/targetSelectors/0: the selector matches no Gateway in namespace `edge`; Gateway network/internal is in another one"
            ]
        );
        // No route of that namespace is given.
        assert_eq!(of("HTTPRoute", "matchLabels: {reach: wan}"), [""; 0]);
    }

    #[test]
    fn labels_that_flux_adds_are_counted() {
        let files = |label: &str| {
            let flux = format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: front, namespace: flux-system}}
spec:
  path: ./front
  commonMetadata: {{labels: {{reach: {label}}}}}
"
            );
            let spec = "{targetSelectors: [{kind: Gateway, matchLabels: {reach: wan}}]}";
            let front = GATEWAY.to_owned() + &policy("SecurityPolicy", "a", spec);
            let tree = [("ks.yaml", flux.as_str()), ("front/a.yaml", front.as_str())];
            support::told(check, "1.9.0", &tree)
        };
        assert_eq!(files("wan"), [""; 0]);
        assert_eq!(
            files("lan"),
            [
                "warning attachment/no-target /spec/targetSelectors/0: the selector doesn't match Gateway `external`, the only one in its scope"
            ]
        );
    }
}
