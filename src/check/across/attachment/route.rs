//! Routes that are not attached to their parents, and rules that refer to what they can't use.

use std::collections::BTreeSet;

use super::{Look, Missing, list, refused, spec};
use crate::codes;
use envoy_gateway::condition::{Status, kind};
use envoy_gateway::fault::Fault;
use envoy_gateway::index::{GATEWAY_API, Key};
use envoy_gateway::{Listener, Parent, Route, Target};
use manifest::diagnostic::suggest::{MOST_COMPARED, nearest};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::{Pointer, variable};

const NOTHING: &str = "the route is not attached there, so it handles no requests";

impl Look<'_, '_> {
    pub(super) fn route(&self, route: &Route<'_>) -> Vec<Diagnostic> {
        let mut found: Vec<Diagnostic> = Vec::new();
        if self.is_patched_route(route) {
            return found;
        }
        for parent in &route.parents {
            if has_variable(parent) {
                continue;
            }
            // Each parent of a route may lead to the same finding.
            for one in self.parent(route, parent) {
                if !found.contains(&one) {
                    found.push(one);
                }
            }
        }
        found
    }

    /// The namespace of a route may be unknown, but its parents known. A patch of the route may change its parents.
    fn is_patched_route(&self, route: &Route<'_>) -> bool {
        !route.object.namespace().is_empty()
            && !self.is_charted(route.object)
            && self.is_open(route.object)
    }

    fn parent(&self, route: &Route<'_>, parent: &Parent<'_>) -> Vec<Diagnostic> {
        let place = spec().key("parentRefs").index(parent.place);
        let owner = match parent.target {
            Target::Gateway(id) => self
                .resolved
                .gateway(id)
                .map(|it| (it.object, &it.listeners)),
            Target::Set(id) => self.resolved.set(id).map(|it| (it.object, &it.listeners)),
            Target::NotGiven => {
                return self.no_gateway(route, parent, &place).into_iter().collect();
            }
            Target::Foreign => None,
        };
        let Some((owner, listeners)) = owner.filter(|(owner, _)| !self.is_open(owner)) else {
            return Vec::new();
        };
        let listeners: Vec<&Listener<'_>> = listeners
            .iter()
            .filter_map(|id| self.resolved.listener(*id))
            .filter(|it| std::ptr::eq(it.object, owner))
            .collect();
        let name = format!("{} {}", owner.kind(), Key::of(owner));
        let mut found: Vec<Diagnostic> = self
            .not_accepted(route, parent, &place, &name, &listeners)
            .into_iter()
            .collect();
        // How a chart changes the rules is not known well enough.
        if !self.is_charted(route.object) {
            let faults = parent.faults.iter().filter(|it| !it.is_unknown);
            found.extend(faults.map(|fault| faulty(route, fault)));
        }
        found
    }

