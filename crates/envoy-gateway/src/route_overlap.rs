//! Routes that match exactly the same requests at a listener. The oldest of them, or the first by name, gets the
//! requests.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Resolver;
use super::condition::{MOST_NAMED, Status, kind};
use super::index::Key;
use super::policy::PolicyKind;
use super::read::{list, text};
use super::view::{ListenerId, Route, RouteId, RouteKind};
use manifest::value::Node;

/// What a match requires of a request, as a string that is the same for all ways to write it.
type MatchKey = String;

impl Resolver<'_, '_> {
    /// Marks routes that have the same match as another one at a listener. Envoy Gateway does so since 1.9.
    pub(super) fn route_overlaps(&mut self) {
        let mut at: HashMap<(ListenerId, &str, MatchKey), BTreeSet<RouteId>> = HashMap::new();
        let effective_policies = self.view.effective_policies();
        for (place, route) in self.view.routes().iter().enumerate() {
            let id = RouteId(place);
            if !matches!(route.kind, RouteKind::Http | RouteKind::Grpc)
                || !self.settings.is_from((1, 9), route.object)
            {
                continue;
            }
            let plain = matches_of(route);
            for parent in &route.parents {
                for attachment in &parent.attachments {
                    let listener = self.view.listener(attachment.listener);
                    if !listener.is_some_and(|it| it.is_ready()) {
                        continue;
                    }
                    for (rule, matched) in &plain {
                        let near = Some((id, *rule));
                        let policies = self.view.effective(
                            &effective_policies,
                            PolicyKind::Backend,
                            near,
                            attachment.listener,
                        );
                        let upgrades = policies
                            .iter()
                            .filter_map(|id| self.view.policy(*id)?.spec());
                        let connects = upgrades
                            .flat_map(|it| list(it, &["httpUpgrade"]))
                            .any(|it| text(it, &["type"]) == Some("CONNECT"));
                        let matched = format!(
                            "{}{}",
                            if connects { "CONNECT" } else { &matched.path },
                            matched.rest
                        );
                        for host in &attachment.hostnames {
                            at.entry((attachment.listener, host, matched.clone()))
                                .or_default()
                                .insert(id);
                        }
                    }
                }
            }
        }
        let by_name = self.by_name();
        let mut others: BTreeMap<(RouteId, ListenerId), SameMatch> = BTreeMap::new();
        for ((listener, _, _), routes) in at.into_iter().filter(|(_, routes)| routes.len() > 1) {
            let mut first: Vec<usize> = routes
                .iter()
                .filter_map(|id| by_name.places.get(id.0).copied())
                .collect();
            first.sort_unstable();
            // One more than are listed, because the route itself is left out.
            first.truncate(MOST_NAMED + 1);
            for route in &routes {
                let own = by_name.places.get(route.0);
                let met = others.entry((*route, listener)).or_default();
                let rest = first.iter().copied().filter(|other| Some(other) != own);
                met.extend(rest, routes.len() - 1 > MOST_NAMED);
            }
        }
        let mut marks = Vec::new();
        for (place, route) in self.view.routes().iter().enumerate() {
            for (parent_at, parent) in route.parents.iter().enumerate() {
                let mut met = SameMatch::default();
                for id in &parent.allowed {
                    if let Some(there) = others.get(&(RouteId(place), *id)) {
                        met.extend(there.names.iter().copied(), there.has_more);
                    }
                }
                if !met.names.is_empty() {
                    let first = met.names.first().and_then(|at| by_name.routes.get(*at));
                    marks.push((place, parent_at, first.copied(), met.told(&by_name.names)));
                }
            }
        }
        for (route, parent, first, names) in marks {
            let route = self.view.lists.route.get_mut(route);
            if let Some(parent) = route.and_then(|it| it.parents.get_mut(parent)) {
                let message = format!(
                    "{names} match exactly the same requests; the oldest route gets them, or the first by name"
                );
                parent.same_match = first;
                parent.conditions.set(
                    kind::RULES_OVERLAP,
                    Status::True,
                    "RouteRulesOverlap",
                    message,
                );
            }
        }
    }
}

/// The names of all routes in order, and the index of each in it.
struct RoutesByName {
    names: Vec<String>,
    /// The route with each name.
    routes: Vec<RouteId>,
    places: Vec<usize>,
}

/// The first names of the routes that have the same match as this one.
#[derive(Default)]
struct SameMatch {
    names: BTreeSet<usize>,
    has_more: bool,
}

impl SameMatch {
    fn extend(&mut self, names: impl Iterator<Item = usize>, has_more: bool) {
        self.names.extend(names);
        self.has_more |= has_more;
        while self.names.len() > MOST_NAMED {
            self.names.pop_last();
            self.has_more = true;
        }
    }

    fn told(&self, names: &[String]) -> String {
        let mut told: Vec<&str> = self
            .names
            .iter()
            .filter_map(|at| names.get(*at))
            .map(String::as_str)
            .collect();
        told.dedup();
        match self.has_more {
            true => format!("{} and others", told.join(", ")),
            false => told.join(", "),
        }
    }
}

impl Resolver<'_, '_> {
    fn by_name(&self) -> RoutesByName {
        let named = self.view.routes().iter().map(named);
        let mut names: Vec<(String, usize)> = named.zip(0..).collect();
        names.sort();
        let mut places = vec![0; names.len()];
        for (place, (_, route)) in names.iter().enumerate() {
            if let Some(slot) = places.get_mut(*route) {
                *slot = place;
            }
        }
        let routes = names.iter().map(|(_, route)| RouteId(*route)).collect();
        let names = names.into_iter().map(|(name, _)| name).collect();
        RoutesByName {
            names,
            routes,
            places,
        }
    }
}

