//! Patches for resources of Envoy that don't exist.

use std::collections::BTreeMap;

use super::names::meant;
use crate::lint::LintContext;
use crate::lint::attachment::cluster::is_walked;
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
nothing. Envoy Gateway calls a listener and its routes `NAMESPACE/GATEWAY/LISTENER`; listeners that share a port
are one listener in Envoy, which has the name of the first of them. The cluster for the first rule of a route is
`httproute/NAMESPACE/ROUTE/rule/0`. Names of other forms are not checked, because the controller can be
configured to use them.

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
    let found = patches.iter().enumerate().filter_map(|(at, patch)| {
        let (message, help) = wrong(resolved, policy, patch)?;
        let place = Pointer::root().key("spec").key("jsonPatches").index(at).key("name");
        Some(
            finding(CODE, policy.object, &place, message)
                .why("the patch changes nothing, and the policy's status says that the resource was not found")
                .help(help),
        )
    });
    found.collect()
}

/// What is wrong with the name in a patch, and what to write instead.
fn wrong(resolved: &Resolved<'_>, policy: &Policy<'_>, patch: &Node) -> Option<(String, String)> {
    let name = text(patch, &["name"])?;
    let path = text(patch, &["operation", "path"]).unwrap_or_default();
    let is_new = text(patch, &["operation", "op"]) == Some("add")
        && path.is_empty()
        && text(patch, &["operation", "jsonPath"]).is_none();
    if is_new || variable::in_text(name) {
        return None;
    }
    match text(patch, &["type"])? {
        CLUSTER => wrong_cluster(resolved, name),
        kind @ (LISTENER | ROUTES) => wrong_listener(resolved, policy, kind, name),
        _ => None,
    }
}

fn wrong_listener(
    resolved: &Resolved<'_>,
    policy: &Policy<'_>,
    kind: &str,
    name: &str,
) -> Option<(String, String)> {
    if name.split('/').count() != 3 {
        return None;
    }
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
    let plain = name.strip_suffix("-quic").unwrap_or(name);
    let own = listeners.iter().find(|it| named(it) == plain);
    let first = own.and_then(|it| firsts.get(&port(it))).map(|it| named(it));
    match (own, first) {
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
    let mut routes = resolved.routes().iter();
    let route = routes.find(|it| it.kind == kind && it.key() == key)?;
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
    use crate::lint::attachment::support::{GATEWAY, policy, said};

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
    }
}
