//! The table of the resolved view.

use std::collections::BTreeMap;

use super::dns::{self, Asked, Publishers};
use super::guard::{guards, together, trusted};
use super::reach::reach;
use super::table::{
    Answer, Door, Exposure, Front, Guard, Hostname, Namespaces, NoRecord, Records, Table,
};
use crate::condition::{Status, kind};
use crate::helm_routes::RELEASE;
use crate::hostname::shared;
use crate::index::Key;
use crate::policy::effective::Holding;
use crate::read::{list, text};
use crate::view::{Allowed, Gateway};
use crate::{
    Attachment, GatewayId, Listener, ListenerId, Resolved, Route, RouteId, RouteKind, Target,
};
use manifest::Object;

/// The table of all that is exposed: `objects` are those that the view was resolved of.
pub fn table(resolved: &Resolved<'_>, objects: &[Object]) -> Table {
    let holding = resolved.holding();
    let publishers = Publishers::of(objects);
    let mut exposed: BTreeMap<(Hostname, GatewayId), Exposed> = BTreeMap::new();
    for (at, route) in resolved.routes().iter().enumerate() {
        for (attachment, is_certain) in attachments(resolved, route) {
            let Some(listener) = resolved.listener(attachment.listener) else {
                continue;
            };
            if !listener.is_ready() {
                continue;
            }
            for hostname in hostnames(route, &attachment, listener) {
                let one = exposed.entry((hostname, listener.gateway)).or_default();
                one.is_certain |= is_certain;
                push_new(&mut one.at, (RouteId(at), attachment.listener));
            }
        }
    }
    let mut exposures: Vec<Exposure> = exposed
        .into_iter()
        .filter_map(|((hostname, gateway), one)| {
            one.exposure(resolved, &holding, &publishers, hostname, gateway)
        })
        .collect();
    exposures.sort_by(|a, b| (&a.hostname, &a.gateway).cmp(&(&b.hostname, &b.gateway)));
    Table {
        gateways: fronts(resolved, &holding),
        exposures,
    }
}

/// Where a route is attached; and where it may be, since what decides it is not at hand.
fn attachments(resolved: &Resolved<'_>, route: &Route<'_>) -> Vec<(Attachment, bool)> {
    let mut all = Vec::new();
    for parent in &route.parents {
        all.extend(parent.attachments.iter().map(|it| (it.clone(), true)));
        let Target::Gateway(id) = parent.target else {
            continue;
        };
        let is_open = parent.conditions.is(kind::ACCEPTED, Status::Unknown);
        if !(is_open && parent.attachments.is_empty()) {
            continue;
        }
        let gateway = resolved.gateway(id).map_or(&[][..], |it| &it.listeners);
        let named = |listener: &Listener<'_>| {
            let section = parent.reference.section;
            section.is_none_or(|section| section == listener.name)
                && parent
                    .reference
                    .port
                    .is_none_or(|port| port == listener.port)
                && listener.set.is_none()
                && listener.kinds.contains(&route.kind)
        };
        let listeners = gateway
            .iter()
            .filter(|id| resolved.listener(**id).is_some_and(named));
        all.extend(listeners.filter_map(|id| {
            let shared = shared(&route.hostnames, resolved.listener(*id)?.hostname);
            let attachment = Attachment {
                listener: *id,
                is_unknown: shared.hostnames.is_empty(),
                hostnames: shared.hostnames.into_iter().collect(),
            };
            Some((attachment, false))
        }));
    }
    all
}

/// The hostnames of a route at a listener; those that it asks for where variables keep it from being known.
fn hostnames(route: &Route<'_>, attachment: &Attachment, listener: &Listener<'_>) -> Vec<Hostname> {
    let name = |text: &str| Hostname::Name(text.to_owned());
    if matches!(route.kind, RouteKind::Tcp | RouteKind::Udp) {
        let protocol = match route.kind {
            RouteKind::Udp => "UDP",
            _ => "TCP",
        };
        return vec![Hostname::Port(listener.port, protocol.to_owned())];
    }
    match attachment.hostnames.is_empty() {
        false => attachment.hostnames.iter().map(|it| name(it)).collect(),
        true if attachment.is_unknown => route.hostnames.iter().map(|it| name(it)).collect(),
        true => Vec::new(),
    }
}

/// The routes at listeners of one gateway that have one hostname.
#[derive(Default)]
struct Exposed {
    is_certain: bool,
    at: Vec<(RouteId, ListenerId)>,
}

