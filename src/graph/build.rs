//! Builds the picture from the resolved objects.

mod parts;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::model::{Backend, Gateway, Link, LinkSource, LinkState, Name, Picture, Policy};
use envoy_gateway::condition::{Status, kind};
use envoy_gateway::exposure::Side;
use envoy_gateway::index::Key;
use envoy_gateway::policy::{Outcome, Scope};
use envoy_gateway::view::{self, Parent};
use envoy_gateway::{ListenerId, Resolved, RouteKind, Target};
use manifest::Object;
use parts::{
    absent, faults, faults_of, gateway, listener, reversed_labels, route, service_of_chart,
};

/// Builds the picture of all resolved objects.
pub fn picture(resolved: &Resolved<'_>) -> Picture {
    let mut builder = Builder::new(resolved);
    builder.gateways();
    builder.routes();
    builder.policies();
    builder.picture
}

struct Builder<'r, 'a> {
    resolved: &'r Resolved<'a>,
    picture: Picture,
    /// The index of each gateway in the picture, including gateways that are only referred to.
    gateways: HashMap<Key<'a>, usize>,
    listeners: HashMap<ListenerId, (usize, usize)>,
    routes: HashMap<(RouteKind, Key<'a>), usize>,
}

impl<'r, 'a> Builder<'r, 'a> {
    fn new(resolved: &'r Resolved<'a>) -> Self {
        Builder {
            resolved,
            picture: Picture::default(),
            gateways: HashMap::new(),
            listeners: HashMap::new(),
            routes: HashMap::new(),
        }
    }

    fn gateways(&mut self) {
        let mut all: Vec<(Key<'a>, Gateway, &[ListenerId])> = self
            .resolved
            .gateways()
            .iter()
            .map(|it| (it.key(), gateway(it), it.listeners.as_slice()))
            .collect();
        let known: BTreeSet<Key<'a>> = all.iter().map(|(key, ..)| *key).collect();
        let missing = self
            .missing()
            .into_iter()
            .filter(|key| !known.contains(key));
        all.extend(missing.map(|key| (key, absent(key), [].as_slice())));
        all.sort_by_key(|(key, gateway, _)| (gateway.is_foreign, rank(gateway.side), *key));
        for (key, mut gateway, listeners) in all {
            let at = self.picture.gateways.len();
            for (nth, id) in listeners.iter().enumerate() {
                if let Some(one) = self.resolved.listener(*id) {
                    gateway.listeners.push(listener(self.resolved, one));
                    self.listeners.insert(*id, (at, nth));
                }
            }
            self.gateways.insert(key, at);
            self.picture.gateways.push(gateway);
        }
    }

    /// The gateways that routes refer to but that are not among the objects.
    fn missing(&self) -> BTreeSet<Key<'a>> {
        let routes = self.resolved.routes().iter();
        let parents = routes.flat_map(|route| route.parents.iter().map(move |it| (route, it)));
        parents
            .filter(|(_, parent)| parent.target == Target::NotGiven && is_gateway(parent))
            .map(|(route, parent)| parent_key(route, parent))
            .collect()
    }

    fn routes(&mut self) {
        let resolved = self.resolved;
        let mut drawn = Vec::new();
        for one in resolved.routes() {
            let links = self.links(one);
            // Routes are sorted by their parents, and then by domain.
            let places = links.iter().map(|it| self.vertical_order(it.from) as f64);
            let place = match links.is_empty() {
                true => f64::INFINITY,
                false => places.sum::<f64>() / links.len() as f64,
            };
            let first = one.hostnames.first().copied().unwrap_or_default();
            drawn.push((place, reversed_labels(first), one.key(), one, links));
        }
        drawn.sort_by(|a, b| a.0.total_cmp(&b.0).then((&a.1, a.2).cmp(&(&b.1, b.2))));
        let mut backends: BTreeMap<Id, usize> = BTreeMap::new();
        for (_, _, _, one, links) in drawn {
            let mut route = route(one);
            route.links = links;
            route.faults = faults_of(one);
            route.backends = self.backends(one, &mut backends);
            self.routes
                .insert((one.kind, one.key()), self.picture.routes.len());
            self.picture.routes.push(route);
        }
        self.order_backends();
    }