fn named(route: &Route<'_>) -> String {
    format!("{} {}", route.kind.as_str(), Key::of(route.object))
}

/// What one match requires: of the path, and of everything else.
struct MatchRequirements {
    path: String,
    rest: String,
}

/// The matches of a route's rules, with the names of the rules.
fn matches_of<'a>(route: &Route<'a>) -> Vec<(Option<&'a str>, MatchRequirements)> {
    let mut all = Vec::new();
    for rule in &route.rules {
        let matches = list(rule.node, &["matches"]);
        // An HTTPRouteFilter may also match cookies.
        let filters = list(rule.node, &["filters"]).iter();
        let own: String = filters
            .filter_map(|filter| text(filter, &["extensionRef", "name"]))
            .map(|name| format!("\0x{name}"))
            .collect();
        if matches.is_empty() {
            let path = path_of(None);
            let rest = format!("\0h\0q{own}");
            all.push((rule.name, MatchRequirements { path, rest }));
        }
        for one in matches {
            let mut headers = entries(list(one, &["headers"]), true);
            let path = match route.kind {
                RouteKind::Grpc => grpc_path(one.get("method"), &mut headers),
                _ => {
                    headers.extend(
                        text(one, &["method"]).map(|method| format!("\0:method=Exact:{method}")),
                    );
                    path_of(one.get("path"))
                }
            };
            headers.sort();
            let query = entries(list(one, &["queryParams"]), false);
            let rest = format!("\0h{}\0q{}{own}", headers.concat(), query.concat());
            all.push((rule.name, MatchRequirements { path, rest }));
        }
    }
    all
}

/// Headers or query parameters in a canonical order. Header names are not case-sensitive.
fn entries(all: &[Node], has_no_case: bool) -> Vec<String> {
    let mut found: Vec<String> = all
        .iter()
        .map(|one| {
            let name = text(one, &["name"]).unwrap_or_default();
            let name = if has_no_case {
                name.to_lowercase()
            } else {
                name.to_owned()
            };
            let how = text(one, &["type"]).unwrap_or("Exact");
            let value = one.get("value").and_then(Node::as_str).unwrap_or_default();
            format!("\0{name}={how}:{value}")
        })
        .collect();
    found.sort();
    found
}

/// The path of a match. Without one it is the prefix `/`, and a trailing slash of a prefix doesn't matter.
fn path_of(path: Option<&Node>) -> String {
    let how = path
        .and_then(|it| text(it, &["type"]))
        .unwrap_or("PathPrefix");
    let value = path.and_then(|it| text(it, &["value"])).unwrap_or("/");
    let value = match (how, value.strip_suffix('/')) {
        ("PathPrefix", Some(short)) if !short.is_empty() => short,
        _ => value,
    };
    format!("{how}:{value}")
}

/// The HTTP path of a gRPC method.
fn grpc_path(method: Option<&Node>, headers: &mut Vec<String>) -> String {
    let part = |key: &str| method.and_then(|it| text(it, &[key]));
    let how = part("type").unwrap_or("Exact");
    match (how, part("service"), part("method")) {
        (_, None, None) => path_of(None),
        (how, Some(service), Some(method)) => format!("{how}:/{service}/{method}"),
        ("Exact", Some(service), None) => format!("PathPrefix:/{service}"),
        ("Exact", None, Some(method)) => {
            headers.push(format!("\0:path=Suffix:/{method}"));
            path_of(None)
        }
        (how, service, method) => format!(
            "{how}:/{}/{}",
            service.unwrap_or("*"),
            method.unwrap_or("*")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, resolve};
    use manifest::Object;
    use serde_json::{Value, json};

    fn route(name: &str, matches: Value) -> Value {
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": name, "namespace": "network"},
            "spec": {"parentRefs": [{"name": "external"}], "hostnames": ["app.example.com"], "rules": [{"matches": matches}]}})
    }

    fn overlap(first: Value, second: Value) -> bool {
        let gateway = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": "external", "namespace": "network"},
            "spec": {"gatewayClassName": "envoy", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}});
        let objects: Vec<Object> = [gateway, route("a", first), route("b", second)]
            .into_iter()
            .map(|value| Object::new(Node::from_json(value), "a.yaml"))
            .collect();
        let resolved = resolve(&objects, &Settings::default());
        let marked = resolved
            .verdicts()
            .iter()
            .filter(|it| it.condition.kind == kind::RULES_OVERLAP)
            .count();
        assert!(matches!(marked, 0 | 2), "both or none");
        marked == 2
    }

    #[test]
    fn only_routes_that_match_just_the_same_overlap() {
        let path = |value: &str| json!([{"path": {"type": "PathPrefix", "value": value}}]);
        assert!(overlap(json!([]), path("/")));
        assert!(overlap(path("/api"), path("/api/")));
        assert!(!overlap(path("/api"), path("/")));
        let header = |name: &str| json!([{"headers": [{"name": name, "value": "1"}]}]);
        assert!(overlap(header("X-A"), header("x-a")));
        assert!(!overlap(header("X-A"), json!([])));
        assert!(!overlap(json!([{"method": "GET"}]), json!([])));
    }
}
