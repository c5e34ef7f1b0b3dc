//! Listeners and routes on one port that Envoy can't tell apart.

use super::filter_chains::{refused_port, source};
use envoy_gateway::Resolved;
use envoy_gateway::envoy_config::filter_chains::{Clash, Source};
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"same-names", Error, "Listeners or routes on one port that Envoy can't tell apart.",
    r#"
Envoy chooses among the listeners and TLSRoutes of a port by the name that a client asks for. If two are for the same
name, Envoy refuses the whole port: it stays closed, or keeps its old configuration until the proxy restarts. This
happens with two TLSRoutes for one name, and with an HTTPS listener and a TLSRoute for one name in gateways that share
a proxy (`mergeGateways`). The controller accepts them, and their status doesn't show it.

## Wrong

```yaml
kind: TLSRoute
metadata: {name: vault}
spec: {hostnames: [vault.example.com], parentRefs: [{name: envoy-internal}]}
---
kind: TLSRoute
metadata: {name: vault-standby}
spec: {hostnames: [vault.example.com], parentRefs: [{name: envoy-internal}]}
```

## Right

```yaml
kind: TLSRoute
metadata: {name: vault}
spec: {hostnames: [vault.example.com], parentRefs: [{name: envoy-internal}]}
---
kind: TLSRoute
metadata: {name: vault-standby}
spec: {hostnames: [vault-standby.example.com], parentRefs: [{name: envoy-internal}]}
```
"#
}

/// Reports two filter chains for the same names, at the second one.
pub(super) fn report<'a>(
    resolved: &Resolved<'a>,
    clash: &Clash,
) -> Option<(&'a Object, Diagnostic)> {
    let first = source(resolved, &clash.first)?;
    let second = source(resolved, &clash.second)?;
    let listener = resolved.listener(clash.second.listener)?;
    let (object, pointer) = match clash.second.source {
        Source::Route(route) => (resolved.route(route)?.object, Pointer::root().key("spec")),
        _ => (listener.object, listener.pointer.clone()),
    };
    let name = clash.name.as_deref().unwrap_or("all names");
    let message = format!(
        "{second} and {first} are both for {name} on port {}",
        listener.port
    );
    let found = finding(CODE, object, &pointer, message)
        .why(refused_port(listener.port))
        .help("give the name to only one of them");
    Some((object, found))
}

#[cfg(test)]
mod tests {
    use super::super::support::{TLS, tls_route};
    use crate::lint::attachment::support::said;

    #[test]
    fn two_tls_routes_for_one_name_are_told() {
        let routes = format!("{}{}", tls_route("vault"), tls_route("standby"));
        assert_eq!(
            said(&format!("{TLS}{routes}")),
            [
                "envoy/same-names /spec: TLSRoute network/vault and TLSRoute network/standby are both for \
                 vault.example.com on port 443 (give the name to only one of them)"
            ]
        );
        assert_eq!(said(&format!("{TLS}{}", tls_route("vault"))), [""; 0]);
    }
}
