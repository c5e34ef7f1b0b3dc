//! HTTPS listeners whose hostnames overlap.

use std::collections::BTreeSet;

use envoy_gateway::condition::{Status, kind};
use envoy_gateway::{Listener, Resolved};
use manifest::diagnostic::Diagnostic;
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"overlapping-hostnames", Note, "HTTPS listeners on one port whose hostnames overlap.",
    r#"
Two HTTPS listeners of a gateway have a port and hostnames in common: one has no hostname, or a wildcard that covers
the other. Envoy takes the more specific listener by the name in the TLS handshake. A browser that has a connection to
one of them may use it for a name of the other if the certificate is for both, and then gets 404. The controller
therefore sets the condition `OverlappingTLSConfig` on both listeners. It is fine if the certificates have no name in
common. `--ignore envoy/overlapping-hostnames` disables this check.

## Wrong

```yaml
listeners:
  - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: all}]}}
  - {name: shop, port: 443, protocol: HTTPS, hostname: "*.shop.example", tls: {certificateRefs: [{name: shop}]}}
```

## Right

```yaml
listeners:
  - {name: https, port: 443, protocol: HTTPS, hostname: "*.example.com", tls: {certificateRefs: [{name: all}]}}
  - {name: shop, port: 443, protocol: HTTPS, hostname: "*.shop.example", tls: {certificateRefs: [{name: shop}]}}
```
"#
}

/// Reports overlapping hostnames once for each gateway and port, at the most specific listener.
pub(super) fn check<'a>(resolved: &Resolved<'a>) -> Vec<(&'a Object, Diagnostic)> {
    let overlaps = |listener: &&Listener<'a>| {
        let condition = listener.conditions.get(kind::OVERLAPPING_TLS);
        condition.is_some_and(|it| it.status == Status::True && it.reason == "OverlappingHostnames")
    };
    let mut listeners: Vec<&Listener<'a>> = resolved.listeners().iter().filter(overlaps).collect();
    let precision = |listener: &Listener<'_>| {
        let hostname = listener.hostname.unwrap_or_default();
        (hostname.split('.').count(), !hostname.starts_with('*'))
    };
    listeners.sort_by_key(|it| std::cmp::Reverse(precision(it)));
    let mut told = BTreeSet::new();
    listeners.retain(|it| told.insert((it.gateway, it.port)));
    listeners.into_iter().map(report).collect()
}

fn report<'a>(listener: &Listener<'a>) -> (&'a Object, Diagnostic) {
    let overlap = listener.conditions.get(kind::OVERLAPPING_TLS);
    let overlap = overlap.map_or("", |it| it.message.as_str());
    let message = format!(
        "the hostnames of listener `{}` and another one overlap",
        listener.name
    );
    let found = finding(CODE, listener.object, &listener.pointer, message)
        .why(format!("{overlap}; both have the condition OverlappingTLSConfig, and a browser may send requests for one to the other if a certificate is for both"))
        .help("give the broader listener a `hostname` that doesn't cover the other one, unless the certificates have no name in common");
    (listener.object, found)
}

#[cfg(test)]
mod tests {
    use super::super::support::{CLASS, gateway, https};
    use crate::lint::attachment::support::said;

    #[test]
    fn a_wildcard_that_covers_another_listener_is_told_once() {
        let with = |hostname: &str| {
            let listeners = [
                https("wide", hostname, "wide-tls"),
                https("shop", "shop.example.com", "shop-tls"),
            ];
            let said = said(&format!("{CLASS}{}", gateway("", &listeners)));
            let start = |one: &String| one.split(" (").next().unwrap_or(one).to_owned();
            said.iter().map(start).collect::<Vec<_>>()
        };
        assert_eq!(
            with("'*.example.com'"),
            [
                "envoy/overlapping-hostnames /spec/listeners/1: the hostnames of listener `shop` and another one overlap"
            ]
        );
        assert_eq!(with("'*.example.org'"), [""; 0]);
    }
}
