//! What attaches to nothing, and what the controller refuses: of the conditions that it would write, those that
//! a person wants to know about.
//!
//! What depends on objects that are not at hand is not told: a Service may come from a chart. Neither is what
//! happens at objects of which there are two with one name, as where a repository holds several clusters, or
//! whose namespace is not known.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Whole;
use crate::check::finding;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::Object;
use crate::resolve::condition::{Condition, Status, kind};
use crate::resolve::index::Key;
use crate::resolve::policy::{Outcome, Policy, PolicyTarget};
use crate::resolve::{Listener, Parent, Resolved, Route, Settings, Target, resolve};
use crate::value::{Node, Pointer};

/// Reports what the controller would refuse.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let resolved = resolve(whole.applied, &Settings::default());
    let look = Look {
        resolved: &resolved,
        twice: twice(whole.applied),
    };
    let mut found = Vec::new();
    for listener in resolved.listeners() {
        look.listener(listener, &mut found);
    }
    for route in resolved.routes() {
        let mut of_route = Vec::new();
        for parent in &route.parents {
            look.parent(route, parent, &mut of_route);
        }
        found.extend(of_route);
    }
    for policy in resolved.policies() {
        look.policy(policy, &mut found);
    }
    for backend in resolved.backends() {
        if let Some(condition) = backend.conditions.get(kind::INVALID) {
            found.push(refused(backend.object, &spec(), condition));
        }
    }
    found
}

/// The identities that two objects share.
fn twice(objects: &[Object]) -> HashSet<(&str, Key<'_>)> {
    let mut count: HashMap<_, usize> = HashMap::new();
    for object in objects {
        *count.entry((object.kind(), Key::of(object))).or_default() += 1;
    }
    let twice = count.into_iter().filter(|(_, count)| *count > 1);
    twice.map(|(identity, _)| identity).collect()
}

fn spec() -> Pointer {
    Pointer::root().key("spec")
}

struct Look<'r, 'a> {
    resolved: &'r Resolved<'a>,
    twice: HashSet<(&'a str, Key<'a>)>,
}

impl Look<'_, '_> {
    fn is_open(&self, object: &Object) -> bool {
        self.is_open_key(object.kind(), Key::of(object))
    }

