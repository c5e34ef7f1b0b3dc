//! Policies of routes that replace the protection by a policy of the gateway.

use super::cluster::ClusterAttachments;
use super::policies::place_of;
use crate::lint::LintContext;
use envoy_gateway::index::Key;
use envoy_gateway::policy::effective::EffectivePolicies;
use envoy_gateway::policy::{Outcome, Policy, PolicyKind, PolicyTarget, Scope};
use envoy_gateway::read::{has, list, text};
use envoy_gateway::{ListenerId, PolicyId};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Node;

manifest::code! {
    "attachment"/"replaced-protection", Warning, "A policy that removes the protection by a policy of the gateway.",
    r#"
Of several policies of one kind, only the most specific one applies: that of a rule, else of the route, else of
the listener, else of the gateway. It replaces the others as a whole. So a SecurityPolicy that adds a login to a
route removes the allow list that the gateway's SecurityPolicy has for all routes. With `mergeType` the policy
of a route is merged with the gateway's: in BackendTrafficPolicies, from Envoy Gateway 1.8 on in
SecurityPolicies, and from 1.9 on in EnvoyExtensionPolicies. If the protection is meant to be removed, disable
this check with `--ignore attachment/replaced-protection`.

## Wrong

```yaml
kind: SecurityPolicy
metadata: {name: lan-only, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: envoy-external}]
  authorization:
    defaultAction: Deny
    rules: [{action: Allow, principal: {clientCIDRs: [10.10.0.0/16]}}]
---
kind: SecurityPolicy
metadata: {name: wiki-login, namespace: wiki}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: wiki}]
  basicAuth: {users: {name: wiki-users}}
```

## Right

```yaml
kind: SecurityPolicy
metadata: {name: wiki-login, namespace: wiki}
spec:
  mergeType: StrategicMerge
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: wiki}]
  basicAuth: {users: {name: wiki-users}}
```
"#
}

/// The ways by which clients prove who they are. One may be meant to replace another.
const LOGINS: [&str; 5] = ["jwt", "oidc", "basicAuth", "apiKeyAuth", "extAuth"];

/// The keys that say where a policy applies, and not what it does.
const TARGETS: [&str; 4] = ["targetRef", "targetRefs", "targetSelectors", "mergeType"];

/// The protection in the settings of one policy that those of another one don't have.
fn lost(kind: PolicyKind, outer: &Node, inner: &Node) -> Vec<&'static str> {
    let is_lost = |key: &&&'static str| outer.get(key).is_some() && inner.get(key).is_none();
    let of = |keys: &'static [&'static str]| keys.iter().filter(is_lost).copied();
    match kind {
        PolicyKind::Security => {
            let has_login = LOGINS.iter().any(|key| inner.get(key).is_some());
            let logins = of(&LOGINS).filter(|_| !has_login);
            of(&["authorization"])
                .chain(logins)
                .chain(of(&["cors"]))
                .collect()
        }
        PolicyKind::Backend => of(&["rateLimit"]).collect(),
        PolicyKind::Extension => of(&["lua", "wasm", "extProc"]).collect(),
        PolicyKind::Client => {
            let paths: [(&'static str, &[&str]); 4] = [
                ("clientIPDetection", &["clientIPDetection"]),
                ("proxyProtocol", &["proxyProtocol"]),
                ("tls.minVersion", &["tls", "minVersion"]),
                ("tls.clientValidation", &["tls", "clientValidation"]),
            ];
            let is_lost = |path: &[&str]| has(outer, path) && !has(inner, path);
            let lost = paths.into_iter().filter(|(_, path)| is_lost(path));
            lost.map(|(name, _)| name).collect()
        }
        PolicyKind::Patch | PolicyKind::Server => Vec::new(),
    }
}

/// Whether a policy says explicitly that everybody is admitted: it has no settings, or only an authorization that allows
/// all requests.
fn admits_everybody(spec: &Node) -> bool {
    let settings = spec.as_map().into_iter().flat_map(|map| map.iter());
    let mut settings = settings.filter(|(key, _)| !TARGETS.contains(key));
    let is_open = |node: &Node| {
        text(node, &["defaultAction"]) == Some("Allow") && list(node, &["rules"]).is_empty()
    };
    settings.all(|(key, node)| key == "authorization" && is_open(node))
}

impl ClusterAttachments<'_, '_> {
    /// Reports what a policy removes by replacing a policy of a wider scope.
    pub(super) fn replaced(
        &self,
        in_force: &EffectivePolicies<'_>,
        policy: &Policy<'_>,
    ) -> Vec<Diagnostic> {
        let Some(spec) = policy.spec() else {
            return Vec::new();
        };
        if self.is_open(policy.object) || admits_everybody(spec) {
            return Vec::new();
        }
        let targets = policy.targets.iter();
        let targets = targets.filter(|it| it.outcome == Outcome::Holds);
        let found = targets.filter_map(|target| self.replaced_at(in_force, policy, target));
        found.collect()
    }