    fn not_accepted(
        &self,
        route: &Route<'_>,
        parent: &Parent<'_>,
        place: &Pointer,
        name: &str,
        listeners: &[&Listener<'_>],
    ) -> Option<Diagnostic> {
        let accepted = parent.conditions.get(kind::ACCEPTED)?;
        if accepted.status != Status::False {
            return None;
        }
        match accepted.reason.as_ref() {
            "NoMatchingParent" => no_listener(route, parent, place, name, listeners),
            "NotAllowedByListeners" => Some(
                finding(
                    codes::ATTACHMENT_NOT_ALLOWED,
                    route.object,
                    place,
                    format!("{name} doesn't accept this route: {}", accepted.message),
                )
                .why("the route is not attached there")
                .help("extend `allowedRoutes` of the listener, or attach the route to another one"),
            ),
            "NoMatchingListenerHostname" => {
                let section = parent.reference.section;
                let named = listeners
                    .iter()
                    .filter(|it| section.is_none_or(|section| section == it.name));
                let hosts: BTreeSet<&str> = named.filter_map(|it| it.hostname).collect();
                let hosts: Vec<&str> = hosts.into_iter().collect();
                let message = format!(
                    "no hostname of the route matches a listener of {name} ({})",
                    hosts.join(", ")
                );
                Some(
                    finding(codes::ATTACHMENT_NO_HOSTNAME, route.object, &spec().key("hostnames"), message)
                        .why("the route is not attached there")
                        .help("use a hostname that the listener's hostname covers, or attach the route to another listener"),
                )
            }
            "InvalidRule" if !self.is_charted(route.object) => {
                Some(refused(route.object, &spec().key("rules"), accepted))
            }
            _ => None,
        }
    }

    /// A gateway that doesn't exist, although it would have to be among the given objects.
    fn no_gateway(
        &self,
        route: &Route<'_>,
        parent: &Parent<'_>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let reference = &parent.reference;
        let is_gateway = reference.kind.is_none_or(|kind| kind == "Gateway")
            && reference.group.is_none_or(|group| group == GATEWAY_API);
        let key = Key {
            namespace: reference.namespace.unwrap_or(route.object.namespace()),
            name: reference.name,
        };
        if !is_gateway {
            return None;
        }
        let missing = self.missing_gateway(route.object, key, reference.namespace.is_none())?;
        let message = format!("there is no Gateway {key}");
        let one = match missing {
            Missing::Among(there) => {
                finding(codes::ATTACHMENT_NO_GATEWAY, route.object, &place.key("name"), message)
                    .help(meant(reference.name, &there))
            }
            Missing::In(namespace) => {
                finding(codes::ATTACHMENT_NO_GATEWAY, route.object, place, message)
                    .severity(Severity::Warning)
                    .help(format!(
                        "without a namespace, a parent is in the route's own namespace; write `namespace: {namespace}`"
                    ))
            }
        };
        Some(one.why(NOTHING))
    }
}

/// A suggestion for a name that doesn't exist.
pub(super) fn meant(name: &str, there: &[&str]) -> String {
    match nearest(name, there.iter().copied().take(MOST_COMPARED)) {
        Some(near) if there.len() == 1 => format!("write `{near}`"),
        Some(near) => format!("write `{near}`; there are {}", list(there)),
        None => format!("use one that exists: {}", list(there)),
    }
}

fn has_variable(parent: &Parent<'_>) -> bool {
    let reference = &parent.reference;
    [Some(reference.name), reference.namespace, reference.section]
        .into_iter()
        .flatten()
        .any(variable::in_text)
}

/// A finding on what a rule can't use.
fn faulty(route: &Route<'_>, fault: &Fault) -> Diagnostic {
    let (code, help) = match fault.reason {
        "RefNotPermitted" => (
            codes::REFERENCE_NOT_PERMITTED,
            "add a ReferenceGrant in the other namespace",
        ),
        "PortNotFound" | "PortNotSpecified" => (
            codes::REFERENCE_PORT,
            "write a port of the Service, not of its containers",
        ),
        _ if fault.kind == kind::ACCEPTED => {
            (codes::ATTACHMENT_REFUSED, "change the rule accordingly")
        }
        _ => (
            codes::REFERENCE_UNUSABLE,
            "refer to an object that can be used there",
        ),
    };
    let pointer = fault.pointer.clone().unwrap_or_else(|| spec().key("rules"));
    finding(code, route.object, &pointer, fault.message.clone())
        .why("requests that match the rule are answered with 500, or the rule is dropped")
        .help(help)
}

fn no_listener(
    route: &Route<'_>,
    parent: &Parent<'_>,
    place: &Pointer,
    name: &str,
    listeners: &[&Listener<'_>],
) -> Option<Diagnostic> {
    let names: Vec<&str> = listeners.iter().map(|it| it.name).collect();
    if names.iter().any(|name| variable::in_text(name)) {
        return None;
    }
    let (pointer, message, help) = match (parent.reference.section, parent.reference.port) {
        (Some(section), _) if !names.contains(&section) => (
            place.key("sectionName"),
            format!("{name} has no listener `{section}`"),
            format!("it has {}", list(&names)),
        ),
        (_, Some(port)) => (
            place.key("port"),
            format!("{name} has no such listener on port {port}"),
            "remove `port`, or use that of a listener".to_owned(),
        ),
        _ => (
            place.clone(),
            format!("{name} has no listener"),
            "add one".to_owned(),
        ),
    };
    Some(
        finding(
            codes::ATTACHMENT_NO_LISTENER,
            route.object,
            &pointer,
            message,
        )
        .why(NOTHING)
        .help(help),
    )
}