impl Exposed {
    fn exposure<'a>(
        self,
        resolved: &Resolved<'a>,
        holding: &Holding<'a>,
        publishers: &Publishers<'_>,
        hostname: Hostname,
        gateway: GatewayId,
    ) -> Option<Exposure> {
        let front = resolved.gateway(gateway)?;
        let (mut listeners, mut routes) = (Vec::new(), Vec::new());
        let (mut answers, mut redirects) = (Vec::new(), Vec::new());
        let (mut is_plain, mut asked) = (false, Vec::new());
        let target = target(front);
        for (id, listener_id) in &self.at {
            let (route, listener) = (resolved.route(*id)?, resolved.listener(*listener_id)?);
            push_new(&mut listeners, door_name(resolved, listener));
            push_new(&mut routes, answer(route));
            for rule in &route.rules {
                let guards = guards(resolved, holding, Some((*id, rule.name)), *listener_id);
                if is_redirect(rule.node) {
                    redirects.push(guards);
                } else {
                    is_plain |= listener.protocol == "HTTP";
                    answers.push(guards);
                }
            }
            if let Hostname::Name(hostname) = &hostname {
                asked.push(Asked {
                    hostname,
                    gateway: front.object,
                    kind: route.kind,
                    route: route.object,
                    target,
                });
            }
        }
        let is_redirect = answers.is_empty() && !redirects.is_empty();
        let records = match asked.is_empty() {
            true => Records {
                none: Some(NoRecord::Nameless),
                ..Records::default()
            },
            false => publishers.records(&asked),
        };
        listeners.sort();
        routes.sort();
        Some(Exposure {
            gateway: front.key().to_string(),
            records,
            guards: together(if is_redirect { redirects } else { answers }),
            hostname,
            listeners,
            routes,
            is_certain: self.is_certain,
            is_redirect,
            is_plain,
        })
    }
}

fn push_new<T: PartialEq>(all: &mut Vec<T>, new: T) {
    if !all.contains(&new) {
        all.push(new);
    }
}

/// Whether a rule only sends clients elsewhere.
pub fn is_redirect(rule: &manifest::value::Node) -> bool {
    let filters = list(rule, &["filters"]);
    filters
        .iter()
        .any(|it| text(it, &["type"]) == Some("RequestRedirect"))
}

fn answer(route: &Route<'_>) -> Answer {
    let annotations = ["metadata", "annotations", RELEASE];
    Answer {
        kind: route.kind.as_str().to_owned(),
        namespace: route.object.namespace().to_owned(),
        name: route.object.name().to_owned(),
        release: text(&route.object.node, &annotations).map(str::to_owned),
    }
}

/// A listener's name; behind its ListenerSet's, where it has one.
pub fn door_name(resolved: &Resolved<'_>, listener: &Listener<'_>) -> String {
    match listener.set.and_then(|set| resolved.set(set)) {
        Some(set) => format!("{}/{}", set.key(), listener.name),
        None => listener.name.to_owned(),
    }
}

/// Where the DNS records of a gateway's routes lead.
pub fn target<'a>(gateway: &Gateway<'a>) -> Option<&'a str> {
    dns::annotation(gateway.object, "target")
}

/// Which side a gateway faces.
pub fn reach_of(gateway: &Gateway<'_>) -> super::table::Reach {
    let class = text(&gateway.object.node, &["spec", "gatewayClassName"]);
    reach(
        gateway.object.name(),
        class.unwrap_or_default(),
        &gateway.addresses(),
        target(gateway),
    )
}

fn fronts<'a>(resolved: &Resolved<'a>, holding: &Holding<'a>) -> Vec<Front> {
    let own = resolved.gateways().iter().filter(|it| it.class.is_some());
    let mut fronts: Vec<Front> = own
        .map(|gateway| Front {
            name: Key::of(gateway.object).to_string(),
            reach: reach_of(gateway),
            addresses: gateway.addresses(),
            target: target(gateway).map(str::to_owned),
            doors: gateway
                .listeners
                .iter()
                .filter_map(|id| door(resolved, holding, *id))
                .collect(),
        })
        .collect();
    fronts.sort_by(|a, b| a.name.cmp(&b.name));
    fronts
}

fn door<'a>(resolved: &Resolved<'a>, holding: &Holding<'a>, id: ListenerId) -> Option<Door> {
    let listener = resolved.listener(id).filter(|it| it.is_ready())?;
    let guards: Vec<Guard> = guards(resolved, holding, None, id);
    Some(Door {
        name: door_name(resolved, listener),
        port: listener.port,
        protocol: listener.protocol.to_owned(),
        hostname: listener.hostname.map(str::to_owned),
        namespaces: namespaces(listener),
        trusted: trusted(resolved, holding, id),
        guards,
    })
}

/// The namespaces that a listener takes routes from.
pub fn namespaces(listener: &Listener<'_>) -> Namespaces {
    match listener.allowed {
        Allowed::Nothing => Namespaces::None,
        Allowed::Same => Namespaces::Same,
        Allowed::Selected(selector) => Namespaces::Selected(selector.to_json().to_string()),
        Allowed::All => Namespaces::All,
    }
}