    /// Whether it is not known which object is meant: there are two of the name, or its namespace is not known.
    fn is_open_key(&self, kind: &str, key: Key<'_>) -> bool {
        // The set's own lifetime is longer than a question needs.
        let twice: &HashSet<(&str, Key<'_>)> = &self.twice;
        key.namespace.is_empty() || twice.contains(&(kind, key))
    }

    fn listener(&self, listener: &Listener<'_>, found: &mut Vec<Diagnostic>) {
        if self.is_open(listener.object) {
            return;
        }
        let conditions = &listener.conditions;
        if let Some(conflict) = conditions
            .get(kind::CONFLICTED)
            .filter(|it| it.status == Status::True)
            && !self.is_told_by_schema(listener)
        {
            let message = format!(
                "listener `{}` is in conflict: {}",
                listener.name, conflict.message
            );
            found.push(
                finding(
                    Code::AttachmentListenerConflict,
                    listener.object,
                    &listener.pointer,
                    message,
                )
                .why("Envoy is not told of it: nothing answers for it")
                .help("give it a port or a hostname of its own"),
            );
        }
        let refs = conditions.get(kind::RESOLVED_REFS);
        if let Some(refs) = refs.filter(|it| it.status == Status::False) {
            let (code, help) = match refs.reason.as_ref() {
                "RefNotPermitted" => (
                    Code::ReferenceNotPermitted,
                    "add a ReferenceGrant in the other namespace",
                ),
                "InvalidRouteKinds" => (
                    Code::AttachmentRefused,
                    "leave `allowedRoutes.kinds` out: the protocol decides",
                ),
                _ => (
                    Code::ReferenceUnusable,
                    "refer to a Secret of type kubernetes.io/tls",
                ),
            };
            let message = format!("listener `{}`: {}", listener.name, refs.message);
            found.push(
                finding(code, listener.object, &listener.pointer, message)
                    .why("the listener is not sent to Envoy, or lacks what is refused")
                    .help(help),
            );
        }
    }

    /// Whether the schema's own rule says it: the same port, protocol and hostname in one object.
    fn is_told_by_schema(&self, listener: &Listener<'_>) -> bool {
        self.resolved.listeners().iter().any(|other| {
            !std::ptr::eq(other, listener)
                && std::ptr::eq(other.object, listener.object)
                && (other.port, other.protocol, other.hostname)
                    == (listener.port, listener.protocol, listener.hostname)
        })
    }

    fn parent(&self, route: &Route<'_>, parent: &Parent<'_>, found: &mut Vec<Diagnostic>) {
        let owner = match parent.target {
            Target::Gateway(id) => self
                .resolved
                .gateway(id)
                .map(|it| (it.object, &it.listeners)),
            Target::Set(id) => self.resolved.set(id).map(|it| (it.object, &it.listeners)),
            Target::Foreign | Target::NotAtHand => None,
        };
        let Some((owner, listeners)) = owner.filter(|(owner, _)| !self.is_open(owner)) else {
            return;
        };
        let listeners: Vec<&Listener<'_>> = listeners
            .iter()
            .filter_map(|id| self.resolved.listener(*id))
            .filter(|it| std::ptr::eq(it.object, owner))
            .collect();
        let place = spec().key("parentRefs").index(parent.place);
        let accepted = parent.conditions.get(kind::ACCEPTED);
        let name = format!("{} {}", owner.kind(), Key::of(owner));
        match accepted.filter(|it| it.status == Status::False) {
            Some(it) if it.reason == "NoMatchingParent" => {
                found.push(no_listener(route, parent, &place, &name, &listeners))
            }
            Some(it) if it.reason == "NotAllowedByListeners" => {
                found.push(
                    finding(
                        Code::AttachmentNotAllowed,
                        route.object,
                        &place,
                        format!("{name} doesn't take this route: {}", it.message),
                    )
                    .why("the route is attached to nothing there")
                    .help(
                        "widen `allowedRoutes` of the listener, or attach the route to another one",
                    ),
                );
            }
            Some(it) if it.reason == "NoMatchingListenerHostname" => {
                let hosts: BTreeSet<&str> = listeners.iter().filter_map(|it| it.hostname).collect();
                let hosts: Vec<&str> = hosts.into_iter().collect();
                let message = format!(
                    "no hostname of the route is one that {name} serves there ({})",
                    hosts.join(", ")
                );
                found.push(
                    finding(Code::AttachmentNoHostname, route.object, &spec().key("hostnames"), message)
                        .why("the route is attached to nothing there")
                        .help("write a hostname that the listener's covers, or attach the route to another listener"),
                );
            }
            Some(it) if it.reason == "InvalidRule" => {
                found.push(refused(route.object, &spec().key("rules"), it))
            }
            _ => {}
        }
        for fault in parent.faults.iter().filter(|it| !it.is_unknown) {
            let (code, help) = match fault.reason {
                "RefNotPermitted" => (
                    Code::ReferenceNotPermitted,
                    "add a ReferenceGrant in the other namespace",
                ),
                "PortNotFound" | "PortNotSpecified" => (
                    Code::ReferencePort,
                    "write a port of the Service, not of its containers",
                ),
                _ if fault.kind == kind::ACCEPTED => (
                    Code::AttachmentRefused,
                    "change the rule as the message says",
                ),
                _ => (
                    Code::ReferenceUnusable,
                    "refer to something that can be used there",
                ),
            };
            let pointer = fault.pointer.clone().unwrap_or_else(|| spec().key("rules"));
            let one = finding(code, route.object, &pointer, fault.message.clone())
                .why("requests that the rule matches are answered with 500, or the rule is dropped")
                .help(help);
            // Each parent of a route says the same.
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }

    fn policy(&self, policy: &Policy<'_>, found: &mut Vec<Diagnostic>) {
        for target in &policy.targets {
            let scope = target.scope;
            let is_open = self.is_open_key(scope.kind(), scope.key());
            if !is_open && !self.is_open(policy.object) {
                self.target(policy, target, found);
            }
        }
        if let Some(condition) = policy.condition(kind::ACCEPTED, Status::False)
            && condition.reason == "Invalid"
        {
            found.push(refused(policy.object, &spec(), condition));
        }
    }

    fn target(&self, policy: &Policy<'_>, target: &PolicyTarget<'_>, found: &mut Vec<Diagnostic>) {
        let scope = target.scope;
        let place = place_of(policy.object, target);
        let kind = policy.object.kind();
        match target.outcome {
            Outcome::Conflicts => {
                let same = |it: &&Policy<'_>| {
                    let mut targets = it.targets.iter();
                    it.kind == policy.kind
                        && targets.any(|it| it.scope == scope && it.outcome == Outcome::Holds)
                };
                let winner = self.resolved.policies().iter().find(same);
                let name = winner
                    .map(|it| Key::of(it.object).to_string())
                    .unwrap_or_default();
                let mut one = finding(
                    Code::AttachmentPolicyConflict,
                    policy.object,
                    &place,
                    format!("{scope} has a {kind} already: {name}"),
                )
                .why("the older policy holds, or the first by name; this one does nothing there")
                .help("write the settings of both into one policy");
                if let Some(winner) = winner {
                    one = one.related(
                        winner.object.span(&place_of_scope(winner, target)),
                        "the policy that holds",
                    );
                }
                found.push(one);
            }
            Outcome::NoSection => {
                let names = self.sections(target);
                let given = scope.section().unwrap_or_default();
                let pointer = place.key("sectionName");
                let message = format!("{} {} has no `{given}`", scope.kind(), scope.key());
                let help = format!("it has {}", list(&names));
                found.push(
                    finding(Code::AttachmentNoTarget, policy.object, &pointer, message)
                        .why("the policy holds for nothing")
                        .help(help),
                );
            }
            Outcome::Holds | Outcome::NotFound => {}
        }
    }

    /// The names of the sections that a target has.
    fn sections(&self, target: &PolicyTarget<'_>) -> Vec<&str> {
        let whole = target.scope.whole();
        let listeners = self.resolved.listeners().iter();
        let of_owner = listeners
            .filter(|it| it.object.kind() == whole.kind() && Key::of(it.object) == whole.key());
        let routes = self.resolved.routes().iter();
        let rules = routes.filter(|it| it.kind.as_str() == whole.kind() && it.key() == whole.key());
        let rules = rules.flat_map(|it| it.rules.iter().filter_map(|rule| rule.name));
        of_owner.map(|it| it.name).chain(rules).collect()
    }
}

fn no_listener(
    route: &Route<'_>,
    parent: &Parent<'_>,
    place: &Pointer,
    name: &str,
    listeners: &[&Listener<'_>],
) -> Diagnostic {
    let names: Vec<&str> = listeners.iter().map(|it| it.name).collect();
    let (pointer, message, help) = match (parent.reference.section, parent.reference.port) {
        (Some(section), _) if !names.contains(&section) => {
            let help = format!("it has {}", list(&names));
            (
                place.key("sectionName"),
                format!("{name} has no listener `{section}`"),
                help,
            )
        }
        (_, Some(port)) => (
            place.key("port"),
            format!("{name} has no such listener on port {port}"),
            "leave `port` out, or write that of a listener".to_owned(),
        ),
        _ => (
            place.clone(),
            format!("{name} has no listener"),
            "add one".to_owned(),
        ),
    };
    finding(Code::AttachmentNoListener, route.object, &pointer, message)
        .why("the route is attached to nothing there: its requests are not answered by it")
        .help(help)
}

/// `` `http`, `https` ``
fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.is_empty() {
        true => "none".to_owned(),
        false => quoted.join(", "),
    }
}

fn refused(object: &Object, pointer: &Pointer, condition: &Condition) -> Diagnostic {
    let message = format!("the controller can't use it: {}", condition.message);
    finding(Code::AttachmentRefused, object, pointer, message)
        .why("it is written into the object's status, and requests that depend on it are answered with 500")
        .help("change what the message names")
}

/// Where a policy names a target.
fn place_of(policy: &Object, target: &PolicyTarget<'_>) -> Pointer {
    let is_it = |node: &Node| {
        let text = |key: &str| node.get(key).and_then(Node::as_str);
        text("kind") == Some(target.scope.kind())
            && text("name") == Some(target.scope.key().name)
            && text("sectionName") == target.scope.section()
    };
    if target.is_selected {
        return spec().key("targetSelectors");
    }
    let all = policy
        .node
        .path(&["spec", "targetRefs"])
        .and_then(Node::as_list);
    match all.and_then(|all| all.iter().position(is_it)) {
        Some(at) => spec().key("targetRefs").index(at),
        None => spec().key("targetRef"),
    }
}

fn place_of_scope(policy: &Policy<'_>, target: &PolicyTarget<'_>) -> Pointer {
    let its = policy.targets.iter().find(|it| it.scope == target.scope);
    its.map_or_else(spec, |its| place_of(policy.object, its))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::across::support;

    const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - name: https
      port: 443
      protocol: HTTPS
      hostname: \"*.example.com\"
      allowedRoutes: {namespaces: {from: All}}
      tls: {certificateRefs: [{name: example-com-tls}]}
";

    fn route(parent: &str, spec: &str) -> String {
        format!(
            "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: app, namespace: apps}}
spec:
  parentRefs: [{{name: external, namespace: network, {parent}}}]
  {spec}
"
        )
    }

    fn policy(kind: &str, name: &str, spec: &str) -> String {
        format!(
            "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: {kind}
metadata: {{name: {name}, namespace: network}}
spec: {spec}
"
        )
    }

    /// The findings on manifests, each as `code pointer: message (help)`.
    fn said(text: &str) -> Vec<String> {
        let found = support::found(check, "1.9.0", &[("a.yaml", text)]);
        let line = |it: &Diagnostic| {
            let pointer = it.pointer.clone().unwrap_or_default();
            format!(
                "{} {pointer}: {} ({})",
                it.code,
                it.message,
                it.help.clone().unwrap_or_default()
            )
        };
        found.iter().map(line).collect()
    }

    #[test]
    fn a_listener_that_is_not_there_is_told_with_those_that_are() {
        let text = GATEWAY.to_owned() + &route("sectionName: htp", "rules: []");
        assert_eq!(
            said(&text),
            [
                "attachment/no-listener /spec/parentRefs/0/sectionName: Gateway network/external has no listener `htp` (it has `http`, `https`)"
            ]
        );
    }

    #[test]
    fn routes_that_are_not_let_in_are_told() {
        let text = GATEWAY.to_owned() + &route("sectionName: http", "rules: []");
        assert_eq!(
            said(&text),
            [
                "attachment/not-allowed /spec/parentRefs/0: Gateway network/external doesn't take this route: no listener of the parent takes HTTPRoute from namespace `apps` (widen `allowedRoutes` of the listener, or attach the route to another one)"
            ]
        );
        let text =
            GATEWAY.to_owned() + &route("sectionName: https", "hostnames: [app.example.org]");
        assert_eq!(
            said(&text),
            [
                "attachment/no-hostname /spec/hostnames: no hostname of the route is one that Gateway network/external serves there (*.example.com) (write a hostname that the listener's covers, or attach the route to another listener)"
            ]
        );
    }

    #[test]
    fn what_is_not_at_hand_is_not_told() {
        let rules = "rules: [{backendRefs: [{name: app, port: 80}]}]";
        let text = GATEWAY.to_owned() + &route("sectionName: https", rules);
        assert_eq!(said(&text), [""; 0]);
        let other = route("sectionName: nothing", rules).replace("name: external", "name: other");
        assert_eq!(said(&(GATEWAY.to_owned() + &other)), [""; 0]);
        let open = route("sectionName: https", "hostnames: [\"app.${DOMAIN}\"]");
        assert_eq!(said(&(GATEWAY.to_owned() + &open)), [""; 0]);
    }

    #[test]
    fn ports_and_grants_are_told_where_the_service_is_at_hand() {
        let service = "---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: data}
spec: {ports: [{port: 80}]}
";
        let of = |backend: &str| {
            let rules = format!("rules: [{{backendRefs: [{backend}]}}]");
            said(&(GATEWAY.to_owned() + service + &route("sectionName: https", &rules)))
        };
        assert_eq!(
            of("{name: app, namespace: data, port: 80}"),
            [
                "reference/not-permitted /spec/rules/0/backendRefs/0: rule 0: backend 0: no ReferenceGrant in `data` lets HTTPRoute of `apps` refer to Service data/app (add a ReferenceGrant in the other namespace)"
            ]
        );
        let same = service.replace("namespace: data", "namespace: apps");
        let rules = "rules: [{backendRefs: [{name: app, port: 8080}]}]";
        assert_eq!(
            said(&(GATEWAY.to_owned() + &same + &route("sectionName: https", rules))),
            [
                "reference/port /spec/rules/0/backendRefs/0: rule 0: backend 0: Service apps/app has no TCP port 8080 (write a port of the Service, not of its containers)"
            ]
        );
    }

    #[test]
    fn of_two_policies_for_one_target_the_second_is_told() {
        let spec =
            "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}]}";
        let text = GATEWAY.to_owned()
            + &policy("ClientTrafficPolicy", "b", spec)
            + &policy("ClientTrafficPolicy", "a", spec);
        assert_eq!(
            said(&text),
            [
                "attachment/policy-conflict /spec/targetRefs/0: Gateway network/external has a ClientTrafficPolicy already: network/a (write the settings of both into one policy)"
            ]
        );
        // Two clusters in one repository: nobody can tell which policy is for which gateway.
        assert_eq!(said(&(text + "---" + GATEWAY)), [""; 0]);
    }

    #[test]
    fn sections_and_settings_that_cannot_be_used_are_told() {
        let of =
            |spec: &str| said(&(GATEWAY.to_owned() + &policy("BackendTrafficPolicy", "a", spec)));
        assert_eq!(
            of(
                "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external, sectionName: htp}]}"
            ),
            [
                "attachment/no-target /spec/targetRefs/0/sectionName: Gateway network/external has no `htp` (it has `http`, `https`)"
            ]
        );
        assert_eq!(
            of(
                "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}], connection: {bufferLimit: 100m}}"
            ),
            [
                "attachment/refused /spec: the controller can't use it: `connection.bufferLimit` is no whole number of bytes (change what the message names)"
            ]
        );
    }

    #[test]
    fn listeners_in_conflict_are_told() {
        let text = GATEWAY.replace("port: 80, protocol: HTTP}", "port: 443, protocol: HTTP}");
        let found = said(&text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].starts_with("attachment/listener-conflict /spec/listeners/0: listener `http` is in conflict: protocols that can't share a port: network/external/http, network/external/https"),
            "{found:?}"
        );
    }
}
