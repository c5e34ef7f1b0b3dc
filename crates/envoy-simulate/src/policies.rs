//! The policies that apply to a request, with their settings merged.

use super::route::ChosenRule;
use super::{RequestState, SettingPlace};
use envoy_gateway::condition::{Condition, Status, kind};
use envoy_gateway::index::Key;
use envoy_gateway::policy::{Policy, PolicyException, PolicyKind};
use envoy_gateway::view::ListenerId;
use manifest::Object;
use manifest::value::merge::merge;
use manifest::value::{Node, Pointer};

/// A policy that applies.
#[derive(Clone, Debug)]
pub(super) struct InForce<'a> {
    /// The policies that are merged, the most specific one first.
    pub objects: Vec<&'a Object>,
    /// Their merged settings.
    pub spec: Node,
    /// The reason if the controller refuses it.
    pub refused: Option<String>,
}

impl<'a> InForce<'a> {
    /// The place of a setting in the policy that contains it.
    pub(crate) fn place(&self, keys: &[&str]) -> Option<SettingPlace<'a>> {
        let pointer = keys
            .iter()
            .fold(Pointer::root().key("spec"), |at, key| at.key(*key));
        let all = self.objects.iter();
        let object = all.copied().find(|it| it.node.at(&pointer).is_some());
        let object = object.or_else(|| self.objects.first().copied())?;
        Some(SettingPlace { object, pointer })
    }

    /// The names of the policies.
    pub(crate) fn named(&self) -> String {
        let names = self
            .objects
            .iter()
            .map(|it| format!("{} {}", it.kind(), Key::of(it)));
        names.collect::<Vec<_>>().join(" merged with ")
    }
}

impl<'a> RequestState<'a, '_> {
    /// The policy of a kind that applies at a listener, or to the route that was chosen there.
    pub(super) fn in_force(
        &self,
        kind: PolicyKind,
        listener: ListenerId,
        chosen: Option<&ChosenRule<'a>>,
    ) -> Option<InForce<'a>> {
        let near = chosen.map(|it| (it.route, it.rule_name));
        let resolved = self.inputs.resolved;
        let ids = resolved.effective(self.effective_policies, kind, near, listener);
        let policies = ids.iter().filter_map(|id| resolved.policy(*id));
        let policies: Vec<&Policy<'a>> = policies
            .filter(|it| !exception(it, listener).is_some_and(|it| it.is_ignored))
            .collect();
        let mut spec = Node::map();
        for policy in policies.iter().rev() {
            merge(&mut spec, policy.spec().cloned().unwrap_or_else(Node::map));
        }
        (!policies.is_empty()).then(|| InForce {
            objects: policies.iter().map(|it| it.object).collect(),
            spec,
            refused: policies.iter().find_map(|it| self.refusal(it, listener)),
        })
    }

    /// The ClientTrafficPolicy that would apply to a listener but that the controller ignores there, and why.
    pub(super) fn ignored(&self, listener: ListenerId) -> Option<(&'a Object, String)> {
        let resolved = self.inputs.resolved;
        let kind = PolicyKind::Client;
        let ids = resolved.effective(self.effective_policies, kind, None, listener);
        ids.iter().find_map(|id| {
            let policy = resolved.policy(*id)?;
            let found = exception(policy, listener).filter(|it| it.is_ignored)?;
            Some((policy.object, found.why.clone()))
        })
    }

    /// Why a policy is refused at the gateway of a listener.
    fn refusal(&self, policy: &Policy<'a>, listener: ListenerId) -> Option<String> {
        if policy.kind == PolicyKind::Client || !policy.exceptions.is_empty() {
            return exception(policy, listener).map(|it| it.why.clone());
        }
        let listener = self.inputs.resolved.listener(listener)?;
        let gateway = self.inputs.resolved.gateway(listener.gateway)?;
        let names = [gateway.object.name(), listener.object.name()];
        let here = policy.ancestors.iter().filter(|(under, _)| {
            names.contains(&under.name) && under.section.is_none_or(|it| it == listener.name)
        });
        let refused = |it: &&Condition| it.status == Status::False && it.reason == "Invalid";
        here.filter_map(|(_, conditions)| conditions.get(kind::ACCEPTED))
            .find(refused)
            .map(|it| it.message.clone())
    }
}

/// How a policy differs at a listener from what is written in it.
fn exception<'p>(policy: &'p Policy<'_>, listener: ListenerId) -> Option<&'p PolicyException> {
    policy.exceptions.iter().find(|it| it.listener == listener)
}
