//! ListenerSets: which gateway they add listeners to, and their conditions.

use std::collections::HashMap;

use super::Resolver;
use super::condition::{Conditions, NOT_GIVEN, Status, kind};
use super::index::{Key, label};
use super::read::text;
use super::selector;
use super::view::{GatewayId, ListenerSet, SetId};
use manifest::Object;

impl<'a> Resolver<'a, '_> {
    /// Adds the listeners of ListenerSets to their gateways, if the gateways allow it.
    pub(super) fn attach_listener_sets(&mut self) {
        let gateways = self.accepted_gateways();
        for object in self.index.all("ListenerSet").to_vec() {
            let parent = parent_of(object);
            let gateway = gateways.get(&parent).copied();
            let id = SetId(self.view.lists.set.len());
            let mut conditions = Conditions::default();
            let allowed = gateway.and_then(|gateway| self.allows_set(gateway, object.namespace()));
            if gateway.is_some() && allowed != Some(true) {
                let (status, reason, message) = match allowed {
                    None => (
                        Status::Unknown,
                        NOT_GIVEN,
                        format!(
                            "the labels of namespace `{}` are not known",
                            object.namespace()
                        ),
                    ),
                    Some(_) => (
                        Status::False,
                        "NotAllowed",
                        format!(
                            "Gateway {parent} allows no ListenerSets from namespace `{}` (`allowedListeners`)",
                            object.namespace()
                        ),
                    ),
                };
                conditions.set(kind::ACCEPTED, status, reason, message.clone());
                conditions.set(kind::PROGRAMMED, status, reason, message);
            }
            self.view.lists.set.push(ListenerSet {
                object,
                gateway,
                listeners: Vec::new(),
                conditions,
            });
            if let Some(gateway) = gateway
                && allowed != Some(false)
            {
                self.add_listeners(object, gateway, Some(id));
            }
        }
    }

    /// The accepted gateways, by namespace and name.
    pub(super) fn accepted_gateways(&self) -> HashMap<Key<'a>, GatewayId> {
        let all = self.view.gateways().iter().enumerate();
        all.filter(|(_, gateway)| gateway.is_accepted)
            .map(|(at, gateway)| (gateway.key(), GatewayId(at)))
            .collect()
    }

    /// Whether a gateway allows ListenerSets of a namespace; `None` if the namespace is not given.
    fn allows_set(&self, gateway: GatewayId, namespace: &str) -> Option<bool> {
        let gateway = self.view.gateway(gateway)?;
        let path = ["spec", "allowedListeners", "namespaces"];
        let Some(allowed) = gateway.object.node.path(&path) else {
            return Some(false);
        };
        match text(allowed, &["from"]) {
            Some("All") => Some(true),
            Some("Same") => Some(gateway.object.namespace() == namespace),
            Some("Selector") => {
                let Some(by) = allowed.get("selector") else {
                    return Some(false);
                };
                match self.index.namespace(namespace) {
                    Ok(Some(object)) => {
                        Some(selector::matches(by, |key| label(object, key)).unwrap_or_default())
                    }
                    Ok(None) => Some(false),
                    Err(_) => None,
                }
            }
            _ => Some(false),
        }
    }

    /// Writes the conditions of ListenerSets that follow from their listeners.
    pub(super) fn judge_listener_sets(&mut self) {
        for at in 0..self.view.lists.set.len() {
            let Some(set) = self.view.set(SetId(at)) else {
                continue;
            };
            // Envoy Gateway 1.9.0 also judges a set whose gateway belongs to another controller, as one without
            // listeners. But only sets of its own gateways reach it, so that never shows.
            if set.gateway.is_none() || !set.conditions.is_empty() {
                continue;
            }
            let listeners: Vec<_> = set
                .listeners
                .iter()
                .filter_map(|id| self.view.listener(*id))
                .collect();
            let count = |kind| {
                let holds = listeners
                    .iter()
                    .filter(|it| it.conditions.is(kind, Status::True));
                (holds.count(), listeners.len())
            };
            let (accepted, programmed) = (count(kind::ACCEPTED), count(kind::PROGRAMMED));
            let is_unknown = listeners
                .iter()
                .any(|it| it.conditions.is(kind::PROGRAMMED, Status::Unknown));
            let Some(set) = self.view.lists.set.get_mut(at) else {
                continue;
            };
            let conditions = &mut set.conditions;
            match accepted {
                (good, all) if good == all => {
                    conditions.set(
                        kind::ACCEPTED,
                        Status::True,
                        "Accepted",
                        "all listeners are accepted",
                    );
                }
                (0, _) => conditions.set(
                    kind::ACCEPTED,
                    Status::False,
                    "ListenersNotValid",
                    "no listener is accepted",
                ),
                _ => conditions.set(
                    kind::ACCEPTED,
                    Status::True,
                    "ListenersNotValid",
                    "some listeners are not accepted",
                ),
            }
            match programmed {
                (good, all) if good == all || good > 0 => {
                    let message = "listeners are sent to Envoy";
                    conditions.set(kind::PROGRAMMED, Status::True, "Programmed", message);
                }
                _ if is_unknown => {
                    let message = "objects that its listeners refer to are not in the given files";
                    conditions.set(kind::PROGRAMMED, Status::Unknown, NOT_GIVEN, message);
                }
                _ => {
                    let message = "no listener is sent to Envoy";
                    conditions.set(
                        kind::PROGRAMMED,
                        Status::False,
                        "ListenersNotValid",
                        message,
                    );
                }
            }
        }
    }
}

/// The gateway that a ListenerSet names.
pub(super) fn parent_of(set: &Object) -> Key<'_> {
    let path = |key| ["spec", "parentRef", key];
    Key {
        namespace: text(&set.node, &path("namespace")).unwrap_or(set.namespace()),
        name: text(&set.node, &path("name")).unwrap_or_default(),
    }
}
