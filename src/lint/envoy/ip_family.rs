//! Addresses of a family on which Envoy doesn't listen.

use envoy_gateway::Resolved;
use envoy_gateway::envoy_config::ip_family::UnansweredAddress;
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"ip-family", Warning, "An address of a family on which Envoy doesn't listen.",
    r#"
The proxies of Envoy Gateway listen on IPv4 only, unless `ipFamily` of the EnvoyProxy says otherwise. A gateway with an
IPv6 address is then not reachable at that address. `--ignore envoy/ip-family` disables this check.

## Wrong

```yaml
kind: EnvoyProxy
spec: {}
---
kind: Gateway
spec:
  infrastructure:
    annotations: {lbipam.cilium.io/ips: "10.10.30.26,2001:db8::26"}
```

## Right

```yaml
kind: EnvoyProxy
spec:
  ipFamily: DualStack
---
kind: Gateway
spec:
  infrastructure:
    annotations: {lbipam.cilium.io/ips: "10.10.30.26,2001:db8::26"}
```
"#
}

/// Reports an address at which nothing answers.
pub(super) fn report<'a>(
    resolved: &Resolved<'a>,
    unanswered: &UnansweredAddress<'a>,
    is_of_cluster_toml: bool,
) -> Option<(&'a Object, Diagnostic)> {
    let gateway = resolved.gateway(unanswered.gateway)?;
    let address = unanswered.address;
    let spec = || (gateway.object, Pointer::root().key("spec"));
    let (object, pointer) = unanswered.place.clone().unwrap_or_else(spec);
    let (family, listens) = match address.is_ipv6() {
        true => ("IPv6", "IPv4"),
        false => ("IPv4", "IPv6"),
    };
    let message = format!("nothing answers at {address}: the proxies listen on {listens} only");
    let found = finding(CODE, object, &pointer, message)
        .why(format!(
            "the load balancer may announce the address, but its Service has no {family} endpoint"
        ))
        .help(match is_of_cluster_toml {
            true => "add `ip_family = \"DualStack\"` to [proxy]",
            false => "set `ipFamily: DualStack` in the EnvoyProxy",
        });
    Some((object, found))
}

#[cfg(test)]
mod tests {
    use super::super::support::{CLASS, gateway, https};
    use crate::lint::attachment::support::said;

    #[test]
    fn an_ipv6_address_needs_a_family() {
        let gateway = gateway(
            "  addresses: [{type: IPAddress, value: \"2001:db8::26\"}]\n",
            &[https("https", "a.example.com", "a-tls")],
        );
        let proxy = |spec: &str| {
            format!(
                "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: envoy, namespace: network}}
spec: {spec}
"
            )
        };
        let class = CLASS.replace(
            "gatewayclass-controller}",
            "gatewayclass-controller, parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: network}}",
        );
        assert_eq!(
            said(&format!("{class}{}{gateway}", proxy("{}"))),
            [
                "envoy/ip-family /spec/addresses/0/value: nothing answers at 2001:db8::26: the proxies listen on IPv4 only \
                 (set `ipFamily: DualStack` in the EnvoyProxy)"
            ]
        );
        assert_eq!(
            said(&format!(
                "{class}{}{gateway}",
                proxy("{ipFamily: DualStack}")
            )),
            [""; 0]
        );
    }
}
