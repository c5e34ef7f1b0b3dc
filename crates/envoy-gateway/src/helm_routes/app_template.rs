//! The routes and Services of [app-template], a chart whose values describe a whole application.
//!
//! Its templates are those of bjw-s' common library, of which this is version 4 and 5 (app-template 4.0 to 5.1): the
//! routes are in `route`, the Services in `service`, each by an identifier of its own. A backend names a Service by
//! `identifier`, and its port by number or name; the only Service and its primary port are the defaults. The release
//! fails to install where an identifier doesn't exist.
//!
//! [app-template]: https://github.com/bjw-s-labs/helm-charts

mod resources;

use super::names::{metadata, object, route as route_object};
use super::other_charts;
use super::places::ValuePlaces;
use super::template::TEMPLATE;
use super::{Charted, HelmRoute, Install, UnknownParts, spanned, values_pointer};
use crate::read::{has, int, list, text};
use crate::view::RouteKind;
use manifest::value::{Kind, Map, Node, Pointer, variable};
use resources::{Resource, Services, enabled};

/// The name of the chart.
const CHART: &str = "app-template";

/// The first version whose names are made in this way.
const OLDEST: u64 = 4;

/// The most ports of a range that are listed.
const MOST_PORTS: i64 = 1000;

/// Whether values are for this chart. If the chart is not known, the values show it: `controllers` beside `route`.
pub(super) fn is_it(values: &Node, chart: Option<(&str, Option<u64>)>) -> bool {
    match chart {
        Some((name, major)) => name == CHART && major.is_none_or(|major| major >= OLDEST),
        None => {
            let has_map = |key| values.get(key).is_some_and(|it| it.as_map().is_some());
            has_map("controllers") && has_map("route")
        }
    }
}

/// Adds the routes and Services of a release.
pub(super) fn add<'a>(install: &Install<'a, '_>, found: &mut Charted<'a>) {
    let services = Services::of(install);
    let routes = enabled(install.values.get("route"));
    let is_only = routes.len() == 1;
    for (id, block) in &routes {
        // The name is not known if the version decides whether the identifier is a part of it.
        let name = resources::name(install, id, block, is_only);
        let name = name.unwrap_or_else(|| (*id).to_owned());
        found
            .routes
            .extend(route(install, &services, id, block, &name));
    }
    // Whole manifests may be among the values as well (`rawResources`).
    found
        .routes
        .extend(other_charts::routes(install, Some("route")));
    for service in services.all() {
        found.services.extend(service_object(install, service));
    }
}

fn route<'a>(
    install: &Install<'a, '_>,
    services: &Services<'_>,
    id: &str,
    block: &Node,
    name: &str,
) -> Option<HelmRoute<'a>> {
    let kind = RouteKind::parse(text(block, &["kind"]).unwrap_or("HTTPRoute"))?;
    let fill = &install.fill;
    let at = values_pointer().key("route").key(id);
    let namespace = text(block, &["namespaceOverride"]);
    let namespace = namespace.map_or(fill.namespace.clone(), |it| fill.text(it));
    let mut spec = Map::default();
    let parents = list(block, &["parentRefs"])
        .iter()
        .map(|it| parent(install, it));
    spec.insert(
        "parentRefs",
        Node::new(Kind::List(parents.collect()), span_of(block, "parentRefs")),
    );
    let has_hostnames = !matches!(kind, RouteKind::Tcp | RouteKind::Udp);
    if let Some(hostnames) = block.get("hostnames").filter(|_| has_hostnames) {
        spec.insert("hostnames", fill.node(hostnames));
    }
    let mut rules = Rules {
        install,
        services,
        kind,
        places: ValuePlaces::of_block(&at),
        unknown: UnknownParts {
            is_patched: install.is_patched,
            ..UnknownParts::default()
        },
    };
    let made = rules.all(block, &at);
    spec.insert(
        "rules",
        Node::new(Kind::List(made), span_of(block, "rules").or(block.span)),
    );
    let metadata = metadata(fill, block, name, &namespace);
    Some(HelmRoute {
        release: install.release,
        object: route_object(kind, metadata, spec, block, &install.release.file),
        block: at,
        unknown: rules.unknown,
        places: rules.places,
    })
}

