//! Parents of which Envoy Gateway knows nothing: gateways of other controllers, and the `parentRefs` in objects of which an
//! operator makes routes.

use super::cluster::{ClusterAttachments, list};
use super::no_gateway::{self, Missing, meant};
use super::no_listener;
use super::routes::NOT_ATTACHED;
use envoy_gateway::helm_routes::HELM;
use envoy_gateway::index::{ENVOY_GATEWAY, GATEWAY_API, Key};
use envoy_gateway::read;
use envoy_gateway::{Parent, Route};
use flux_repo::{ARGO_CD, FLUX, KUSTOMIZE};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Kind, Node, Pointer, variable};
use manifest::{Object, finding};

/// The groups whose `parentRefs` other rules look at, and those whose objects contain settings of others.
const OTHER_RULES: [&str; 6] = [GATEWAY_API, ENVOY_GATEWAY, HELM, FLUX, KUSTOMIZE, ARGO_CD];

impl<'a> ClusterAttachments<'_, 'a> {
    /// A listener that a gateway of another controller doesn't have.
    pub(super) fn foreign_listener(
        &self,
        route: &Route<'_>,
        parent: &Parent<'_>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let reference = &parent.reference;
        let key = Key {
            namespace: reference.namespace.unwrap_or(route.object.namespace()),
            name: reference.name,
        };
        let is_gateway = is_gateway(reference.group, reference.kind);
        let section = reference.section.filter(|_| is_gateway)?;
        self.unknown_section(route.object, key, section, place)
    }

    fn unknown_section(
        &self,
        object: &Object,
        key: Key<'_>,
        section: &str,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let mut gateways = self.all.iter().map(|one| one.object);
        let gateway = gateways
            .find(|it| (it.group(), it.kind()) == (GATEWAY_API, "Gateway") && Key::of(it) == key)?;
        let listeners = read::list(&gateway.node, &["spec", "listeners"]).iter();
        let names: Vec<&str> = listeners
            .filter_map(|it| read::text(it, &["name"]))
            .collect();
        let is_known = !names.is_empty() && !names.iter().any(|name| variable::in_text(name));
        if !is_known
            || self.is_open(gateway)
            || names.contains(&section)
            || variable::in_text(section)
        {
            return None;
        }
        let message = format!("Gateway {key} has no listener `{section}`");
        Some(
            finding(
                no_listener::CODE,
                object,
                &place.key("sectionName"),
                message,
            )
            .why(NOT_ATTACHED)
            .help(format!("it has {}", list(&names))),
        )
    }

    /// Gateways and listeners that don't exist, in objects of which an operator makes routes. What the operator does with
    /// them is not known for certain.
    pub(super) fn parents_of_operators(&self) -> Vec<(&'a Object, Diagnostic)> {
        let objects = self.all.iter().map(|one| one.object);
        let objects =
            objects.filter(|it| !it.group().is_empty() && !OTHER_RULES.contains(&it.group()));
        let mut found = Vec::new();
        for object in objects {
            let mut parents = Vec::new();
            parent_refs(&object.node, &Pointer::root(), &mut parents);
            for (place, parent) in parents {
                let one = self.parent_of_operator(object, parent, &place);
                found.extend(one.map(|one| (object, one.severity(Severity::Warning))));
            }
        }
        found
    }

    fn parent_of_operator(
        &self,
        object: &Object,
        parent: &Node,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let field = |key: &str| read::text(parent, &[key]);
        let key = Key {
            namespace: field("namespace")?,
            name: field("name")?,
        };
        if !is_gateway(field("group"), field("kind")) {
            return None;
        }
        match self.missing_gateway(object, key, false) {
            Some(Missing::Among(there)) => {
                let message = format!("there is no Gateway {key}");
                Some(
                    finding(no_gateway::CODE, object, &place.key("name"), message)
                        .why(NOT_ATTACHED)
                        .help(meant(key.name, &there)),
                )
            }
            Some(Missing::In(_)) => None,
            None => self.unknown_section(object, key, field("sectionName")?, place),
        }
    }
}

fn is_gateway(group: Option<&str>, kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| kind == "Gateway") && group.is_none_or(|group| group == GATEWAY_API)
}

/// The items of all lists with the key `parentRefs`, with their places.
fn parent_refs<'n>(node: &'n Node, at: &Pointer, into: &mut Vec<(Pointer, &'n Node)>) {
    match &node.kind {
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                let place = at.key(key);
                match (key, value.as_list()) {
                    ("parentRefs", Some(items)) => {
                        let items = items.iter().enumerate();
                        into.extend(items.map(|(nth, item)| (place.index(nth), item)));
                    }
                    _ => parent_refs(value, &place, into),
                }
            }
        }
        Kind::List(items) => {
            for (nth, item) in items.iter().enumerate() {
                parent_refs(item, &at.index(nth), into);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, route, said};

    const FOREIGN: &str = "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: mesh, namespace: network}
spec: {gatewayClassName: istio, listeners: [{name: https, protocol: HTTPS, port: 443}]}
";

    #[test]
    fn a_listener_of_another_controllers_gateway_is_looked_up() {
        let to = |section: &str| {
            let route = route(&format!("sectionName: {section}"), "rules: []");
            let route = route.replace("name: external,", "name: mesh,");
            said(&format!("{GATEWAY}{FOREIGN}{route}"))
        };
        assert_eq!(to("https"), [""; 0]);
        assert_eq!(
            to("htps"),
            [
                "attachment/no-listener /spec/parentRefs/0/sectionName: Gateway network/mesh has no listener `htps` (it has `https`)"
            ]
        );
    }

    #[test]
    fn the_parents_in_objects_of_operators_are_looked_up() {
        let with = |parent: &str| {
            said(&format!(
                "{GATEWAY}---
apiVersion: grafana.integreatly.org/v1beta1
kind: Grafana
metadata: {{name: grafana, namespace: observability}}
spec: {{httpRoute: {{spec: {{parentRefs: [{{{parent}}}]}}}}}}
"
            ))
        };
        assert_eq!(with("name: external, namespace: network"), [""; 0]);
        assert_eq!(with("name: other, namespace: elsewhere"), [""; 0]);
        let place = "/spec/httpRoute/spec/parentRefs/0";
        assert_eq!(
            with("name: extrenal, namespace: network"),
            [format!(
                "attachment/no-gateway {place}/name: there is no Gateway network/extrenal (write `external`)"
            )]
        );
        assert_eq!(
            with("name: external, namespace: network, sectionName: htp"),
            [format!(
                "attachment/no-listener {place}/sectionName: Gateway network/external has no listener `htp` (it has `http`, `https`)"
            )]
        );
    }
}