    /// Sorts the backends by the routes beside which they are drawn.
    fn order_backends(&mut self) {
        let picture = &mut self.picture;
        let mut order: Vec<(usize, usize)> = (0..picture.backends.len())
            .map(|at| (picture.row_of(at), at))
            .collect();
        order.sort_unstable();
        let new: HashMap<usize, usize> = order
            .iter()
            .enumerate()
            .map(|(new, (_, old))| (*old, new))
            .collect();
        let mut backends: Vec<(usize, Backend)> = std::mem::take(&mut picture.backends)
            .into_iter()
            .enumerate()
            .map(|(old, it)| (new.get(&old).copied().unwrap_or(old), it))
            .collect();
        backends.sort_by_key(|(new, _)| *new);
        picture.backends = backends.into_iter().map(|(_, it)| it).collect();
        for (to, _) in picture.routes.iter_mut().flat_map(|it| &mut it.backends) {
            *to = new.get(to).copied().unwrap_or(*to);
        }
    }

    /// The listener that a parentRef names, or else its gateway.
    fn named(&self, gateway: usize, parent: &Parent<'_>) -> LinkSource {
        let listeners = self.picture.gateways.get(gateway).map(|it| &it.listeners);
        let nth = parent.reference.section.and_then(|section| {
            let mut names = listeners?.iter().map(|it| &it.name);
            names.position(|name| name == section)
        });
        match nth {
            Some(nth) => LinkSource::Listener(gateway, nth),
            None => LinkSource::Gateway(gateway),
        }
    }

    /// The vertical order of a parent among all listeners and gateways. A route with two gateways is drawn
    /// between the routes of each one.
    fn vertical_order(&self, from: LinkSource) -> usize {
        const LISTENERS: usize = 1000;
        match from {
            LinkSource::Gateway(gateway) => gateway * LISTENERS,
            LinkSource::Listener(gateway, nth) => gateway * LISTENERS + nth + 1,
        }
    }

    fn links(&self, route: &view::Route<'a>) -> Vec<Link> {
        let mut links = BTreeSet::new();
        for parent in &route.parents {
            let attached = parent
                .attachments
                .iter()
                .filter_map(|it| self.listeners.get(&it.listener));
            let attached: Vec<Link> = attached
                .map(|(gateway, nth)| Link {
                    from: LinkSource::Listener(*gateway, *nth),
                    state: LinkState::Attached,
                })
                .collect();
            let key = match parent.target {
                Target::Gateway(id) => self.resolved.gateway(id).map(|it| it.key()),
                Target::Set(id) => {
                    let set = self.resolved.set(id).and_then(|it| it.gateway);
                    set.and_then(|id| self.resolved.gateway(id))
                        .map(|it| it.key())
                }
                Target::Foreign | Target::NotGiven => {
                    is_gateway(parent).then(|| parent_key(route, parent))
                }
            };
            let own = key.and_then(|key| self.gateways.get(&key)).map(|at| Link {
                from: self.named(*at, parent),
                state: match parent.conditions.is(kind::ACCEPTED, Status::False) {
                    true => LinkState::Refused,
                    false => LinkState::Unknown,
                },
            });
            match attached.is_empty() {
                true => links.extend(own),
                false => links.extend(attached),
            }
        }
        links.into_iter().collect()
    }

    fn backends(
        &mut self,
        route: &view::Route<'a>,
        known: &mut BTreeMap<Id, usize>,
    ) -> Vec<(usize, Option<String>)> {
        let mut weights: Vec<(usize, i64)> = Vec::new();
        let mut place = |kind: &str, namespace: &str, name: &str, picture: &mut Picture| {
            let key = (kind.to_owned(), namespace.to_owned(), name.to_owned());
            *known.entry(key).or_insert_with(|| {
                let (kind, namespace, name) =
                    (kind.to_owned(), namespace.to_owned(), name.to_owned());
                picture.backends.push(Backend {
                    name: Name {
                        kind,
                        namespace,
                        name,
                        cluster: None,
                    },
                    ports: Vec::new(),
                });
                picture.backends.len() - 1
            })
        };
        if let Some(name) = service_of_chart(route) {
            let at = place("Service", route.object.namespace(), name, &mut self.picture);
            weights.push((at, 1));
        }
        for one in route.rules.iter().flat_map(|rule| &rule.backends) {
            let at = place(one.kind, one.namespace, one.name, &mut self.picture);
            if let (Some(backend), Some(port)) = (self.picture.backends.get_mut(at), one.port)
                && let Err(place) = backend.ports.binary_search(&port)
            {
                backend.ports.insert(place, port);
            }
            match weights.iter_mut().find(|(known, _)| *known == at) {
                Some((_, weight)) => *weight = weight.saturating_add(one.weight),
                None => weights.push((at, one.weight)),
            }
        }
        // Percentages only make sense for a single rule. With several rules, they depend on the requests.
        let total: i64 = weights
            .iter()
            .fold(0, |sum, (_, weight)| sum.saturating_add(*weight));
        let is_shared = route.rules.len() == 1 && weights.len() > 1 && total > 0;
        let part = |weight: i64| format!("{}%", weight.saturating_mul(100) / total.max(1));
        weights
            .into_iter()
            .map(|(at, weight)| (at, is_shared.then(|| part(weight))))
            .collect()
    }

