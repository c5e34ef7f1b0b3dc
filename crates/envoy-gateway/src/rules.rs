//! Checks the rules of routes under one parent: filters, matches, backends, and the resulting conditions.

use std::collections::BTreeSet;

use super::Resolver;
use super::backend_ref::{BackendUse, Protocol};
use super::condition::{NOT_GIVEN, Status, kind};
use super::fault::{Fault, Faults};
use super::filters::Filters;
use super::read::{list, text};
use super::view::{GatewayId, Parent, Reference, Route, RouteKind, Rule, Target};
use manifest::value::{Node, Pointer};

const UNSUPPORTED: &str = "UnsupportedValue";

impl<'a> Resolver<'a, '_> {
    /// Checks a route's rules under the parent with the index `at`.
    pub(super) fn judge_rules(&mut self, route: &mut Route<'a>, at: usize) {
        let Some(mut parent) = route.parents.get_mut(at).map(take) else {
            return;
        };
        if matches!(parent.target, Target::Gateway(_) | Target::Set(_)) {
            match route.kind {
                RouteKind::Http | RouteKind::Grpc => self.judge_http(route, &mut parent),
                RouteKind::Tls => self.judge_tls(route, &mut parent),
                RouteKind::Tcp | RouteKind::Udp => self.judge_stream(route, &mut parent),
            }
        }
        if let Some(slot) = route.parents.get_mut(at) {
            *slot = parent;
        }
    }

    fn judge_http(&mut self, route: &Route<'a>, parent: &mut Parent<'a>) {
        let gateway = self.gateway_of(parent);
        let mut faults = Faults::default();
        let mut dropped = BTreeSet::new();
        for (at, rule) in route.rules.iter().enumerate() {
            let place = format!("rule {at}");
            let pointer = Pointer::root().key("spec").key("rules").index(at);
            let found = self.http_rule(route, rule, &pointer, &parent.reference, gateway);
            if found
                .iter()
                .any(|fault| fault.kind == kind::ACCEPTED && !fault.is_unknown)
            {
                dropped.insert(at);
            }
            faults.extend(
                found
                    .iter()
                    .cloned()
                    .map(|fault| fault.at(&place).on(&pointer)),
            );
        }
        if let Some((status, reason, message)) = faults.verdict(kind::ACCEPTED) {
            if status == Status::Unknown || dropped.len() == route.rules.len() {
                parent
                    .conditions
                    .set(kind::ACCEPTED, status, reason, message);
            } else {
                parent.conditions.set(
                    kind::PARTIALLY_INVALID,
                    Status::True,
                    reason,
                    format!("some rules are refused: {message}"),
                );
                parent.conditions.set(
                    kind::ACCEPTED,
                    Status::True,
                    "Accepted",
                    "the route is attached",
                );
            }
        }
        faults.write(kind::RESOLVED_REFS, &mut parent.conditions);
        faults.write(kind::BACKENDS_AVAILABLE, &mut parent.conditions);
        set_resolved(parent);
        // The controller doesn't check the hostnames of a GRPCRoute that is refused already; for an HTTPRoute it
        // does.
        let is_left_out =
            route.kind == RouteKind::Grpc && parent.conditions.is(kind::ACCEPTED, Status::False);
        if !is_left_out && !self.attach(&route.hostnames, parent) {
            no_hostname(parent);
        }
        note_unknown_hostnames(parent);
        parent.faults = faults;
    }

    /// The faults of one rule. Those of its filters are at `filters`: Envoy answers its requests with 500. A fault of its
    /// matches is at the rule itself, which is left out then.
    fn http_rule(
        &mut self,
        route: &Route<'a>,
        rule: &Rule<'a>,
        pointer: &Pointer,
        under: &Reference<'a>,
        gateway: Option<GatewayId>,
    ) -> Faults {
        let mut faults = Faults::default();
        let mut of_filters = Faults::default();
        let filters = self.filters(
            route,
            list(rule.node, &["filters"]),
            under,
            gateway,
            &mut of_filters,
        );
        let at_filters = pointer.key("filters");
        faults.extend(
            of_filters
                .iter()
                .cloned()
                .map(|fault| fault.on(&at_filters)),
        );
        if let Err(fault) = check_matches(route.kind, rule.node, &filters) {
            faults.push(fault);
            // A rule whose matches can't be read is dropped, so its backends don't matter.
            return faults;
        }
        let mut has_dynamic = false;
        let mut is_any_weighed = false;
        for (at, backend) in rule.backends.iter().enumerate() {
            let want = BackendUse {
                node: backend.node,
                namespace: route.object.namespace(),
                protocol: Protocol::Tcp,
                allows_sockets: false,
            };
            let found = self
                .check_backend_filters(route, backend.node, under, gateway)
                .and_then(|()| self.check_backend_ref(&want, route.kind, under, gateway));
            let is_good = found.is_ok();
            if let Err(fault) = found {
                let fault = match fault.reason {
                    "EndpointsNotFound" => fault.of(kind::BACKENDS_AVAILABLE),
                    _ => fault,
                };
                faults.push(fault.at(format!("backend {at}")).on(&backend.pointer));
            }
            if backend.weight != 0 {
                is_any_weighed |= is_good;
                has_dynamic |= is_good && self.is_dynamic(&want);
            }
        }
        let is_broken = faults
            .iter()
            .any(|it| it.kind != kind::BACKENDS_AVAILABLE && it.kind != kind::RESOLVED_REFS);
        if has_dynamic && is_any_weighed && !is_broken {
            if filters.rewrites_host_by_path {
                let message = "the hostname can't be rewritten from the path if the backend is a DynamicResolver";
                faults.push(Fault::new(UNSUPPORTED, message));
            } else if rule.backends.len() > 1 && route.kind == RouteKind::Http {
                faults.push(Fault::new(
                    "InvalidBackendRef",
                    "a DynamicResolver must be the only backend of a rule",
                ));
            }
        }
        faults
    }

    fn judge_tls(&mut self, route: &Route<'a>, parent: &mut Parent<'a>) {
        let gateway = self.gateway_of(parent);
        let mut faults = Faults::default();
        let (mut dynamic, mut good) = (0, 0);
        for rule in &route.rules {
            for backend in &rule.backends {
                let want = self.stream_want(route, backend.node);
                let found = self.check_backend_ref(&want, route.kind, &parent.reference, gateway);
                let found = faults.keep(found.map_err(|fault| fault.on(&backend.pointer)));
                if found.is_some() && backend.weight > 0 {
                    good += 1;
                    dynamic += usize::from(self.is_dynamic(&want));
                }
            }
        }
        // Before 1.9, Envoy Gateway checks nothing of a DynamicResolver behind a TLSRoute.
        if !self.settings.is_from((1, 9), route.object) {
            dynamic = 0;
        }
        if dynamic > 0 && good > 1 {
            faults.push(Fault::new(
                "InvalidBackendRef",
                "a DynamicResolver must be the only backend of a route",
            ));
        }
        let is_attached = self.attach(&route.hostnames, parent);
        let ends_tls = parent
            .attachments
            .iter()
            .filter_map(|it| self.view.listener(it.listener))
            .any(|listener| {
                listener.is_ready() && text(listener.node, &["tls", "mode"]) != Some("Passthrough")
            });
        if dynamic > 0 && ends_tls {
            faults = Faults::default();
            faults.push(Fault::new(
                UNSUPPORTED,
                "a DynamicResolver needs a listener that passes TLS through",
            ));
        }
        faults.write(kind::RESOLVED_REFS, &mut parent.conditions);
        set_resolved(parent);
        if !is_attached {
            no_hostname(parent);
        }
        note_unknown_hostnames(parent);
        parent.faults = faults;
    }

    fn judge_stream(&mut self, route: &Route<'a>, parent: &mut Parent<'a>) {
        let [rule] = route.rules.as_slice() else {
            let message = format!("a {} has exactly one rule", route.kind.as_str());
            parent
                .conditions
                .set(kind::ACCEPTED, Status::False, "InvalidRule", message);
            return;
        };
        let gateway = self.gateway_of(parent);
        let mut faults = Faults::default();
        for backend in &rule.backends {
            let want = self.stream_want(route, backend.node);
            let found = self.check_backend_ref(&want, route.kind, &parent.reference, gateway);
            faults.keep(found.map_err(|fault| fault.on(&backend.pointer)));
        }
        faults.write(kind::RESOLVED_REFS, &mut parent.conditions);
        set_resolved(parent);
        parent.faults = faults;
        if parent.conditions.is(kind::ACCEPTED, Status::False) {
            return;
        }
        let mut allowed = parent.allowed.clone();
        if !self.settings.is_from((1, 9), route.object) && !allowed.is_empty() {
            // Later versions accept all routes of a listener, and the first one gets the connections.
            allowed.retain(|id| {
                self.view
                    .listener(*id)
                    .is_some_and(|it| it.routes.is_empty())
            });
            if allowed.is_empty() {
                let message = format!(
                    "another {} has the listener already; before Envoy Gateway 1.9 it can have only one",
                    route.kind.as_str()
                );
                let conditions = &mut parent.conditions;
                conditions.set(kind::ACCEPTED, Status::False, UNSUPPORTED, message);
            }
        }
        parent.attachments = allowed
            .into_iter()
            .map(|listener| super::view::Attachment {
                listener,
                hostnames: Vec::new(),
                is_unknown: false,
            })
            .collect();
    }

    fn stream_want(&self, route: &Route<'a>, node: &'a Node) -> BackendUse<'a> {
        BackendUse {
            node,
            namespace: route.object.namespace(),
            protocol: match route.kind {
                RouteKind::Udp => Protocol::Udp,
                _ => Protocol::Tcp,
            },
            allows_sockets: false,
        }
    }

    /// The gateway whose settings apply: that of the first listener that allows the route.
    fn gateway_of(&self, parent: &Parent<'a>) -> Option<GatewayId> {
        let first = parent.allowed.first()?;
        self.view.listener(*first).map(|listener| listener.gateway)
    }
}

