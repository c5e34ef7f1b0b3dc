//! Builds the table of exposures from the resolved objects.

use std::collections::BTreeMap;

use super::dns::{self, Publishers, RouteQuery};
use super::guard::{guards, together, trusted};
use super::reach::reach;
use super::table::{
    AnsweringRoute, ExposedGateway, ExposedListener, Exposure, Guard, Hostname, Namespaces,
    NoRecord, Reach, Records, Side, Table,
};
use crate::condition::{Status, kind};
use crate::helm_routes::RELEASE;
use crate::hostname::shared;
use crate::index::Key;
use crate::policy::effective::EffectivePolicies;
use crate::read::{list, text};
use crate::view::{Allowed, Gateway};
use crate::{
    Attachment, GatewayId, Listener, ListenerId, Resolved, Route, RouteId, RouteKind, Target,
};
use manifest::Object;

/// Builds the table of everything that is exposed. `objects` are those from which `resolved` was created.
pub fn table(resolved: &Resolved<'_>, objects: &[Object]) -> Table {
    let effective_policies = resolved.effective_policies();
    let publishers = Publishers::find(objects).and(resolved.declared());
    let exposed = attached(resolved);
    let mut exposures: Vec<Exposure> = exposed
        .into_iter()
        .filter_map(|((hostname, gateway), one)| {
            one.exposure(
                resolved,
                &effective_policies,
                &publishers,
                hostname,
                gateway,
            )
        })
        .collect();
    exposures.sort_by(|a, b| (&a.hostname, &a.gateway).cmp(&(&b.hostname, &b.gateway)));
    Table {
        gateways: exposed_gateways(resolved, &effective_policies),
        exposures,
    }
}

/// The routes at the listeners of each gateway, by hostname.
pub fn attached(resolved: &Resolved<'_>) -> BTreeMap<(Hostname, GatewayId), Exposed> {
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
    exposed
}

/// The attachments of a route, each with whether it is certain. It is uncertain if objects that decide it are
/// missing.
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

/// The hostnames of a route at a listener. If variables keep them from being known, these are the hostnames
/// of the route.
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

/// The routes at the listeners of a gateway that share a hostname.
#[derive(Clone, Debug, Default)]
pub struct Exposed {
    /// Whether it is certain that a route attaches.
    pub is_certain: bool,
    /// The routes, each with the listener that it is attached to.
    pub at: Vec<(RouteId, ListenerId)>,
}

