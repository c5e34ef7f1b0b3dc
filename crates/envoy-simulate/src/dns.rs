//! The DNS name of a request: which gateways it leads to, and who publishes it.
//!
//! [`Publishers`] reads what publishes DNS records: external-dns, k8s-gateway and DNSEndpoints. external-dns makes
//! records from routes. The names are a route's hostnames (or its annotation `hostname`). They
//! lead to the annotation `target` of the Gateway that the route is attached to, else to the Gateway's address
//! (external-dns 0.22, source `gateway-httproute` and its like). The name of a Gateway itself comes from its Service.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::IpAddr;

use super::matching::MatchResult;
use super::{
    Mark, Request, RequestState, Scheme, SettingPlace, Stage, Step, TraceInputs, Tracer, matching,
};
use envoy_gateway::envoy_config::ip_family;
use envoy_gateway::exposure::dns::RouteQuery;
use envoy_gateway::exposure::table::{NoRecord, Record, Records};
use envoy_gateway::helm_routes::RELEASE;
use envoy_gateway::read::text;
use envoy_gateway::view::{Gateway, GatewayId, Route};
use manifest::Object;

use manifest::value::{Node, Pointer};

/// The prefixes of external-dns' annotations: until 0.21, and from 0.22 on.
const PREFIXES: [&str; 2] = [
    "external-dns.alpha.kubernetes.io/",
    "external-dns.kubernetes.io/",
];

/// The path of a gateway's annotations for its infrastructure.
const INFRASTRUCTURE: [&str; 3] = ["spec", "infrastructure", "annotations"];

/// The gateways that a request may reach.
pub(super) struct Candidates {
    pub gateways: Vec<GatewayId>,
    pub notes: Vec<String>,
}

/// An annotation of external-dns, and its place.
fn annotation<'a>(
    object: &'a Object,
    path: &[&str],
    name: &str,
) -> Option<(&'a str, SettingPlace<'a>)> {
    let map = object.node.path(path)?;
    let key = PREFIXES.iter().map(|prefix| format!("{prefix}{name}"));
    let (key, value) = key
        .filter_map(|key| Some((map.get(&key)?.as_str()?, key)))
        .map(|(value, key)| (key, value))
        .next()?;
    let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
    let pointer = pointer.key(key);
    Some((value, SettingPlace { object, pointer }))
}

const OWN: [&str; 2] = ["metadata", "annotations"];

/// The elements of a comma-separated list.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|it| !it.is_empty())
}

/// The DNS name of a route that matches the host, and its place.
fn published<'a>(route: &Route<'a>, host: &str) -> Option<(String, SettingPlace<'a>)> {
    let mut names = route.hostnames.iter().enumerate();
    let found = names.find(|(_, name)| matching::host(name, host) == MatchResult::Yes);
    if let Some((at, name)) = found {
        let pointer = Pointer::root().key("spec").key("hostnames").index(at);
        let object = route.object;
        return Some(((*name).to_owned(), SettingPlace { object, pointer }));
    }
    let (names, place) = annotation(route.object, &OWN, "hostname")?;
    let name = parts(names).find(|name| matching::host(name, host) == MatchResult::Yes)?;
    Some((name.to_owned(), place))
}

/// Whether an annotation tells external-dns to ignore a route.
fn is_left_out<'a>(route: &Route<'a>) -> Option<SettingPlace<'a>> {
    let (controller, place) = annotation(route.object, &OWN, "controller")?;
    (controller != "dns-controller").then_some(place)
}

/// The addresses that a gateway has, and where the first of them stands.
pub(super) fn addresses<'a>(gateway: &Gateway<'a>) -> (Vec<String>, Option<SettingPlace<'a>>) {
    let all = gateway.status_addresses();
    let first = all.first().and_then(|address| address.place.clone());
    let place = first.map(|(object, pointer)| SettingPlace { object, pointer });
    (all.into_iter().map(|address| address.text).collect(), place)
}

/// Whether the host is the name of the gateway's own Service.
fn own_name<'a>(gateway: &Gateway<'a>, host: &str) -> Option<SettingPlace<'a>> {
    let (names, place) = annotation(gateway.object, &INFRASTRUCTURE, "hostname")?;
    parts(names)
        .any(|name| matching::host(name, host) == MatchResult::Yes)
        .then_some(place)
}

