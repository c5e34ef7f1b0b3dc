//! Attaches routes to listeners.

use std::collections::{HashMap, HashSet};

use super::Resolver;
use super::condition::{Conditions, NOT_GIVEN, Status, kind};
use super::fault::Faults;
use super::hostname;
use super::index::{GATEWAY_API, Key};
use super::read::{int, list, text};
use super::view::{
    Attachment, BackendRef, GatewayId, ListenerId, Parent, Reference, Route, RouteId, RouteKind,
    Rule, SetId, Target,
};
use manifest::Object;
use manifest::value::{Node, Pointer};

/// Looks up the parents of routes.
pub(super) struct Parents<'a> {
    gateways: HashMap<Key<'a>, GatewayId>,
    sets: HashMap<Key<'a>, SetId>,
}

/// Which listeners have a hostname, among those on one port of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostnameOwners {
    Of(ListenerId),
    OfSeveral,
}

impl HostnameOwners {
    /// Whether no other listener has it.
    fn is_of(self, listener: ListenerId) -> bool {
        self == HostnameOwners::Of(listener)
    }
}

/// The hostnames of the listeners on each port of each gateway.
pub(super) type Hosts<'a> = HashMap<(GatewayId, i64), HashMap<&'a str, HostnameOwners>>;

impl<'a> Resolver<'a, '_> {
    /// Resolves every route, one kind after the other.
    pub(super) fn routes(&mut self) {
        self.hosts = self.hosts_of_listeners();
        let sets = self.view.listener_sets().iter().enumerate();
        let parents = Parents {
            gateways: self.accepted_gateways(),
            sets: sets
                .filter(|(_, set)| !set.listeners.is_empty())
                .map(|(at, set)| (set.key(), SetId(at)))
                .collect(),
        };
        for kind in RouteKind::ALL {
            for object in self.index.all(kind.as_str()).to_vec() {
                let id = RouteId(self.view.lists.route.len());
                let mut route = route(object, kind, &self.index);
                route.parents = self.parents(&route, &parents);
                for at in 0..route.parents.len() {
                    self.judge_rules(&mut route, at);
                }
                for listener in route
                    .parents
                    .iter()
                    .flat_map(|it| &it.attachments)
                    .map(|it| it.listener)
                {
                    if let Some(listener) = self.view.lists.listener.get_mut(listener.0)
                        && listener.routes.last() != Some(&id)
                    {
                        listener.routes.push(id);
                    }
                }
                self.view.lists.route.push(route);
            }
        }
    }

    fn hosts_of_listeners(&self) -> Hosts<'a> {
        let mut hosts = Hosts::default();
        for (at, listener) in self.view.lists.listener.iter().enumerate() {
            let Some(host) = listener.hostname else {
                continue;
            };
            let port = hosts.entry((listener.gateway, listener.port)).or_default();
            port.entry(host)
                .and_modify(|own| *own = HostnameOwners::OfSeveral)
                .or_insert(HostnameOwners::Of(ListenerId(at)));
        }
        hosts
    }

    fn parents(&self, route: &Route<'a>, known: &Parents<'a>) -> Vec<Parent<'a>> {
        let mut parents: Vec<Parent<'_>> = Vec::new();
        let mut known_places = HashSet::new();
        for (place, node) in list(&route.object.node, &["spec", "parentRefs"])
            .iter()
            .enumerate()
        {
            let reference = reference(node);
            if !known_places.insert(place_of(&reference, route.object.namespace())) {
                continue;
            }
            let target = self.target(route, &reference, known);
            let mut parent = Parent {
                reference,
                place,
                target,
                allowed: Vec::new(),
                attachments: Vec::new(),
                same_match: None,
                faults: Faults::default(),
                conditions: Conditions::default(),
            };
            self.allow(route, &mut parent);
            parents.push(parent);
        }
        parents
    }

    fn target(&self, route: &Route<'a>, reference: &Reference<'a>, known: &Parents<'a>) -> Target {
        let key = Key {
            namespace: reference.namespace.unwrap_or(route.object.namespace()),
            name: reference.name,
        };
        let group = reference.group.unwrap_or(GATEWAY_API);
        let (kind, found) = match reference.kind.unwrap_or("Gateway") {
            "Gateway" if group == GATEWAY_API => (
                "Gateway",
                known.gateways.get(&key).copied().map(Target::Gateway),
            ),
            "ListenerSet" if group == GATEWAY_API => (
                "ListenerSet",
                known.sets.get(&key).copied().map(Target::Set),
            ),
            // Parents of other controllers, such as the Services of a service mesh.
            _ => return Target::Foreign,
        };
        found.unwrap_or_else(|| match self.index.here(kind, key) {
            Some(_) => Target::Foreign,
            None => Target::NotGiven,
        })
    }

    /// Finds the listeners of a parent that allow a route.
    fn allow(&self, route: &Route<'a>, parent: &mut Parent<'a>) {
        let candidates: Vec<ListenerId> = match parent.target {
            Target::Gateway(id) => self
                .view
                .gateway(id)
                .map_or(Vec::new(), |it| it.listeners.clone()),
            Target::Set(id) => self
                .view
                .set(id)
                .map_or(Vec::new(), |it| it.listeners.clone()),
            Target::Foreign | Target::NotGiven => return,
        };
        let is_set = matches!(parent.target, Target::Set(_));
        let reference = &parent.reference;
        let mut selected = candidates
            .into_iter()
            .filter_map(|id| Some((id, self.view.listener(id)?)));
        let selected: Vec<_> = selected
            .by_ref()
            .filter(|(_, listener)| {
                listener.set.is_some() == is_set
                    && reference
                        .section
                        .is_none_or(|section| section == listener.name)
                    && reference.port.is_none_or(|port| port == listener.port)
            })
            .collect();
        let conditions = &mut parent.conditions;
        if selected.is_empty() {
            let message = "the parent has no listener with that name and port";
            conditions.set(kind::ACCEPTED, Status::False, "NoMatchingParent", message);
            return;
        }
        let mut is_unknown = false;
        for (id, listener) in selected {
            if !listener.kinds.contains(&route.kind) {
                continue;
            }
            match self.allows_namespace(listener, route.object.namespace()) {
                Some(true) => parent.allowed.push(id),
                Some(false) => {}
                None => is_unknown = true,
            }
        }
        if !parent.allowed.is_empty() {
            conditions.set(
                kind::ACCEPTED,
                Status::True,
                "Accepted",
                "the route is attached",
            );
        } else if is_unknown {
            let message = format!(
                "the listener selects namespaces by label, and the labels of namespace `{}` are not known",
                route.object.namespace()
            );
            conditions.set(kind::ACCEPTED, Status::Unknown, NOT_GIVEN, message);
        } else {
            let message = format!(
                "no listener of the parent allows {} from namespace `{}`",
                route.kind.as_str(),
                route.object.namespace()
            );
            conditions.set(
                kind::ACCEPTED,
                Status::False,
                "NotAllowedByListeners",
                message,
            );
        }
    }

    /// Attaches a route to those listeners that allow it and share a hostname with it. False if there is no such
    /// listener.
    pub(super) fn attach(&self, hostnames: &[&'a str], parent: &mut Parent<'a>) -> bool {
        let mut is_any = parent.allowed.is_empty();
        for id in &parent.allowed {
            let Some(listener) = self.view.listener(*id) else {
                continue;
            };
            let mut shared = hostname::shared(hostnames, listener.hostname);
            let here = self.hosts.get(&(listener.gateway, listener.port));
            // A route without hostnames takes that of the listener, even if other listeners have it, too.
            if !hostnames.is_empty() {
                shared.hostnames.retain(|host| {
                    let own = here.and_then(|hosts| hosts.get(host.as_str()));
                    own.is_none_or(|own| own.is_of(*id))
                });
            }
            if shared.hostnames.is_empty() && !shared.is_unknown {
                continue;
            }
            is_any = true;
            parent.attachments.push(Attachment {
                listener: *id,
                is_unknown: shared.hostnames.is_empty(),
                hostnames: shared.hostnames.into_iter().collect(),
            });
        }
        is_any
    }
}