    fn replaced_at(
        &self,
        in_force: &EffectivePolicies<'_>,
        policy: &Policy<'_>,
        target: &PolicyTarget<'_>,
    ) -> Option<Diagnostic> {
        let spec = policy.spec()?;
        let can_merge = matches!(target.scope, Scope::Route(..) | Scope::Rule(..));
        if can_merge && has(spec, &["mergeType"]) {
            return None;
        }
        let outer = self.outer(in_force, policy, target)?;
        let outer = self.resolved.policy(outer)?;
        if std::ptr::eq(outer.object, policy.object) || self.is_open(outer.object) {
            return None;
        }
        let lost = lost(policy.kind, outer.spec()?, spec);
        if lost.is_empty() {
            return None;
        }
        let settings: Vec<String> = lost.iter().map(|it| format!("`{it}`")).collect();
        let settings = settings.join(", ");
        let (scope, kind, name) = (target.scope, policy.object.kind(), Key::of(outer.object));
        let message = format!(
            "the policy replaces {kind} {name} for {scope}, so {settings} of that policy no longer applies there"
        );
        let help = match can_merge && merges(self.context, policy.kind) {
            true => format!(
                "add `mergeType: StrategicMerge` to the `spec`, which keeps what {name} says, or repeat {settings} here"
            ),
            false => format!("repeat {settings} in this policy"),
        };
        let place = place_of(policy.object, target);
        let found = finding(CODE, policy.object, &place, message)
            .why("of several policies of one kind only the most specific one applies, and it replaces the others as a whole")
            .help(help)
            .related(outer.object.span(&super::cluster::spec()), "the policy that is replaced");
        Some(found)
    }

    /// The policy that would apply at a target without the more specific one.
    fn outer(
        &self,
        in_force: &EffectivePolicies<'_>,
        policy: &Policy<'_>,
        target: &PolicyTarget<'_>,
    ) -> Option<PolicyId> {
        let scope = target.scope;
        let at = |listener: ListenerId| {
            let outer = self
                .resolved
                .effective(in_force, policy.kind, None, listener);
            outer.first().copied()
        };
        match scope {
            Scope::Route(kind, key) | Scope::Rule(kind, key, _) => {
                let mut routes = self.resolved.routes().iter();
                let route = routes.find(|it| it.kind == kind && it.key() == key)?;
                let listeners = route.parents.iter().flat_map(|it| &it.attachments);
                let mut outer = listeners.filter_map(|it| at(it.listener));
                outer.find(|it| self.loses(*it, policy))
            }
            Scope::GatewayListener(key, _) => {
                let mut all = self.resolved.policies().iter();
                let place = all.position(|it| {
                    let mut targets = it.targets.iter();
                    it.kind == policy.kind
                        && targets.any(|it| {
                            it.scope == Scope::Gateway(key) && it.outcome == Outcome::Holds
                        })
                });
                place.map(PolicyId)
            }
            _ => None,
        }
    }

    fn loses(&self, outer: PolicyId, policy: &Policy<'_>) -> bool {
        let outer = self.resolved.policy(outer).and_then(|it| it.spec());
        outer
            .zip(policy.spec())
            .is_some_and(|(outer, inner)| !lost(policy.kind, outer, inner).is_empty())
    }
}

/// Whether a policy of this kind can be merged with that of the gateway.
fn merges(context: &LintContext<'_>, kind: PolicyKind) -> bool {
    let since = match kind {
        PolicyKind::Backend => (1, 5),
        PolicyKind::Security => (1, 8),
        PolicyKind::Extension => (1, 9),
        _ => return false,
    };
    context
        .envoy_gateway()
        .is_none_or(|version| version >= since)
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, policy, route, said};

    const LAN: &str = "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}], \
                       authorization: {defaultAction: Deny, rules: []}, jwt: {providers: []}}";

    fn with(settings: &str) -> Vec<String> {
        let own = format!(
            "{{targetRefs: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, name: app}}], {settings}}}"
        );
        let own = policy("SecurityPolicy", "login", &own)
            .replace("namespace: network", "namespace: apps");
        let lan = policy("SecurityPolicy", "lan", LAN);
        let found = said(&format!(
            "{GATEWAY}{}{lan}{own}",
            route("sectionName: https", "rules: []")
        ));
        found
            .into_iter()
            .filter(|it| it.contains("replaced-protection"))
            .collect()
    }

    #[test]
    fn a_policy_of_a_route_that_removes_the_allow_list_is_told() {
        assert_eq!(
            with("cors: {allowOrigins: ['https://www.example.com']}"),
            [
                "attachment/replaced-protection /spec/targetRefs/0: the policy replaces SecurityPolicy network/lan for \
              HTTPRoute apps/app, so `authorization`, `jwt` of that policy no longer applies there (add `mergeType: \
              StrategicMerge` to the `spec`, which keeps what network/lan says, or repeat `authorization`, `jwt` here)"
            ]
        );
        for right in [
            "mergeType: StrategicMerge, cors: {}",
            "authorization: {defaultAction: Deny}, basicAuth: {}",
            "authorization: {defaultAction: Allow}",
        ] {
            assert_eq!(with(right), [""; 0], "{right}");
        }
    }
}