fn span_of(block: &Node, key: &str) -> Option<manifest::diagnostic::Span> {
    block.get(key).and_then(|node| node.span)
}

/// A parent. One with an `identifier` is a ListenerSet of the chart, whose name is not known here.
fn parent(install: &Install<'_, '_>, given: &Node) -> Node {
    let mut node = install.fill.node(given);
    if let Some(map) = node.as_map_mut()
        && map.remove("identifier").is_some()
        && !map.contains_key("name")
    {
        map.insert("kind", Node::string("ListenerSet"));
        map.insert("name", Node::string(TEMPLATE));
    }
    node
}

/// Makes the rules of one route.
struct Rules<'r, 'a, 'v> {
    install: &'r Install<'a, 'v>,
    services: &'r Services<'r>,
    kind: RouteKind,
    places: ValuePlaces,
    unknown: UnknownParts,
}

impl Rules<'_, '_, '_> {
    /// The rules of a block. A route without any gets one for the only Service.
    fn all(&mut self, block: &Node, at: &Pointer) -> Vec<Node> {
        let given = list(block, &["rules"]);
        if !given.is_empty() {
            let rules = given.iter().enumerate();
            return rules
                .map(|(nth, rule)| self.rule(nth, rule, &at.key("rules").index(nth)))
                .collect();
        }
        let in_route = Pointer::root().key("spec").key("rules");
        self.places.add(in_route, at.clone());
        self.places.add(rule_pointer(0), at.clone());
        self.unknown.rules = self.services.only().is_none();
        let backend = self.backend(0, 0, &Node::new(Kind::Map(Map::default()), block.span), at);
        let mut rule = Map::default();
        rule.insert(
            "backendRefs",
            Node::new(Kind::List(vec![backend]), block.span),
        );
        vec![spanned(Kind::Map(rule), block)]
    }

    fn rule(&mut self, nth: usize, given: &Node, at: &Pointer) -> Node {
        let fields: &[&str] = match self.kind {
            RouteKind::Http => &[
                "name",
                "matches",
                "filters",
                "sessionPersistence",
                "timeouts",
            ],
            RouteKind::Grpc => &["name", "matches", "filters", "sessionPersistence"],
            _ => &["name"],
        };
        let mut rule = Map::default();
        for field in fields {
            if has(given, &[field])
                && let Some(node) = given.get(field)
            {
                rule.insert(*field, self.install.fill.node(node));
            }
        }
        let is_redirect = |it: &Node| text(it, &["type"]) == Some("RequestRedirect");
        let backends = list(given, &["backendRefs"]);
        if backends.is_empty() && !list(given, &["filters"]).iter().any(is_redirect) {
            // Whether the only Service is the default here depends on the version.
            self.unknown.backends.insert(nth);
        }
        let each = backends.iter().enumerate();
        let at = at.key("backendRefs");
        let made = each.map(|(to, one)| self.backend(nth, to, one, &at.index(to)));
        let made: Vec<Node> = made.collect();
        rule.insert(
            "backendRefs",
            Node::new(Kind::List(made), span_of(given, "backendRefs")),
        );
        spanned(Kind::Map(rule), given)
    }

    fn backend(&mut self, rule: usize, nth: usize, given: &Node, at: &Pointer) -> Node {
        let place = rule_pointer(rule).key("backendRefs").index(nth);
        self.places.add(place.clone(), at.clone());
        let fill = &self.install.fill;
        let (name, service) = match (text(given, &["name"]), text(given, &["identifier"])) {
            (Some(name), _) => (Some(fill.text(name)), None),
            (None, Some(id)) => {
                self.places.add(place.key("name"), at.key("identifier"));
                let service = self.services.get(id);
                (service.and_then(|it| it.name.clone()), service)
            }
            (None, None) => {
                let service = self.services.only();
                (service.and_then(|it| it.name.clone()), service)
            }
        };
        let port = match given
            .get("port")
            .filter(|it| !matches!(it.kind, Kind::Null))
        {
            None => service.and_then(resources::primary_port),
            Some(node) => node.as_i64().or_else(|| {
                let name = node.as_str()?;
                int(service?.node, &["ports", name, "port"])
            }),
        };
        let is_service = text(given, &["kind"]).is_none_or(|kind| kind == "Service");
        let is_known = name.as_deref().is_some_and(|it| !variable::in_text(it));
        if !is_known || (is_service && port.is_none()) {
            self.unknown.backends.insert(rule);
        }
        let mut backend = Map::default();
        for key in ["group", "kind", "namespace", "weight"] {
            if let Some(node) = given.get(key).filter(|_| has(given, &[key])) {
                backend.insert(key, fill.node(node));
            }
        }
        // The library writes the release's namespace, which is not the route's if that is overridden.
        if !backend.contains_key("namespace") && !fill.namespace.is_empty() {
            backend.insert("namespace", Node::string(fill.namespace.clone()));
        }
        let name = name.unwrap_or_else(|| TEMPLATE.to_owned());
        let span = span_of(given, "name").or(span_of(given, "identifier"));
        backend.insert("name", Node::new(Kind::String(name), span.or(given.span)));
        if let Some(port) = port {
            let span = span_of(given, "port").or(given.span);
            backend.insert("port", Node::new(Kind::Number(port.into()), span));
        }
        spanned(Kind::Map(backend), given)
    }
}