/// A `parentRef` or `targetRef` as written in the object.
pub(super) fn reference(node: &Node) -> Reference<'_> {
    let written = |key: &str| node.get(key).and_then(Node::as_str);
    Reference {
        group: written("group"),
        kind: written("kind"),
        namespace: written("namespace"),
        name: text(node, &["name"]).unwrap_or_default(),
        section: written("sectionName"),
        port: int(node, &["port"]),
    }
}

/// The target of a reference: group, kind, namespace, name, section and port.
type TargetKey<'a> = (
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    Option<&'a str>,
    Option<i64>,
);

/// The target of a reference, with defaults filled in.
fn place_of<'a>(it: &Reference<'a>, namespace: &'a str) -> TargetKey<'a> {
    (
        it.group.unwrap_or(GATEWAY_API),
        it.kind.unwrap_or("Gateway"),
        it.namespace.unwrap_or(namespace),
        it.name,
        it.section,
        it.port,
    )
}

fn route<'a>(object: &'a Object, kind: RouteKind, index: &super::index::Index<'a>) -> Route<'a> {
    let hostnames = match kind {
        RouteKind::Tcp | RouteKind::Udp => &[],
        _ => list(&object.node, &["spec", "hostnames"]),
    };
    let rules = list(&object.node, &["spec", "rules"]).iter().enumerate();
    Route {
        object,
        kind,
        hostnames: hostnames.iter().filter_map(Node::as_str).collect(),
        parents: Vec::new(),
        rules: rules
            .map(|(at, node)| {
                let pointer = Pointer::root()
                    .key("spec")
                    .key("rules")
                    .index(at)
                    .key("backendRefs");
                let refs = list(node, &["backendRefs"]).iter().enumerate();
                Rule {
                    name: text(node, &["name"]),
                    backends: refs
                        .map(|(at, it)| backend_ref(object, it, pointer.index(at), index))
                        .collect(),
                    node,
                }
            })
            .collect(),
    }
}

fn backend_ref<'a>(
    object: &'a Object,
    node: &'a Node,
    pointer: Pointer,
    index: &super::index::Index<'a>,
) -> BackendRef<'a> {
    let kind = text(node, &["kind"]).unwrap_or("Service");
    let namespace = text(node, &["namespace"]).unwrap_or(object.namespace());
    let name = text(node, &["name"]).unwrap_or_default();
    BackendRef {
        group: text(node, &["group"]).unwrap_or_default(),
        kind,
        namespace,
        name,
        port: int(node, &["port"]),
        weight: int(node, &["weight"]).unwrap_or(1),
        pointer,
        object: index.here(kind, Key { namespace, name }),
        node,
    }
}