impl Exposed {
    fn exposure<'a>(
        self,
        resolved: &Resolved<'a>,
        effective_policies: &EffectivePolicies<'a>,
        publishers: &Publishers<'_>,
        hostname: Hostname,
        gateway: GatewayId,
    ) -> Option<Exposure> {
        let gateway = resolved.gateway(gateway)?;
        let (mut listeners, mut routes) = (Vec::new(), Vec::new());
        let (mut answers, mut redirects) = (Vec::new(), Vec::new());
        let (mut is_plain, mut asked) = (false, Vec::new());
        let mut backends = Vec::new();
        let target = target(gateway);
        for (id, listener_id) in &self.at {
            let (route, listener) = (resolved.route(*id)?, resolved.listener(*listener_id)?);
            push_new(&mut listeners, listener_name(resolved, listener));
            push_new(&mut routes, answer(route));
            for rule in &route.rules {
                for backend in backends_of(route, rule.node) {
                    push_new(&mut backends, backend);
                }
                let guards = guards(
                    resolved,
                    effective_policies,
                    Some((*id, rule.name)),
                    *listener_id,
                );
                if is_redirect(rule.node) {
                    redirects.push(guards);
                } else {
                    is_plain |= listener.protocol == "HTTP";
                    answers.push(guards);
                }
            }
            if let Hostname::Name(hostname) = &hostname {
                asked.push(RouteQuery {
                    hostname,
                    gateway: gateway.object,
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
        backends.sort();
        Some(Exposure {
            gateway: gateway.key().to_string(),
            records,
            guards: together(if is_redirect { redirects } else { answers }),
            hostname,
            listeners,
            routes,
            backends,
            is_certain: self.is_certain,
            is_redirect,
            is_plain,
        })
    }
}

/// The backends of a rule, as in [`Exposure::backends`].
fn backends_of(route: &Route<'_>, rule: &manifest::value::Node) -> Vec<String> {
    let references = list(rule, &["backendRefs"]).iter();
    let one = |reference: &manifest::value::Node| {
        let namespace = text(reference, &["namespace"]).unwrap_or(route.object.namespace());
        let kind = text(reference, &["kind"]).filter(|kind| *kind != "Service");
        let kind = kind.map_or_else(String::new, |kind| format!("{kind} "));
        let port = reference
            .get("port")
            .map(|port| format!(":{}", port.to_json()));
        let name = text(reference, &["name"]).unwrap_or_default();
        format!("{kind}{namespace}/{name}{}", port.unwrap_or_default())
    };
    references.map(one).collect()
}

fn push_new<T: PartialEq>(all: &mut Vec<T>, new: T) {
    if !all.contains(&new) {
        all.push(new);
    }
}

/// Whether a rule only redirects clients.
pub fn is_redirect(rule: &manifest::value::Node) -> bool {
    let filters = list(rule, &["filters"]);
    filters
        .iter()
        .any(|it| text(it, &["type"]) == Some("RequestRedirect"))
}

fn answer(route: &Route<'_>) -> AnsweringRoute {
    let annotations = ["metadata", "annotations", RELEASE];
    AnsweringRoute {
        kind: route.kind.as_str().to_owned(),
        namespace: route.object.namespace().to_owned(),
        name: route.object.name().to_owned(),
        release: text(&route.object.node, &annotations).map(str::to_owned),
    }
}

/// The name of a listener, prefixed with the name of its ListenerSet if it has one.
pub fn listener_name(resolved: &Resolved<'_>, listener: &Listener<'_>) -> String {
    match listener.set.and_then(|set| resolved.set(set)) {
        Some(set) => format!("{}/{}", set.key(), listener.name),
        None => listener.name.to_owned(),
    }
}

/// The target of the DNS records of a gateway's routes.
pub fn target<'a>(gateway: &Gateway<'a>) -> Option<&'a str> {
    dns::annotation(gateway.object, "target")
}

/// The side of the network that a gateway faces.
pub fn reach_of(gateway: &Gateway<'_>) -> Reach {
    if let Some(tunnel) = &gateway.tunnel {
        return Reach {
            side: Side::External,
            why: format!("{} leads to it", tunnel.name),
        };
    }
    let class = text(&gateway.object.node, &["spec", "gatewayClassName"]);
    reach(
        gateway.object.name(),
        class.unwrap_or_default(),
        &gateway.addresses(),
        target(gateway),
    )
}

fn exposed_gateways<'a>(
    resolved: &Resolved<'a>,
    effective_policies: &EffectivePolicies<'a>,
) -> Vec<ExposedGateway> {
    let own = resolved.gateways().iter().filter(|it| it.class.is_some());
    let mut gateways: Vec<ExposedGateway> = own
        .map(|gateway| ExposedGateway {
            name: Key::of(gateway.object).to_string(),
            reach: reach_of(gateway),
            addresses: gateway.addresses(),
            target: target(gateway).map(str::to_owned),
            listeners: gateway
                .listeners
                .iter()
                .filter_map(|id| exposed_listener(resolved, effective_policies, *id))
                .collect(),
        })
        .collect();
    gateways.sort_by(|a, b| a.name.cmp(&b.name));
    gateways
}

fn exposed_listener<'a>(
    resolved: &Resolved<'a>,
    effective_policies: &EffectivePolicies<'a>,
    id: ListenerId,
) -> Option<ExposedListener> {
    let listener = resolved.listener(id).filter(|it| it.is_ready())?;
    let guards: Vec<Guard> = guards(resolved, effective_policies, None, id);
    Some(ExposedListener {
        name: listener_name(resolved, listener),
        port: listener.port,
        protocol: listener.protocol.to_owned(),
        hostname: listener.hostname.map(str::to_owned),
        namespaces: namespaces(listener),
        trusted: trusted(resolved, effective_policies, id),
        guards,
    })
}

/// The namespaces whose routes a listener accepts.
pub fn namespaces(listener: &Listener<'_>) -> Namespaces {
    match listener.allowed {
        Allowed::Nothing => Namespaces::None,
        Allowed::Same => Namespaces::Same,
        Allowed::Selected(selector) => Namespaces::Selected(selector.to_json().to_string()),
        Allowed::All => Namespaces::All,
    }
}
