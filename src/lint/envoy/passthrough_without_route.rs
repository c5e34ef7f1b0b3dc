//! TLS listeners without a route, for which Envoy refuses the whole port.

use super::filter_chains::{refused_port, source};
use envoy_gateway::Resolved;
use envoy_gateway::envoy_config::filter_chains::FilterChain;
use manifest::diagnostic::Diagnostic;
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"passthrough-without-route", Warning, "A TLS listener without a route, for which Envoy refuses the whole port.",
    r#"
A TLS listener without a route is sent to Envoy as a listener for all names, whatever its hostname is. If another
listener on its port, such as an HTTPS listener without a hostname, is also for all names, Envoy can't tell the
two apart and refuses the whole port: it stays closed, or keeps its old configuration until the proxy restarts. The
status of the Gateway doesn't show it. If the route is in a place that gatewayctl doesn't know, nothing is wrong, but
the port is closed for as long as the route is missing. `--ignore envoy/passthrough-without-route` disables this check.

## Wrong

```yaml
listeners:
  - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: example-com-tls}]}}
  - {name: vault, port: 443, protocol: TLS, hostname: vault.example.com, tls: {mode: Passthrough}}
```

## Right

```yaml
listeners:
  - name: https
    port: 443
    protocol: HTTPS
    hostname: "*.example.com"
    tls: {certificateRefs: [{name: example-com-tls}]}
  - {name: vault, port: 443, protocol: TLS, hostname: vault.example.com, tls: {mode: Passthrough}}
```
"#
}

/// Reports a listener without a route. Envoy gets it as a listener for all names, as it gets `other`.
pub(super) fn report<'a>(
    resolved: &Resolved<'a>,
    without_route: &FilterChain,
    other: &FilterChain,
) -> Option<(&'a Object, Diagnostic)> {
    let listener = resolved.listener(without_route.listener)?;
    let other = source(resolved, other)?;
    let message = format!(
        "no route is attached to listener `{}`, so Envoy gets it as a listener for all names, as it gets {other}",
        listener.name
    );
    let found = finding(CODE, listener.object, &listener.pointer, message)
        .why(refused_port(listener.port))
        .help("attach a TLSRoute to the listener, give the HTTPS listener on its port a hostname, or remove the listener");
    Some((listener.object, found))
}

#[cfg(test)]
mod tests {
    use super::super::support::{TLS, tls_route};
    use crate::lint::attachment::support::said;

    #[test]
    fn a_listener_without_a_route_beside_one_for_all_names_is_told() {
        let for_all = TLS.replace(
            "hostname: \"*.example.com\", protocol: HTTPS",
            "protocol: HTTPS",
        );
        assert_eq!(
            said(&for_all),
            [
                "envoy/passthrough-without-route /spec/listeners/1: no route is attached to listener `vault`, so Envoy gets \
                 it as a listener for all names, as it gets listener `https` of network/internal (attach a TLSRoute to \
                 the listener, give the HTTPS listener on its port a hostname, or remove the listener)"
            ]
        );
        assert_eq!(said(&format!("{for_all}{}", tls_route("vault"))), [""; 0]);
        assert_eq!(said(TLS), [""; 0]);
    }
}
