//! Targets of policies: by reference in the policy's own namespace, by selector also in others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Outcome, Policy, PolicyTarget, Scope};
use crate::Resolver;
use crate::grant::{Permission, ReferenceGrantFrom, ReferenceGrantTo};
use crate::index::{GATEWAY_API, Key, label};
use crate::read::{list, text};
use crate::selector;
use crate::view::{GatewayId, ListenerId, PolicyId, Reference, RouteId, RouteKind, SetId};
use manifest::Object;
use manifest::value::Node;

/// Everything that policies of one kind can target, and which of it is taken already.
pub(super) struct TargetCandidates<'a> {
    pub gateways: BTreeMap<Key<'a>, GatewayId>,
    pub sets: BTreeMap<Key<'a>, SetId>,
    pub routes: BTreeMap<(RouteKind, Key<'a>), RouteId>,
    pub taken: HashSet<Scope<'a>>,
}

impl<'a> Resolver<'a, '_> {
    /// The objects that can be targeted: accepted gateways, ListenerSets, and routes under this controller's
    /// gateways.
    pub(super) fn board(&self) -> TargetCandidates<'a> {
        let routes = self.view.routes_by_key().into_iter();
        TargetCandidates {
            gateways: self.accepted_gateways().into_iter().collect(),
            sets: self
                .view
                .listener_sets()
                .iter()
                .enumerate()
                .map(|(at, set)| (set.key(), SetId(at)))
                .collect(),
            routes: routes
                .filter(|(_, id)| {
                    self.view
                        .route(*id)
                        .is_some_and(|it| it.managed().next().is_some())
                })
                .collect(),
            taken: HashSet::new(),
        }
    }

    /// The targets of each policy. Those that a selector chose come first.
    pub(super) fn find_targets(
        &self,
        ids: &[PolicyId],
        board: &TargetCandidates<'a>,
    ) -> HashMap<PolicyId, Vec<(Scope<'a>, bool)>> {
        let potential = self.potential(board);
        ids.iter()
            .filter_map(|id| {
                let policy = self.view.policy(*id)?;
                let mut targets: Vec<(Scope<'a>, bool)> = Vec::new();
                for scope in self.selected(policy, &potential) {
                    targets.push((scope, true));
                }
                for scope in referenced(policy.object) {
                    if !targets.iter().any(|(other, _)| *other == scope) {
                        targets.push((scope, false));
                    }
                }
                Some((*id, targets))
            })
            .collect()
    }

    /// The objects that selectors choose from.
    fn potential(&self, board: &TargetCandidates<'a>) -> Vec<(Scope<'a>, &'a Object)> {
        let routes = board.routes.iter().filter_map(|((kind, key), id)| {
            Some((*id, Scope::Route(*kind, *key), self.view.route(*id)?.object))
        });
        let mut routes: Vec<_> = routes.collect();
        // Objects are chosen in the controller's order, which is the order of the view.
        routes.sort_by_key(|(id, _, _)| *id);
        let mut gateways: Vec<_> = board
            .gateways
            .iter()
            .filter_map(|(key, id)| {
                Some((*id, Scope::Gateway(*key), self.view.gateway(*id)?.object))
            })
            .collect();
        gateways.sort_by_key(|(id, _, _)| *id);
        let mut sets: Vec<_> = board
            .sets
            .iter()
            .filter_map(|(key, id)| Some((*id, Scope::Set(*key), self.view.set(*id)?.object)))
            .collect();
        sets.sort_by_key(|(id, _, _)| *id);
        let routes = routes.into_iter().map(|(_, scope, object)| (scope, object));
        let sets = sets.into_iter().map(|(_, scope, object)| (scope, object));
        let gateways = gateways
            .into_iter()
            .map(|(_, scope, object)| (scope, object));
        routes.chain(gateways).chain(sets).collect()
    }

    fn selected(
        &self,
        policy: &Policy<'a>,
        potential: &[(Scope<'a>, &'a Object)],
    ) -> Vec<Scope<'a>> {
        let mut found: Vec<(Scope<'a>, &'a Object)> = Vec::new();
        let mut seen = BTreeSet::new();
        for by in list(&policy.object.node, &["spec", "targetSelectors"]) {
            let group = by
                .get("group")
                .and_then(Node::as_str)
                .unwrap_or(GATEWAY_API);
            let kind = text(by, &["kind"]).unwrap_or_default();
            for (scope, object) in potential {
                if object.kind() == kind
                    && object.group() == group
                    && self.selects_namespace(by, policy.object.namespace(), object.namespace())
                    && selector::matches(by, |key| label(object, key)).unwrap_or_default()
                    && self.may_target(policy.object, object)
                    && seen.insert(*scope)
                {
                    found.push((*scope, object));
                }
            }
        }
        found.sort_by_key(|(_, object)| {
            text(&object.node, &["metadata", "creationTimestamp"]).unwrap_or_default()
        });
        found.into_iter().map(|(scope, _)| scope).collect()
    }

    fn selects_namespace(&self, by: &'a Node, own: &str, other: &str) -> bool {
        let Some(namespaces) = by.get("namespaces") else {
            return own == other;
        };
        match text(namespaces, &["from"]) {
            None | Some("Same") => own == other,
            Some("All") => true,
            Some("Selector") => {
                let object = self.index.namespace(other).ok().flatten();
                let by = namespaces.get("selector");
                object.zip(by).is_some_and(|(object, by)| {
                    selector::matches(by, |key| label(object, key)).unwrap_or_default()
                })
            }
            Some(_) => false,
        }
    }

    fn may_target(&self, policy: &'a Object, target: &'a Object) -> bool {
        let from = ReferenceGrantFrom {
            group: policy.group(),
            kind: policy.kind(),
            namespace: policy.namespace(),
        };
        let to = ReferenceGrantTo {
            group: target.group(),
            kind: target.kind(),
            key: Key::of(target),
        };
        self.grants.ask(from, to) == Permission::Granted
    }

    /// Claims a scope for a policy. Checks that the section exists and that no policy has claimed the scope before.
    pub(super) fn claim(&self, scope: Scope<'a>, board: &mut TargetCandidates<'a>) -> Outcome {
        if !self.is_there(scope.whole(), board) {
            return Outcome::NotFound;
        }
        if scope.is_section() && !self.has_section(scope, board) {
            return Outcome::NoSection;
        }
        match board.taken.insert(scope) {
            true => Outcome::Holds,
            false => Outcome::Conflicts,
        }
    }

    /// Whether an object exists and can be targeted.
    pub(super) fn is_there(&self, scope: Scope<'a>, board: &TargetCandidates<'a>) -> bool {
        match scope {
            Scope::Gateway(key) => board.gateways.contains_key(&key),
            Scope::Set(key) => board.sets.contains_key(&key),
            Scope::Route(kind, key) => board.routes.contains_key(&(kind, key)),
            _ => false,
        }
    }

    /// Whether a section exists.
    pub(super) fn has_section(&self, scope: Scope<'a>, board: &TargetCandidates<'a>) -> bool {
        match scope {
            Scope::GatewayListener(key, name) => {
                let gateway = board
                    .gateways
                    .get(&key)
                    .and_then(|id| self.view.gateway(*id));
                let mut listeners = gateway.into_iter().flat_map(|it| &it.listeners);
                listeners.any(|id| {
                    self.view
                        .listener(*id)
                        .is_some_and(|it| it.set.is_none() && it.name == name)
                })
            }
            Scope::SetListener(key, name) => {
                let set = board.sets.get(&key).and_then(|id| self.view.set(*id));
                let listeners = set.map_or(&[][..], |set| {
                    list(&set.object.node, &["spec", "listeners"])
                });
                listeners.iter().any(|it| text(it, &["name"]) == Some(name))
            }
            Scope::Rule(kind, key, name) => {
                let route = board
                    .routes
                    .get(&(kind, key))
                    .and_then(|id| self.view.route(*id));
                route.is_some_and(|route| route.rules.iter().any(|rule| rule.name == Some(name)))
            }
            _ => true,
        }
    }

    /// The gateway that a ListenerSet belongs to, if the gateway accepts it.
    pub(super) fn gateway_of_set(
        &self,
        key: Key<'a>,
        board: &TargetCandidates<'a>,
    ) -> Option<GatewayId> {
        let set = board.sets.get(&key).and_then(|id| self.view.set(*id))?;
        let parent = crate::listener_set::parent_of(set.object);
        board.gateways.get(&parent).copied()
    }

    /// Records the result for a target.
    pub(super) fn note(
        &mut self,
        id: PolicyId,
        scope: Scope<'a>,
        is_selected: bool,
        outcome: Outcome,
    ) {
        if let Some(policy) = self.view.lists.policy.get_mut(id.0) {
            policy.targets.push(PolicyTarget {
                scope,
                is_selected,
                outcome,
            });
        }
    }

    /// The listeners of a scope.
    pub(super) fn listeners_of(&self, scope: Scope<'a>, gateway: GatewayId) -> Vec<ListenerId> {
        let all = self
            .view
            .gateway(gateway)
            .map_or(&[][..], |it| &it.listeners)
            .iter();
        let fits = |id: &&ListenerId| {
            let Some(listener) = self.view.listener(**id) else {
                return false;
            };
            let key = Key::of(listener.object);
            match scope {
                Scope::Gateway(_) => true,
                Scope::GatewayListener(_, name) => listener.set.is_none() && listener.name == name,
                Scope::Set(set) => listener.set.is_some() && key == set,
                Scope::SetListener(set, name) => {
                    listener.set.is_some() && key == set && listener.name == name
                }
                _ => false,
            }
        };
        all.filter(fits).copied().collect()
    }
}

