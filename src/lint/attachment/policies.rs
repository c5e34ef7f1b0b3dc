//! What the controller says of policies and their targets.

use super::cluster::{ClusterAttachments, is_known, spec};
use super::{grants, refused};
use envoy_gateway::condition::{Condition, Status, kind};
use envoy_gateway::policy::client::SHARED_PORT;
use envoy_gateway::policy::{Outcome, Policy, PolicyTarget};
use envoy_gateway::read::list;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer};

impl<'a> ClusterAttachments<'_, 'a> {
    /// Reports targets that a policy does not apply to, and settings that can't be used.
    pub(super) fn policy(&self, policy: &Policy<'_>) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if self.is_open(policy.object) {
            return found;
        }
        for target in &policy.targets {
            let scope = target.scope;
            if !self.is_open_key(scope.kind(), scope.key()) {
                found.extend(self.target(policy, target));
            }
        }
        if let Some(condition) = policy.condition(kind::ACCEPTED, Status::False)
            && condition.reason == "Invalid"
            // The missing grant is reported where the policy names the backend.
            && (!condition.message.contains(grants::REFUSED) || self.crossings(policy).is_empty())
        {
            found.push(match condition.message.starts_with(SHARED_PORT) {
                true => self.shared_port(policy, condition),
                false => refused::report(policy.object, &spec(), condition),
            });
        }
        found
    }

    fn target(&self, policy: &Policy<'_>, target: &PolicyTarget<'_>) -> Option<Diagnostic> {
        let place = place_of(policy.object, target);
        match target.outcome {
            Outcome::Conflicts => Some(self.conflict(policy, target, &place)),
            Outcome::NoSection => self.no_section(policy, target, &place),
            Outcome::NotFound => self.no_target(policy, target, &place),
            Outcome::Holds => None,
        }
    }

    /// A policy for one of several plain HTTP listeners that share a port, at the target that it names.
    fn shared_port(&self, policy: &Policy<'_>, condition: &Condition) -> Diagnostic {
        let under = policy
            .ancestors
            .iter()
            .find(|(_, conditions)| conditions.iter().any(|one| std::ptr::eq(one, condition)));
        let target = under.and_then(|(under, _)| {
            let mut targets = policy.targets.iter();
            targets
                .find(|it| it.scope.key().name == under.name && it.scope.section() == under.section)
        });
        let place = target.map_or_else(spec, |target| place_of(policy.object, target));
        let found = refused::report(policy.object, &place, condition);
        found.why("the controller refuses the policy there, so none of its settings applies").help(
            "add a `sectionName` to each target, so that the policy applies to HTTPS listeners only, or give the plain HTTP listeners ports of their own; with `mergeGateways`, a policy for all gateways doesn't help, because each target counts by itself",
        )
    }

    /// Reports selectors that match nothing or too much.
    pub(super) fn selectors(&self, policy: &Policy<'a>) -> Vec<Diagnostic> {
        if self.is_open(policy.object) || !is_known(policy.object.namespace()) {
            return Vec::new();
        }
        let all = list(&policy.object.node, &["spec", "targetSelectors"]);
        let mut found: Vec<Diagnostic> = all
            .iter()
            .enumerate()
            .filter_map(|(at, by)| self.selects_nothing(policy, at, by))
            .collect();
        found.extend(self.selects_too_much(policy));
        found
    }
}

/// The path in the policy where a target is named.
pub(super) fn place_of(policy: &Object, target: &PolicyTarget<'_>) -> Pointer {
    let is_it = |node: &Node| {
        let text = |key: &str| node.get(key).and_then(Node::as_str);
        text("kind") == Some(target.scope.kind())
            && text("name") == Some(target.scope.key().name)
            && text("sectionName") == target.scope.section()
    };
    if target.is_selected {
        return spec().key("targetSelectors");
    }
    let all = policy
        .node
        .path(&["spec", "targetRefs"])
        .and_then(Node::as_list);
    match all.and_then(|all| all.iter().position(is_it)) {
        Some(at) => spec().key("targetRefs").index(at),
        None => spec().key("targetRef"),
    }
}