/// Takes a parent out of its list temporarily.
fn take<'a>(parent: &mut Parent<'a>) -> Parent<'a> {
    Parent {
        reference: parent.reference.clone(),
        place: parent.place,
        target: parent.target,
        allowed: std::mem::take(&mut parent.allowed),
        attachments: Vec::new(),
        same_match: None,
        faults: Faults::default(),
        conditions: std::mem::take(&mut parent.conditions),
    }
}

fn set_resolved(parent: &mut Parent<'_>) {
    if parent.conditions.get(kind::RESOLVED_REFS).is_none() {
        let message = "everything that its rules refer to exists";
        parent
            .conditions
            .set(kind::RESOLVED_REFS, Status::True, "ResolvedRefs", message);
    }
}

fn no_hostname(parent: &mut Parent<'_>) {
    let message = "the route and the listener have no hostname in common";
    parent.conditions.set(
        kind::ACCEPTED,
        Status::False,
        "NoMatchingListenerHostname",
        message,
    );
}

/// If all hostnames that a route may share with its listeners depend on Flux variables, the result is unknown.
fn note_unknown_hostnames(parent: &mut Parent<'_>) {
    let all = &parent.attachments;
    if !all.is_empty()
        && all.iter().all(|it| it.is_unknown)
        && parent.conditions.is(kind::ACCEPTED, Status::True)
    {
        let message =
            "whether the route and the listener share a hostname depends on a Flux variable";
        parent
            .conditions
            .set(kind::ACCEPTED, Status::Unknown, NOT_GIVEN, message);
    }
}