/// The gateways that a request may reach: those that DNS leads to and those that have a route for the host. If there
/// are none of either, all gateways.
pub(super) fn candidates(
    tracer: &Tracer<'_, '_>,
    request: &Request,
    wanted: Option<&str>,
) -> Candidates {
    let all = tracer.inputs.resolved.gateways().iter().enumerate();
    let all: Vec<(GatewayId, &Gateway<'_>)> = all
        .filter(|(_, gateway)| gateway.class.is_some())
        .map(|(at, gateway)| (GatewayId(at), gateway))
        .collect();
    let mut notes = Vec::new();
    if all.is_empty() {
        notes.push("there is no Gateway of Envoy Gateway among these objects".to_owned());
    }
    if let Some(wanted) = wanted {
        let is_it = |gateway: &Gateway<'_>| {
            gateway.object.name() == wanted || gateway.key().to_string() == wanted
        };
        let gateways: Vec<GatewayId> = all
            .iter()
            .filter(|(_, gateway)| is_it(gateway))
            .map(|(id, _)| *id)
            .collect();
        if gateways.is_empty() && !all.is_empty() {
            let names: Vec<String> = all.iter().map(|(_, it)| it.key().to_string()).collect();
            notes.push(format!(
                "there is no gateway {wanted}; there are {}",
                names.join(", ")
            ));
        }
        return Candidates { gateways, notes };
    }
    let led: Vec<GatewayId> = all
        .iter()
        .filter(|(id, gateway)| leads_to(tracer, request, *id, gateway))
        .map(|(id, _)| *id)
        .collect();
    if led.is_empty() && !all.is_empty() {
        notes.push(format!(
            "no DNS record for {} was found, so every gateway is shown as if the name led to it",
            request.host
        ));
    }
    let gateways = match led.is_empty() {
        true => all.iter().map(|(id, _)| *id).collect(),
        false => led,
    };
    Candidates { gateways, notes }
}

fn leads_to(
    tracer: &Tracer<'_, '_>,
    request: &Request,
    id: GatewayId,
    gateway: &Gateway<'_>,
) -> bool {
    let host = &request.host;
    if host.parse::<IpAddr>().is_ok() {
        return addresses(gateway).0.iter().any(|one| one == host);
    }
    let target = annotation(gateway.object, &OWN, "target");
    own_name(gateway, host).is_some()
        || tracer
            .publishers
            .written(host)
            .any(|record| is_target(record, gateway))
        || target.is_some_and(|(target, _)| parts(target).any(|one| one == host))
        || routes_at(tracer.inputs, id).any(|route| published(route, host).is_some())
}

/// Whether a record leads to a gateway: to its address, to the name of its Service, or to the target of its records.
fn is_target(record: &Record, gateway: &Gateway<'_>) -> bool {
    let (addresses, _) = addresses(gateway);
    let own = annotation(gateway.object, &OWN, "target");
    let tunnel = gateway.tunnel.as_ref().and_then(|it| it.target.as_deref());
    let targets = record.target.iter().flat_map(|it| parts(it));
    targets.into_iter().any(|target| {
        addresses.iter().any(|address| address == target)
            || tunnel == Some(target)
            || own_name(gateway, target).is_some()
            || own
                .as_ref()
                .is_some_and(|(own, _)| parts(own).any(|it| it == target))
    })
}

/// What is said of a record that leads to the tunnel of a gateway; `None` if it doesn't.
fn through_tunnel(gateway: &Gateway<'_>, record: &Record) -> Option<String> {
    let tunnel = gateway.tunnel.as_ref()?;
    let target = tunnel.target.as_deref()?;
    let mut targets = record.target.iter().flat_map(|it| parts(it));
    targets.any(|it| it == target).then(|| {
        format!(
            "from the Internet, {} leads to {target}, and from there through {} to the gateway",
            record.by, tunnel.name
        )
    })
}

/// The routes that are attached to a gateway.
fn routes_at<'s, 'a>(
    inputs: &'s TraceInputs<'a>,
    id: GatewayId,
) -> impl Iterator<Item = &'s Route<'a>> {
    let gateway = inputs.resolved.gateway(id);
    let listeners = gateway.into_iter().flat_map(|it| &it.listeners);
    let routes: BTreeSet<_> = listeners
        .filter_map(|id| inputs.resolved.listener(*id))
        .flat_map(|it| it.routes.iter().copied())
        .collect();
    routes
        .into_iter()
        .filter_map(|id| inputs.resolved.route(id))
}

