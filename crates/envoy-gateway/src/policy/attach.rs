//! Attaches BackendTrafficPolicies, SecurityPolicies and EnvoyExtensionPolicies. They target routes, listeners and
//! gateways (and rules, and ListenerSets). The most specific policy applies, alone or merged with the next one.

use std::collections::{BTreeSet, HashMap};

use super::content::Content;
use super::scope::{Graph, listed};
use super::targets::{TargetCandidates, ancestor};
use super::{Outcome, PolicyKind, Scope};
use crate::Resolver;
use crate::condition::{Status, kind};
use crate::fault::Faults;
use crate::index::Key;
use crate::read::text;
use crate::view::{GatewayId, ListenerId, PolicyId, Reference, RouteId};
use manifest::value::merge::merge;

/// The state while one kind of policy is attached.
struct PolicyAttachment<'a> {
    kind: PolicyKind,
    board: TargetCandidates<'a>,
    /// The first policy of each gateway, ListenerSet and listener. Policies of routes are merged with it.
    first: HashMap<Scope<'a>, PolicyId>,
    overrides: Graph<'a>,
    merged: Graph<'a>,
}

/// The order in which targets are processed: the most specific ones first.
const STAGES: [fn(&Scope<'_>) -> bool; 6] = [
    |it| matches!(it, Scope::Rule(..)),
    |it| matches!(it, Scope::Route(..)),
    |it| matches!(it, Scope::SetListener(..)),
    |it| matches!(it, Scope::Set(_)),
    |it| matches!(it, Scope::GatewayListener(..)),
    |it| matches!(it, Scope::Gateway(_)),
];

impl<'a> Resolver<'a, '_> {
    pub(super) fn attach_policies(&mut self, kind: PolicyKind, ids: &[PolicyId]) {
        let board = self.board();
        let targets = self.find_targets(ids, &board);
        let mut work = PolicyAttachment {
            kind,
            board,
            first: HashMap::new(),
            overrides: Graph::default(),
            merged: Graph::default(),
        };
        let all = |id: &PolicyId| targets.get(id).map_or(&[][..], Vec::as_slice);
        for id in ids {
            for (scope, _) in all(id) {
                let is_outer = matches!(scope.kind(), "Gateway" | "ListenerSet");
                if is_outer
                    && self.is_there(scope.whole(), &work.board)
                    && self.has_section(*scope, &work.board)
                {
                    work.first.entry(*scope).or_insert(*id);
                }
            }
        }
        for stage in STAGES {
            for id in ids {
                for (scope, is_selected) in all(id).iter().filter(|(scope, _)| stage(scope)) {
                    let outcome = self.claim(*scope, &mut work.board);
                    self.note(*id, *scope, *is_selected, outcome);
                    match (scope, outcome) {
                        (_, Outcome::NotFound) => {}
                        (Scope::Rule(kind, key, _) | Scope::Route(kind, key), _) => {
                            if let Some(route) = work.board.routes.get(&(*kind, *key)).copied() {
                                self.attach_to_route(*id, *scope, route, outcome, &mut work);
                            }
                        }
                        _ => self.attach_to_listeners(*id, *scope, outcome, &mut work),
                    }
                }
            }
        }
        for id in ids {
            for (scope, is_selected) in all(id)
                .iter()
                .filter(|(scope, _)| matches!(scope, Scope::Other(..)))
            {
                self.note(*id, *scope, *is_selected, Outcome::NotFound);
            }
        }
    }

    fn attach_to_route(
        &mut self,
        id: PolicyId,
        scope: Scope<'a>,
        route: RouteId,
        outcome: Outcome,
        work: &mut PolicyAttachment<'a>,
    ) {
        let Some((parents, listeners)) = self.parents_of(route) else {
            return;
        };
        let child = scope.whole();
        for parent in &parents {
            if let Scope::Set(set) | Scope::SetListener(set, _) = parent
                && let Some(gateway) = self
                    .gateway_of_set(*set, &work.board)
                    .and_then(|id| self.view.gateway(id))
            {
                work.overrides.put_set(*set, gateway.key());
            }
            work.overrides.add(*parent, child);
        }
        let under: Vec<Reference<'a>> = parents.iter().map(|it| as_ancestor(*it)).collect();
        if self.refuse_target(id, scope, outcome, &under) {
            return;
        }
        if self.refuse_form(id, scope, &under, work.kind) {
            return;
        }
        let merge_type = self
            .view
            .policy(id)
            .and_then(|it| text(it.spec()?, &["mergeType"]));
        if merge_type.is_none() {
            let gateways: Vec<GatewayId> = listeners
                .iter()
                .filter_map(|of_parent| self.gateway_at(of_parent.first()?))
                .collect();
            let all: Vec<ListenerId> = listeners.concat();
            let faults = self.check_content(id, None, scope, &gateways, &all, work.kind);
            for under in &under {
                self.policy(id, |policy| policy.refuse(under, &faults));
            }
        } else {
            for listener in listeners.concat() {
                self.attach_merged(id, scope, listener, work);
            }
        }
        for under in &under {
            self.policy(id, |policy| policy.accept(under));
        }
        self.warn_deprecated(id, &under);
        if let Scope::Route(kind, key) = scope {
            let is_rule_of = |it: &&Scope<'_>| matches!(it, Scope::Rule(its, other, _) if *its == kind && *other == key);
            let rules: BTreeSet<Scope<'_>> = work
                .board
                .taken
                .iter()
                .filter(is_rule_of)
                .copied()
                .collect();
            self.override_at(id, &under, &rules, work.kind);
        }
    }

    /// The scopes that a route attaches to, and the listeners of each.
    fn parents_of(&self, route: RouteId) -> Option<(Vec<Scope<'a>>, Vec<Vec<ListenerId>>)> {
        let route = self.view.route(route)?;
        let mut scopes = Vec::new();
        let mut listeners = Vec::new();
        for parent in route.managed() {
            let reference = &parent.reference;
            let key = Key {
                namespace: reference.namespace.unwrap_or(route.object.namespace()),
                name: reference.name,
            };
            scopes.push(match (reference.kind, reference.section) {
                (Some("ListenerSet"), None) => Scope::Set(key),
                (Some("ListenerSet"), Some(section)) => Scope::SetListener(key, section),
                (_, None) => Scope::Gateway(key),
                (_, Some(section)) => Scope::GatewayListener(key, section),
            });
            listeners.push(parent.allowed.clone());
        }
        Some((scopes, listeners))
    }

    fn gateway_at(&self, listener: &ListenerId) -> Option<GatewayId> {
        self.view.listener(*listener).map(|it| it.gateway)
    }

    /// Reports contradictions within a SecurityPolicy for a route. The controller then looks at nothing else of it.
    fn refuse_form(
        &mut self,
        id: PolicyId,
        scope: Scope<'a>,
        under: &[Reference<'a>],
        kind: PolicyKind,
    ) -> bool {
        if kind != PolicyKind::Security {
            return false;
        }
        let Some(policy) = self.view.policy(id) else {
            return false;
        };
        let mut faults = Faults::default();
        super::content::security::check_form(policy.spec(), scope, &mut faults);
        for under in under {
            self.policy(id, |policy| policy.refuse(under, &faults));
        }
        !faults.is_empty()
    }

    /// Attaches a policy that is merged with the next less specific one, at one listener.
    fn attach_merged(
        &mut self,
        id: PolicyId,
        scope: Scope<'a>,
        listener: ListenerId,
        work: &mut PolicyAttachment<'a>,
    ) {
        let Some(at) = self.view.listener(listener) else {
            return;
        };
        let Some(gateway) = self.view.gateway(at.gateway).map(|it| it.key()) else {
            return;
        };
        let gateway_id = at.gateway;
        let (under, around) = match at.set {
            Some(_) => {
                let set = Key::of(at.object);
                let around = vec![
                    Scope::SetListener(set, at.name),
                    Scope::Set(set),
                    Scope::Gateway(gateway),
                ];
                (ancestor("ListenerSet", set, Some(at.name)), around)
            }
            None => {
                let around = vec![
                    Scope::GatewayListener(gateway, at.name),
                    Scope::Gateway(gateway),
                ];
                (ancestor("Gateway", gateway, Some(at.name)), around)
            }
        };
        let parent = around
            .into_iter()
            .find_map(|it| Some((it, *work.first.get(&it)?)));
        let over = parent.map(|(_, parent)| parent);
        let mut faults = self.check_content(id, over, scope, &[gateway_id], &[listener], work.kind);
        // Before 1.9, Envoy Gateway says nothing of faults in a BackendTrafficPolicy that is merged.
        let is_silent = work.kind == PolicyKind::Backend && !self.policy_is_from((1, 9), id);
        if is_silent && over.is_some() {
            faults = Faults::default();
        }
        let is_refused = !faults.is_empty();
        self.policy(id, |policy| policy.refuse(&under, &faults));
        let Some((parent_scope, parent)) = parent.filter(|_| !is_refused) else {
            return;
        };
        work.merged.add(parent_scope, scope.whole());
        let name = self
            .view
            .policy(parent)
            .map(|it| Key::of(it.object).to_string())
            .unwrap_or_default();
        self.policy(id, |policy| {
            policy.set(
                &under,
                kind::MERGED,
                Status::True,
                "Merged",
                format!("merged with {} {name}", policy.object.kind()),
            );
        });
    }

    fn attach_to_listeners(
        &mut self,
        id: PolicyId,
        scope: Scope<'a>,
        outcome: Outcome,
        work: &mut PolicyAttachment<'a>,
    ) {
        let (gateway, around) = match scope {
            Scope::Set(set) | Scope::SetListener(set, _) => {
                let Some(gateway) = self.gateway_of_set(set, &work.board) else {
                    return;
                };
                (gateway, Scope::Set(set))
            }
            _ => {
                let key = scope.key();
                let Some(gateway) = work.board.gateways.get(&key).copied() else {
                    return;
                };
                (gateway, Scope::Gateway(key))
            }
        };
        let under = vec![as_ancestor(scope)];
        if self.refuse_target(id, scope, outcome, &under) {
            return;
        }
        let gateway_key = self.view.gateway(gateway).map(|it| it.key());
        match (scope, gateway_key) {
            (Scope::SetListener(set, _), Some(gateway)) => {
                work.overrides.put_set(set, gateway);
                work.overrides.add(around, scope);
            }
            (Scope::GatewayListener(..), _) => work.overrides.add(around, scope),
            (Scope::Set(_), Some(gateway)) => work.overrides.add(Scope::Gateway(gateway), scope),
            _ => {}
        }
        let listeners = self.listeners_of(scope, gateway);
        let faults = self.check_content(id, None, scope, &[gateway], &listeners, work.kind);
        for under in &under {
            self.policy(id, |policy| {
                policy.refuse(under, &faults);
                policy.accept(under);
            });
        }
        // Before 1.9, Envoy Gateway only warns of a SecurityPolicy's deprecated fields if it targets a route.
        if work.kind != PolicyKind::Security || self.policy_is_from((1, 9), id) {
            self.warn_deprecated(id, &under);
        }
        let merged = work.merged.children(scope);
        if !merged.is_empty() {
            let message = format!(
                "other {}s are merged with it, at {}",
                work.kind.as_str(),
                listed(&merged)
            );
            for under in &under {
                self.policy(id, |policy| {
                    policy.set(under, kind::MERGED, Status::True, "Merged", message.clone())
                });
            }
        }
        let overriding: BTreeSet<Scope<'_>> = work
            .overrides
            .descendants(scope)
            .difference(&merged)
            .copied()
            .collect();
        self.override_at(id, &under, &overriding, work.kind);
    }

    /// Records that other policies apply instead of this one.
    fn override_at(
        &mut self,
        id: PolicyId,
        under: &[Reference<'a>],
        by: &BTreeSet<Scope<'_>>,
        of: PolicyKind,
    ) {
        if by.is_empty() {
            return;
        }
        let message = format!(
            "other {}s apply instead of it, at {}",
            of.as_str(),
            listed(by)
        );
        for under in under {
            self.policy(id, |policy| {
                policy.set(
                    under,
                    kind::OVERRIDDEN,
                    Status::True,
                    "Overridden",
                    message.clone(),
                )
            });
        }
    }

    /// Writes why a target can't be used. Returns whether there is such a reason.
    pub(super) fn refuse_target(
        &mut self,
        id: PolicyId,
        scope: Scope<'a>,
        outcome: Outcome,
        under: &[Reference<'a>],
    ) -> bool {
        let (reason, message) = match outcome {
            Outcome::Holds => return false,
            Outcome::Conflicts => (
                "Conflicted",
                format!("another policy of this kind already applies to {scope}"),
            ),
            Outcome::NoSection => ("TargetNotFound", format!("there is no {scope}")),
            Outcome::NotFound => return true,
        };
        for under in under {
            self.policy(id, |policy| {
                policy.set(
                    under,
                    kind::ACCEPTED,
                    Status::False,
                    reason,
                    message.clone(),
                )
            });
        }
        true
    }

    /// Whether the controller of a policy has at least a minor version.
    pub(super) fn policy_is_from(&self, minor: (u64, u64), id: PolicyId) -> bool {
        let policy = self.view.policy(id);
        policy.is_none_or(|policy| self.settings.is_from(minor, policy.object))
    }

    pub(super) fn warn_deprecated(&mut self, id: PolicyId, under: &[Reference<'a>]) {
        let Some(policy) = self.view.policy(id) else {
            return;
        };
        let old = super::content::deprecated(policy.kind, policy.object);
        if old.is_empty() {
            return;
        }
        let message = old.join("; ");
        for under in under {
            self.policy(id, |policy| policy.warn(under, "DeprecatedField", &message));
        }
    }

    /// Checks the settings of a policy, merged with those of the other policy if it is merged.
    fn check_content(
        &mut self,
        id: PolicyId,
        over: Option<PolicyId>,
        scope: Scope<'a>,
        gateways: &[GatewayId],
        listeners: &[ListenerId],
        of: PolicyKind,
    ) -> Faults {
        let Some(policy) = self.view.policy(id) else {
            return Faults::default();
        };
        let (object, own) = (policy.object, policy.spec());
        let parent = over.and_then(|id| self.view.policy(id));
        let merged = parent.and_then(|parent| {
            let mut merged = parent.spec()?.clone();
            merge(&mut merged, own?.clone());
            Some(merged)
        });
        let parent = parent.map(|it| it.object);
        let Some(spec) = merged.as_ref().or(own) else {
            return Faults::default();
        };
        let content = Content {
            object,
            parent,
            spec,
            scope,
            gateways,
            listeners,
        };
        let mut faults = Faults::default();
        match of {
            PolicyKind::Backend => super::content::traffic::check(self, &content, &mut faults),
            PolicyKind::Security => super::content::security::check(self, &content, &mut faults),
            _ => super::content::extension::check(self, &content, &mut faults),
        }
        faults
    }

    /// Changes a policy in the view.
    pub(super) fn policy(&mut self, id: PolicyId, change: impl FnOnce(&mut super::Policy<'a>)) {
        if let Some(policy) = self.view.lists.policy.get_mut(id.0) {
            change(policy);
        }
    }
}

/// A scope as an ancestor in a status.
pub(super) fn as_ancestor(scope: Scope<'_>) -> Reference<'_> {
    let kind = match scope {
        Scope::Set(_) | Scope::SetListener(..) => "ListenerSet",
        _ => "Gateway",
    };
    ancestor(kind, scope.key(), scope.section())
}