    fn policies(&mut self) {
        let mut all: Vec<&envoy_gateway::policy::Policy<'a>> =
            self.resolved.policies().iter().collect();
        all.sort_by_key(|it| (it.kind, Key::of(it.object)));
        for one in all {
            let at = self.picture.policies.len();
            let mut is_attached = false;
            let holds = one.targets.iter().filter(|it| it.outcome == Outcome::Holds);
            for target in holds {
                if let Some(policies) = self.anchor(target.scope) {
                    is_attached = true;
                    if !policies.contains(&at) {
                        policies.push(at);
                    }
                }
            }
            let spec = one.spec().and_then(|it| it.as_map()).into_iter();
            let keys = spec.flat_map(|it| it.iter()).map(|(key, _)| key);
            let conditions = one.ancestors.iter().flat_map(|(_, it)| it.iter());
            self.picture.policies.push(Policy {
                name: named(one.object),
                kind: one.kind,
                settings: keys
                    .filter(|key| !key.starts_with("target"))
                    .map(str::to_owned)
                    .collect(),
                is_attached,
                faults: faults(conditions),
            });
        }
    }

    /// The list of policies of the object in the picture that a scope refers to.
    fn anchor(&mut self, scope: Scope<'a>) -> Option<&mut Vec<usize>> {
        match scope {
            Scope::Gateway(key) => {
                let at = *self.gateways.get(&key)?;
                self.picture.gateways.get_mut(at).map(|it| &mut it.policies)
            }
            Scope::GatewayListener(key, name) => self.listener(|one| {
                one.set.is_none() && Key::of(one.object) == key && one.name == name
            }),
            Scope::SetListener(key, name) => self.listener(|one| {
                one.set.is_some() && Key::of(one.object) == key && one.name == name
            }),
            Scope::Set(key) => self.listener(|one| one.set.is_some() && Key::of(one.object) == key),
            Scope::Route(kind, key) | Scope::Rule(kind, key, _) => {
                let at = *self.routes.get(&(kind, key))?;
                self.picture.routes.get_mut(at).map(|it| &mut it.policies)
            }
            Scope::Other(..) => None,
        }
    }

    /// The list of policies of the first listener that matches.
    fn listener(
        &mut self,
        wanted: impl Fn(&view::Listener<'a>) -> bool,
    ) -> Option<&mut Vec<usize>> {
        let at = self.resolved.listeners().iter().position(wanted)?;
        let (gateway, nth) = *self.listeners.get(&ListenerId(at))?;
        let gateway = self.picture.gateways.get_mut(gateway)?;
        gateway.listeners.get_mut(nth).map(|it| &mut it.policies)
    }
}

/// The kind, namespace and name of a backend.
type Id = (String, String, String);

fn rank(side: Side) -> u8 {
    match side {
        Side::External => 0,
        Side::Unknown => 1,
        Side::Internal => 2,
    }
}

fn named(object: &Object) -> Name {
    Name {
        kind: object.kind().to_owned(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        cluster: None,
    }
}

fn is_gateway(parent: &Parent<'_>) -> bool {
    parent.reference.kind.unwrap_or("Gateway") == "Gateway"
}

fn parent_key<'a>(route: &view::Route<'a>, parent: &Parent<'a>) -> Key<'a> {
    Key {
        namespace: parent
            .reference
            .namespace
            .unwrap_or(route.object.namespace()),
        name: parent.reference.name,
    }
}