impl<'a> RequestState<'a, '_> {
    /// Adds the step that says where the name leads, and who publishes it.
    pub(super) fn dns(&mut self, gateway: &Gateway<'a>) {
        let host = self.request.host.clone();
        let (addresses, _) = addresses(gateway);
        let addresses = match addresses.is_empty() {
            true => "an unknown address".to_owned(),
            false => addresses.join(", "),
        };
        if host.parse::<IpAddr>().is_ok() {
            let text = format!("{host} is an IP address, so DNS is not needed");
            self.add(Step::new(Stage::Dns, text));
            return;
        }
        let publishers = self.publishers;
        let written = publishers.written(&host).find(|it| is_target(it, gateway));
        if let Some(record) = written {
            let target = record.target.as_deref().unwrap_or_default();
            let text = format!("{host} leads to {target}");
            let why = format!("published by {}", record.by);
            let step = Step::new(Stage::Dns, text).detail(why);
            self.add(match through_tunnel(gateway, record) {
                Some(why) => step.detail(why),
                None => step,
            });
            return;
        }
        if let Some(place) = own_name(gateway, &host) {
            let text = format!("{host} leads to {addresses}");
            let why = match publishers.is_empty() {
                true => {
                    "external-dns would publish it for the gateway's Service, but is not in the given files"
                }
                false => "published by external-dns for the gateway's Service",
            };
            self.add(Step::new(Stage::Dns, text).detail(why).place(place));
            return;
        }
        let mut left_out = None;
        let mut found = None;
        let offered = routes_at(self.inputs, self.gateway)
            .filter_map(|route| Some((route, published(route, &host)?.0)));
        let mut offered: Vec<_> = offered.collect();
        offered.sort_by_key(|(_, name)| Reverse(matching::specificity(name)));
        for (route, name) in offered {
            match is_left_out(route) {
                Some(place) => left_out = left_out.or(Some((route, place))),
                None => {
                    found = Some((route, name));
                    break;
                }
            }
        }
        let step = match (found, left_out) {
            (Some((route, own)), _) => {
                let name = match own == host {
                    true => String::new(),
                    false => format!("as {own} "),
                };
                let place = published(route, &host).map(|(_, place)| place);
                let asked = RouteQuery {
                    hostname: &own,
                    gateway: gateway.object,
                    kind: route.kind,
                    route: route.object,
                    target: None,
                };
                let records = publishers.records(&[asked]);
                let who = format!("{name}for {}", named(route));
                match records.none {
                    Some(NoRecord::Nobody) => {
                        let text = format!("{host}: no publisher of DNS records takes its route");
                        let why = format!(
                            "the filters of those that are given leave out {}; without another record, the name can't be resolved",
                            named(route)
                        );
                        let step = Step::new(Stage::Dns, text).mark(Mark::Minds).detail(why);
                        Step { place, ..step }
                    }
                    _ => self.record(gateway, &publisher(&records, &who), place, &addresses),
                }
            }
            (None, Some((route, place))) => {
                let text = format!("{host}: external-dns ignores its route");
                let why = format!(
                    "the annotation `controller` of {} says so; without another record, the name can't be resolved",
                    named(route)
                );
                Step::new(Stage::Dns, text)
                    .mark(Mark::Minds)
                    .detail(why)
                    .place(place)
            }
            (None, None) => {
                let text = format!("{host}: nothing was found that publishes it for this gateway");
                Step::new(Stage::Dns, text).mark(Mark::Unknown)
            }
        };
        self.add(step);
    }

    /// The step for the record that is made from a route. `who` publishes it, and `own` is the place of the hostname.
    fn record(
        &self,
        gateway: &Gateway<'a>,
        who: &str,
        own: Option<SettingPlace<'a>>,
        addresses: &str,
    ) -> Step<'a> {
        let host = &self.request.host;
        let Some((target, place)) = annotation(gateway.object, &OWN, "target") else {
            let text = format!("{host} leads to {addresses}");
            let why = "the Gateway has no annotation `target`, so its own address is published";
            let step = Step::new(Stage::Dns, text).detail(who).detail(why);
            return Step { place: own, ..step };
        };
        let targets: Vec<&str> = parts(target).collect();
        let text = format!("{host} leads to {}", targets.join(", "));
        let mut step = Step::new(Stage::Dns, text).detail(who).place(place);
        for target in targets {
            if target.parse::<IpAddr>().is_ok() {
                continue;
            }
            step = match self.owner_of(target) {
                Some(other) if std::ptr::eq(other.object, gateway.object) => {
                    let step = step.detail(format!("{target} leads to {addresses}"));
                    let mut written = self.publishers.written(target);
                    match written.find_map(|record| through_tunnel(gateway, record)) {
                        Some(why) => step.detail(why),
                        None => step,
                    }
                }
                Some(other) => {
                    let told = format!(
                        "{target} is the name of another gateway, {}, so requests go there",
                        other.key()
                    );
                    step.detail(told).mark(Mark::Minds)
                }
                None => step.detail(format!("{target}: nothing was found that publishes it")),
            };
        }
        step
    }

    /// The gateway whose Service has this name.
    fn owner_of(&self, name: &str) -> Option<&Gateway<'a>> {
        let mut all = self.inputs.resolved.gateways().iter();
        all.find(|gateway| own_name(gateway, name).is_some())
    }

    /// Adds the step that names the gateway, and checks that it runs.
    pub(super) fn gateway(&mut self, gateway: &Gateway<'a>) -> super::StageResult<()> {
        let (addresses, place) = addresses(gateway);
        let key = gateway.key();
        let text = match addresses.is_empty() {
            true => format!("{key}, at an unknown address"),
            false => format!("{key} at {}", addresses.join(", ")),
        };
        let step = Step::new(Stage::Gateway, text);
        let step = match place {
            Some(place) => step.place(place),
            None => step.at(gateway.object, &["metadata", "name"]),
        };
        if gateway.is_accepted {
            let step = with_tunnel(self.with_source(step, gateway), gateway);
            let Some(why) = self.not_listening(gateway, &addresses) else {
                self.add(step);
                return Ok(());
            };
            self.add(step.mark(Mark::Stops).detail(why.clone()));
            return Err(super::Outcome::Closed(why));
        }
        let condition = gateway
            .conditions
            .get(envoy_gateway::condition::kind::ACCEPTED);
        let why = condition.map_or(String::new(), |it| format!(": {}", it.message));
        self.add(step.mark(Mark::Stops).detail(format!("refused{why}")));
        Err(super::Outcome::Closed(
            "the controller refuses the gateway, and runs no proxy for it".to_owned(),
        ))
    }

    /// Why nothing answers the connection, if Envoy doesn't listen on its family of addresses: that of the client, or if the
    /// client is not given, that of all addresses of the gateway.
    fn not_listening(&self, gateway: &Gateway<'a>, addresses: &[String]) -> Option<String> {
        let used: Vec<IpAddr> = match self.request.from {
            Some(from) => vec![from],
            None => addresses.iter().filter_map(|it| it.parse().ok()).collect(),
        };
        let is_deaf = |address: &IpAddr| !ip_family::listens_on(gateway, *address);
        let first = used.first()?;
        (gateway.infra.is_known && used.iter().all(is_deaf)).then(|| {
            let (family, listens) = match first.is_ipv6() {
                true => ("IPv6", "IPv4"),
                false => ("IPv4", "IPv6"),
            };
            format!("the proxies listen on {listens} only, and the connection uses {family}")
        })
    }

    /// Adds a detail if the Service may forward connections between nodes. The client's address may then be that of a
    /// node.
    fn with_source(&self, step: Step<'a>, gateway: &Gateway<'a>) -> Step<'a> {
        let path = ["envoyService", "externalTrafficPolicy"];
        let policy = gateway.infra.kubernetes(&path).and_then(Node::as_str);
        let is_udp = self.request.scheme == Scheme::Udp;
        match policy {
            Some("Cluster") if !is_udp => step.detail(
                "`externalTrafficPolicy: Cluster`: a node may forward the connection with its own address as the source",
            ),
            _ => step,
        }
    }
}

