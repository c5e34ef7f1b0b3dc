//! What the controller says of routes and their parents.

use super::cluster::{ClusterAttachments, spec};
use super::{no_hostname, no_listener, not_allowed, refused};
use crate::lint::reference::{not_permitted, port, unusable};
use envoy_gateway::condition::{Status, kind};
use envoy_gateway::fault::Fault;
use envoy_gateway::index::Key;
use envoy_gateway::{Listener, Parent, Route, Target};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Pointer, variable};

/// The consequence for a route.
pub(super) const NOT_ATTACHED: &str = "the route is not attached there, so it handles no requests";

impl ClusterAttachments<'_, '_> {
    /// Reports parents that a route is not attached to, and rules that refer to what they can't use.
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
        found.extend(self.idle_hostnames(route));
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
            Target::Foreign => {
                let one = self.foreign_listener(route, parent, &place);
                return one.into_iter().collect();
            }
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
            found.extend(faults.map(|fault| self.faulty(route, fault)));
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
            "NoMatchingParent" => no_listener::report(route, parent, place, name, listeners),
            "NotAllowedByListeners" => Some(not_allowed::report(
                route, parent, place, name, accepted, listeners,
            )),
            "NoMatchingListenerHostname" => {
                Some(no_hostname::report(route, parent, name, listeners))
            }
            "InvalidRule" if !self.is_charted(route.object) => Some(refused::report(
                route.object,
                &spec().key("rules"),
                accepted,
            )),
            _ => None,
        }
    }

    /// A finding on what a rule can't use.
    fn faulty(&self, route: &Route<'_>, fault: &Fault) -> Diagnostic {
        let (code, help) = match fault.reason {
            "RefNotPermitted" => (not_permitted::CODE, not_permitted::HELP),
            "PortNotFound" | "PortNotSpecified" => (port::CODE, port::HELP),
            _ if fault.kind == kind::ACCEPTED => (refused::CODE, refused::HELP_FOR_RULE),
            _ => (unusable::CODE, unusable::HELP_FOR_RULE),
        };
        let help = match code == not_permitted::CODE {
            true => self.help_for_route(route, fault),
            false => None,
        }
        .unwrap_or_else(|| help.to_owned());
        let pointer = fault.pointer.clone().unwrap_or_else(|| spec().key("rules"));
        finding(code, route.object, &pointer, fault.message.clone())
            .why("requests that match the rule are answered with 500, or the rule is dropped")
            .help(help)
    }
}

fn has_variable(parent: &Parent<'_>) -> bool {
    let reference = &parent.reference;
    [Some(reference.name), reference.namespace, reference.section]
        .into_iter()
        .flatten()
        .any(variable::in_text)
}
