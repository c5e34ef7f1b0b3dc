//! Patches for resources of Envoy that don't exist.

use std::collections::{BTreeMap, BTreeSet};

use super::instead::{Instead, instead};
use super::names::meant;
use crate::lint::LintContext;
use crate::lint::attachment::cluster::is_walked;
use envoy_gateway::controller::Setting;
use envoy_gateway::index::Key;
use envoy_gateway::policy::{Outcome, Policy, PolicyKind};
use envoy_gateway::read::{list, text};
use envoy_gateway::{Listener, Resolved, RouteKind};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "reference"/"unknown-resource", Error, "A patch for a resource of Envoy that doesn't exist.",
    r#"
An EnvoyPatchPolicy changes a resource of Envoy by its name, and no resource has that name, so the patch changes
nothing. Envoy Gateway calls a listener and its routes `NAMESPACE/GATEWAY/LISTENER`; listeners that share a port are
one listener in Envoy, which has the name of the first of them. The cluster for the first rule of a route is
`httproute/NAMESPACE/ROUTE/rule/0`. With the runtime flag `XDSNameSchemeV2`, listeners are called `tcp-443`, and the
routes of plain HTTP `http-80`.

## Wrong

```yaml
# The Gateway network/internal has the listeners `http` and `https`.
jsonPatches:
  - type: type.googleapis.com/envoy.config.listener.v3.Listener
    name: networking/internal/https
    operation: {op: add, path: /per_connection_buffer_limit_bytes, value: 32768}
```

## Right

```yaml
jsonPatches:
  - type: type.googleapis.com/envoy.config.listener.v3.Listener
    name: network/internal/https
    operation: {op: add, path: /per_connection_buffer_limit_bytes, value: 32768}
```
"#
}

const LISTENER: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
const ROUTES: &str = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
const CLUSTER: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

/// Reports patches of a policy that change nothing.
pub(crate) fn check(
    context: &LintContext<'_>,
    resolved: &Resolved<'_>,
    policy: &Policy<'_>,
) -> Vec<Diagnostic> {
    let holds = policy.targets.iter().any(|it| it.outcome == Outcome::Holds);
    if policy.kind != PolicyKind::Patch || !holds || !is_walked(context, policy.object) {
        return Vec::new();
    }
    let patches = list(&policy.object.node, &["spec", "jsonPatches"]);
    let scheme = scheme(context, policy);
    let found = patches.iter().enumerate().filter_map(|(at, patch)| {
        let (message, help) = wrong(resolved, policy, patch, scheme)?;
        let place = Pointer::root().key("spec").key("jsonPatches").index(at).key("name");
        Some(
            finding(CODE, policy.object, &place, message)
                .why("the patch changes nothing, and the policy's status says that the resource was not found")
                .help(help),
        )
    });
    found.collect()
}

/// How Envoy Gateway names listeners and their routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// `NAMESPACE/GATEWAY/LISTENER`, the default.
    Listeners,
    /// `tcp-PORT` for listeners and `http-PORT` for the routes of plain HTTP: `XDSNameSchemeV2`.
    Ports,
}

/// The scheme that the controller's values set; `None` if they are not given, or differ.
fn scheme(context: &LintContext<'_>, policy: &Policy<'_>) -> Option<Scheme> {
    let releases = context.controllers().iter();
    let near = releases.filter(|it| context.may_share_cluster(it.release, policy.object));
    let schemes = near.map(|it| match it.setting(&["runtimeFlags", "enabled"]) {
        Setting::Given(flags, _) => {
            let flags = flags.as_list().unwrap_or_default();
            let is_on = flags
                .iter()
                .any(|it| it.as_str() == Some("XDSNameSchemeV2"));
            Some(if is_on {
                Scheme::Ports
            } else {
                Scheme::Listeners
            })
        }
        Setting::Unset => Some(Scheme::Listeners),
        Setting::Unknown => None,
    });
    let schemes: Vec<Option<Scheme>> = schemes.collect();
    let first = schemes.first().copied().flatten();
    first.filter(|first| schemes.iter().all(|it| *it == Some(*first)))
}

/// Whether a patch adds a resource of its own.
fn is_new(patch: &Node) -> bool {
    let path = text(patch, &["operation", "path"]).unwrap_or_default();
    text(patch, &["operation", "op"]) == Some("add")
        && path.is_empty()
        && text(patch, &["operation", "jsonPath"]).is_none()
}

/// What is wrong with the name in a patch, and what to write instead.
fn wrong(
    resolved: &Resolved<'_>,
    policy: &Policy<'_>,
    patch: &Node,
    scheme: Option<Scheme>,
) -> Option<(String, String)> {
    let name = text(patch, &["name"])?;
    let policies = resolved.policies().iter();
    let patches = policies.flat_map(|it| list(&it.object.node, &["spec", "jsonPatches"]));
    let mut added = patches.filter(|it| is_new(it));
    if variable::in_text(name) || added.any(|it| text(it, &["name"]) == Some(name)) {
        return None;
    }
    match text(patch, &["type"])? {
        CLUSTER => wrong_cluster(resolved, name),
        kind @ (LISTENER | ROUTES) => wrong_listener(resolved, policy, kind, name, scheme),
        _ => None,
    }
}