/// Adds a detail if a tunnel leads to the gateway, because the address of a connection is then that of the tunnel.
fn with_tunnel<'a>(step: Step<'a>, gateway: &Gateway<'a>) -> Step<'a> {
    let Some(tunnel) = &gateway.tunnel else {
        return step;
    };
    let step = step.detail(format!(
        "{} leads to it from the Internet, and opens the connections itself",
        tunnel.name
    ));
    match &tunnel.client_header {
        Some(header) => step.detail(format!(
            "it sends the address of the client in the header {header}"
        )),
        None => step,
    }
}

/// Who publishes a record; `route` is the route that it is made from.
fn publisher(records: &Records, route: &str) -> String {
    let all: Vec<String> = records
        .all
        .iter()
        .map(|record| match record.is_certain {
            true => record.by.clone(),
            false => format!("perhaps {}", record.by),
        })
        .collect();
    match all.is_empty() {
        true => would_publish(route),
        false => format!("published by {} {route}", all.join(" and ")),
    }
}

/// What is said if no publisher of DNS records is given.
fn would_publish(route: &str) -> String {
    format!(
        "no publisher of DNS records is in the given files; external-dns would publish it {route}"
    )
}

/// The name of a route in a step, with the Helm release if a chart creates the route.
pub(super) fn named(route: &Route<'_>) -> String {
    let name = format!("{} {}", route.kind.as_str(), route.key());
    match text(&route.object.node, &["metadata", "annotations", RELEASE]) {
        Some(release) => format!("{name} (Helm release {release})"),
        None => name,
    }
}

/// The strings among nodes.
pub(super) fn words(nodes: &[Node]) -> Vec<&str> {
    nodes.iter().filter_map(Node::as_str).collect()
}