fn check_matches(route: RouteKind, rule: &Node, filters: &Filters<'_>) -> Result<(), Fault> {
    let refuse = |message: String| Err(Fault::new(UNSUPPORTED, message).of(kind::ACCEPTED));
    let session = text(rule, &["sessionPersistence", "type"]);
    if route == RouteKind::Http
        && let Some(other) = session.filter(|it| !matches!(*it, "Cookie" | "Header"))
    {
        return refuse(format!(
            "session persistence of type `{other}` is not supported"
        ));
    }
    let regular = |it: &&Node| text(it, &["type"]) == Some("RegularExpression");
    let cookies = filters.matches.iter().flat_map(|it| list(it, &["cookies"]));
    let mut patterns: Vec<&str> = cookies
        .filter(regular)
        .filter_map(|it| text(it, &["value"]))
        .collect();
    for one in list(rule, &["matches"]) {
        let lists = [list(one, &["headers"]), list(one, &["queryParams"])];
        let in_lists = lists.into_iter().flatten().filter(regular);
        patterns.extend(in_lists.filter_map(|it| text(it, &["value"])));
        if let Some(path) = one.get("path").filter(|path| regular(path)) {
            patterns.extend(text(path, &["value"]));
        }
        if let Some(method) = one.get("method").filter(|method| regular(method)) {
            patterns.extend(text(method, &["service"]));
            patterns.extend(text(method, &["method"]));
        }
    }
    match patterns.into_iter().find(|pattern| !is_pattern(pattern)) {
        Some(pattern) => refuse(format!("`{pattern}` is not a valid regular expression")),
        None => Ok(()),
    }
}

/// Whether Envoy would accept a regular expression (RE2). If RE2 and the engine used here differ on a character
/// class, it counts as accepted.
pub(super) fn is_pattern(pattern: &str) -> bool {
    let reads_differently = ["[[", "&&", "--", "~~", "${"]
        .iter()
        .any(|it| pattern.contains(it));
    let is_refused = || matches!(regex::Regex::new(pattern), Err(regex::Error::Syntax(_)));
    reads_differently || !(repeats_twice(pattern) || is_refused())
}

/// Whether a repetition is repeated directly (`a*+`), which RE2 refuses and the engine used here accepts.
fn repeats_twice(pattern: &str) -> bool {
    let mut rest = pattern.chars().peekable();
    let (mut in_class, mut is_repeated) = (false, false);
    while let Some(c) = rest.next() {
        let was_repeated = std::mem::take(&mut is_repeated);
        match c {
            '\\' => {
                rest.next();
            }
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            '*' | '+' | '?' if !in_class => {
                if was_repeated {
                    return true;
                }
                // A `?` after a repetition only makes it lazy.
                rest.next_if_eq(&'?');
                is_repeated = true;
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