fn wrong_listener(
    resolved: &Resolved<'_>,
    policy: &Policy<'_>,
    kind: &str,
    name: &str,
    scheme: Option<Scheme>,
) -> Option<(String, String)> {
    let target = policy.targets.first()?.scope;
    // Merged gateways are one proxy, and the policy targets their class.
    let is_patched = |it: &&Listener<'_>| {
        let gateway = resolved.gateway(it.gateway);
        target.kind() != "Gateway" || gateway.is_some_and(|it| it.key() == target.key())
    };
    let listeners: Vec<&Listener<'_>> = resolved.listeners().iter().filter(is_patched).collect();
    let named = |it: &Listener<'_>| format!("{}/{}", Key::of(it.object), it.name);
    if listeners.is_empty() || listeners.iter().any(|it| variable::in_text(&named(it))) {
        return None;
    }
    let firsts = firsts(&listeners);
    let port_of = |name: &str, of: &str| -> Option<i64> {
        name.strip_prefix(of)?
            .trim_end_matches("-quic")
            .parse()
            .ok()
    };
    let numbered = match kind {
        ROUTES => port_of(name, "http-"),
        _ => port_of(name, "tcp-").or_else(|| port_of(name, "udp-")),
    };
    if let Some(number) = numbered {
        let is_udp = name.starts_with("udp-");
        // HTTP/3 is a listener of UDP, too.
        let there = firsts
            .get(&(number, is_udp))
            .or_else(|| firsts.get(&(number, false)));
        let there = there.map(|it| named(it));
        let message = format!("Envoy has no resource `{name}`");
        return match (scheme, there) {
            (Some(Scheme::Listeners), Some(there)) => Some((
                format!("{message}, because the runtime flag `XDSNameSchemeV2` is not on"),
                format!(
                    "write `{there}`, or enable the flag in the values of Envoy Gateway's chart"
                ),
            )),
            (_, None) => {
                let ports: BTreeSet<i64> = firsts.keys().map(|(port, _)| *port).collect();
                let ports: Vec<String> = ports.iter().map(i64::to_string).collect();
                let help = format!("the ports of the listeners are {}", ports.join(", "));
                Some((
                    format!("{message}, because no listener has that port"),
                    help,
                ))
            }
            (_, Some(_)) => None,
        };
    }
    let plain = name.strip_suffix("-quic").unwrap_or(name);
    let own = listeners.iter().find(|it| named(it) == plain);
    let first = own.and_then(|it| firsts.get(&port(it))).map(|it| named(it));
    if let (Some(own), Some(Scheme::Ports)) = (own, scheme) {
        let (protocol, routes) = (
            if own.protocol == "UDP" { "udp" } else { "tcp" },
            own.protocol == "HTTP",
        );
        let right = match kind {
            LISTENER => format!("{protocol}-{}", own.port),
            _ if routes => format!("http-{}", own.port),
            _ => return None,
        };
        return Some((
            format!(
                "Envoy has no resource `{name}`, because the runtime flag `XDSNameSchemeV2` is on"
            ),
            format!("write `{right}`"),
        ));
    }
    match (own, first) {
        (Some(own), _) if kind == ROUTES && !matches!(own.protocol, "HTTP" | "HTTPS") => Some((
            format!(
                "Envoy has no routes for the listener `{}`, whose protocol is {}",
                own.name, own.protocol
            ),
            format!("patch the listener itself, of type `{LISTENER}`"),
        )),
        (Some(_), _) if kind == ROUTES => None,
        (Some(_), Some(first)) if first == plain => None,
        (Some(own), Some(first)) => Some((
            format!(
                "Envoy has no listener `{name}`, because it has one listener for all of port {}",
                own.port
            ),
            format!("write `{first}`, the first listener on that port"),
        )),
        _ => {
            let names: Vec<String> = match kind {
                ROUTES => listeners.iter().map(|it| named(it)).collect(),
                _ => firsts.values().map(|it| named(it)).collect(),
            };
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            // A name with another namespace or gateway is meant for the listener of that name.
            let last = |name: &str| name.rsplit('/').next().map(str::to_owned);
            let same = names.iter().find(|it| last(it) == last(plain));
            let help = same.map_or_else(|| meant(name, &names), |same| format!("write `{same}`"));
            Some((format!("Envoy has no resource `{name}`"), help))
        }
    }
}

/// A port, with whether it is one of UDP.
fn port(listener: &Listener<'_>) -> (i64, bool) {
    (listener.port, listener.protocol == "UDP")
}