/// The scopes that `targetRefs` and `targetRef` name.
pub(super) fn referenced(policy: &Object) -> Vec<Scope<'_>> {
    let all = list(&policy.node, &["spec", "targetRefs"]);
    let one = policy.node.path(&["spec", "targetRef"]).into_iter();
    let mut scopes = Vec::new();
    for node in one.chain(all) {
        if let Some(name) = text(node, &["name"]) {
            let key = Key {
                namespace: policy.namespace(),
                name,
            };
            scopes.push(scope(
                text(node, &["kind"]).unwrap_or_default(),
                key,
                text(node, &["sectionName"]),
            ));
        }
    }
    scopes
}

fn scope<'a>(kind: &'a str, key: Key<'a>, section: Option<&'a str>) -> Scope<'a> {
    match (kind, RouteKind::parse(kind), section) {
        ("Gateway", _, None) => Scope::Gateway(key),
        ("Gateway", _, Some(section)) => Scope::GatewayListener(key, section),
        ("ListenerSet", _, None) => Scope::Set(key),
        ("ListenerSet", _, Some(section)) => Scope::SetListener(key, section),
        (_, Some(route), None) => Scope::Route(route, key),
        (_, Some(route), Some(section)) => Scope::Rule(route, key, section),
        _ => Scope::Other(kind, key),
    }
}

/// A Gateway or ListenerSet, or a listener of one, as an ancestor in a status.
pub(super) fn ancestor<'a>(
    kind: &'static str,
    key: Key<'a>,
    section: Option<&'a str>,
) -> Reference<'a> {
    Reference {
        group: Some(GATEWAY_API),
        kind: Some(kind),
        namespace: Some(key.namespace),
        name: key.name,
        section,
        port: None,
    }
}