fn rule_pointer(nth: usize) -> Pointer {
    Pointer::root().key("spec").key("rules").index(nth)
}

/// The Service, if its name is known, and so is its namespace.
fn service_object(install: &Install<'_, '_>, service: &Resource<'_>) -> Option<manifest::Object> {
    let fill = &install.fill;
    let name = service.name.as_deref()?;
    if fill.namespace.is_empty() || variable::in_text(&fill.namespace) || variable::in_text(name) {
        return None;
    }
    let mut spec = Map::default();
    for key in ["type", "externalName"] {
        if let Some(node) = service.node.get(key) {
            spec.insert(key, fill.node(node));
        }
    }
    let mut ports = Vec::new();
    for (port_name, port) in enabled(service.node.get("ports")) {
        ports.extend(service_ports(port_name, port)?);
    }
    spec.insert("ports", Node::new(Kind::List(ports), service.node.span));
    // The library selects the Pods of one controller of the release, so the cluster makes the endpoints.
    let selector = [("app.kubernetes.io/instance", Node::string(&*fill.name))];
    let selector: Map = selector.into_iter().collect();
    if text(service.node, &["type"]) != Some("ExternalName") {
        spec.insert("selector", Node::new(Kind::Map(selector), None));
    }
    let metadata = metadata(fill, service.node, name, &fill.namespace);
    let file = &install.release.file;
    Some(object("v1", "Service", metadata, spec, service.node, file))
}

/// The ports of a Service for an entry of `ports`; `None` if their numbers are not known.
fn service_ports(name: &str, given: &Node) -> Option<Vec<Node>> {
    let protocol = match text(given, &["protocol"]) {
        None | Some("HTTP" | "HTTPS" | "TCP") => "TCP",
        Some(other) => other,
    };
    let port = |name: String, number: i64, target: Node| {
        let fields = [
            ("name", Node::string(name)),
            ("port", Node::new(Kind::Number(number.into()), given.span)),
            ("targetPort", target),
            ("protocol", Node::string(protocol)),
        ];
        spanned(Kind::Map(fields.into_iter().collect()), given)
    };
    let number = |number: i64| Node::new(Kind::Number(number.into()), None);
    if let Some(one) = int(given, &["port"]) {
        let target = given.get("targetPort").cloned();
        let target = target.unwrap_or_else(|| number(one));
        return Some(vec![port(name.to_owned(), one, target)]);
    }
    let start = int(given, &["portRange", "start"])?;
    let end = int(given, &["portRange", "end"])?;
    if end < start || end.checked_sub(start)? >= MOST_PORTS {
        return None;
    }
    let all = (start..=end).map(|it| port(format!("{name}-{it}"), it, number(it)));
    Some(all.collect())
}