/// The listener on each port that Envoy's listener is named after: HTTP and HTTPS come before TLS and TCP.
fn firsts<'l, 'a>(listeners: &[&'l Listener<'a>]) -> BTreeMap<(i64, bool), &'l Listener<'a>> {
    let mut firsts = BTreeMap::new();
    let is_http = |it: &&&Listener<'_>| matches!(it.protocol, "HTTP" | "HTTPS");
    let http = listeners.iter().filter(is_http);
    let others = listeners.iter().filter(|it| !is_http(it));
    for listener in http.chain(others) {
        firsts.entry(port(listener)).or_insert(*listener);
    }
    firsts
}

/// The cluster of a rule that a given route doesn't have.
fn wrong_cluster(resolved: &Resolved<'_>, name: &str) -> Option<(String, String)> {
    let mut parts = name.split('/');
    let kind = parts.next()?;
    let kind = RouteKind::ALL
        .into_iter()
        .find(|it| it.as_str().to_lowercase() == kind)?;
    let key = Key {
        namespace: parts.next()?,
        name: parts.next()?,
    };
    let rule = parts.next().filter(|it| *it == "rule").and(parts.next())?;
    let rule: usize = rule.parse().ok()?;
    let of_kind = || resolved.routes().iter().filter(|it| it.kind == kind);
    let Some(route) = of_kind().find(|it| it.key() == key) else {
        let there: BTreeSet<Key<'_>> = of_kind().map(|it| it.key()).collect();
        let help = match instead(key, &there)? {
            Instead::Named(meant) => name.replacen(key.name, meant, 1),
            Instead::In(namespace) => name.replacen(key.namespace, namespace, 1),
        };
        let message = format!(
            "Envoy has no cluster `{name}`, because there is no {} {key}",
            kind.as_str()
        );
        return Some((message, format!("write `{help}`")));
    };
    let count = route.rules.len();
    (rule >= count && count > 0).then(|| {
        (
            format!(
                "Envoy has no cluster `{name}`, because {} {key} has no rule {rule}",
                kind.as_str()
            ),
            format!(
                "write a number from 0 to {}; rules are counted from 0",
                count - 1
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, policy, route, said};

    fn with(kind: &str, name: &str) -> Vec<String> {
        let spec = format!(
            "{{type: JSONPatch, targetRef: {{group: gateway.networking.k8s.io, kind: Gateway, name: external}}, jsonPatches: \
             [{{type: type.googleapis.com/envoy.config.{kind}, name: {name}, operation: {{op: add, path: /x, value: 1}}}}]}}"
        );
        said(&format!(
            "{GATEWAY}{}",
            policy("EnvoyPatchPolicy", "a", &spec)
        ))
    }

    #[test]
    fn a_patch_for_a_listener_that_does_not_exist_is_told() {
        let listener = "listener.v3.Listener";
        assert_eq!(with(listener, "network/external/https"), [""; 0]);
        assert_eq!(with(listener, "tcp-443"), [""; 0]);
        assert_eq!(
            with(listener, "tcp-444"),
            [
                "reference/unknown-resource /spec/jsonPatches/0/name: Envoy has no resource `tcp-444`, because no listener has \
                 that port (the ports of the listeners are 80, 443)"
            ]
        );
        assert_eq!(
            with(listener, "https"),
            [
                "reference/unknown-resource /spec/jsonPatches/0/name: Envoy has no resource `https` (write \
                 `network/external/https`)"
            ]
        );
        assert_eq!(
            with(listener, "networking/external/https"),
            [
                "reference/unknown-resource /spec/jsonPatches/0/name: Envoy has no resource `networking/external/https` (write \
              `network/external/https`)"
            ]
        );
        assert_eq!(
            with("route.v3.RouteConfiguration", "network/external/http"),
            [""; 0]
        );
        let cluster = |name: &str| {
            let route = route(
                "sectionName: https",
                "rules: [{backendRefs: [{name: app, port: 80}]}]",
            );
            let spec = format!(
                "{{type: JSONPatch, targetRef: {{group: gateway.networking.k8s.io, kind: Gateway, name: external}}, jsonPatches: \
                 [{{type: type.googleapis.com/envoy.config.cluster.v3.Cluster, name: {name}, operation: {{op: add, path: /x, value: 1}}}}]}}"
            );
            said(&format!(
                "{GATEWAY}{route}{}",
                policy("EnvoyPatchPolicy", "a", &spec)
            ))
        };
        assert_eq!(cluster("httproute/apps/app/rule/0"), [""; 0]);
        assert_eq!(
            cluster("httproute/app/app/rule/0"),
            [
                "reference/unknown-resource /spec/jsonPatches/0/name: Envoy has no cluster `httproute/app/app/rule/0`, because \
              there is no HTTPRoute app/app (write `httproute/apps/app/rule/0`)"
            ]
        );
    }
}
