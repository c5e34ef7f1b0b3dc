//! Which policies apply to a route at a listener.

use std::collections::HashMap;

use super::{Outcome, PolicyKind, Scope};
use crate::index::Key;
use crate::read::text;
use crate::view::{ListenerId, PolicyId, Resolved, RouteId};

/// The policies that apply at each scope, indexed because they are looked up often.
#[derive(Debug)]
pub struct EffectivePolicies<'a> {
    at: HashMap<(PolicyKind, Scope<'a>), PolicyId>,
}

impl<'a> Resolved<'a> {
    /// Indexes the policies by the scopes where they apply.
    pub fn effective_policies(&self) -> EffectivePolicies<'a> {
        let mut at = HashMap::new();
        for (place, policy) in self.policies().iter().enumerate() {
            let holds = policy
                .targets
                .iter()
                .filter(|it| it.outcome == Outcome::Holds);
            for target in holds {
                at.entry((policy.kind, target.scope))
                    .or_insert(PolicyId(place));
            }
        }
        EffectivePolicies { at }
    }

    /// The policies of a kind that apply to requests on a route (and one of its rules, by name) at a listener, the
    /// most specific one first. There is more than one only if the most specific one is merged with the next
    /// (`mergeType`).
    pub fn effective(
        &self,
        effective_policies: &EffectivePolicies<'a>,
        kind: PolicyKind,
        route: Option<(RouteId, Option<&'a str>)>,
        listener: ListenerId,
    ) -> Vec<PolicyId> {
        let mut scopes = Vec::new();
        let near = route.and_then(|(id, rule)| Some((self.route(id)?, rule)));
        if let Some((route, rule)) = near {
            scopes.extend(rule.map(|rule| Scope::Rule(route.kind, route.key(), rule)));
            scopes.push(Scope::Route(route.kind, route.key()));
        }
        let inner = scopes.len();
        if let Some(listener) = self.listener(listener) {
            let key = Key::of(listener.object);
            match listener.set {
                Some(_) => scopes.extend([Scope::SetListener(key, listener.name), Scope::Set(key)]),
                None => scopes.push(Scope::GatewayListener(key, listener.name)),
            }
            scopes.extend(
                self.gateway(listener.gateway)
                    .map(|it| Scope::Gateway(it.key())),
            );
        }
        let find = |scopes: &[Scope<'a>]| {
            scopes
                .iter()
                .find_map(|scope| effective_policies.at.get(&(kind, *scope)).copied())
        };
        let (inner, outer) = scopes.split_at(inner);
        let Some(first) = find(inner) else {
            return find(outer).into_iter().collect();
        };
        let spec = self.policy(first).and_then(|it| it.spec());
        let is_merged = spec.and_then(|spec| text(spec, &["mergeType"])).is_some();
        let next = is_merged.then(|| find(outer)).flatten();
        std::iter::once(first).chain(next).collect()
    }
}
