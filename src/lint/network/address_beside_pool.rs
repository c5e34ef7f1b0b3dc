//! Addresses in `spec.addresses` that a pool was meant to assign.

use super::address_requests::ServiceAddressRequest;
use super::pools::HoldingPool;
use crate::lint::front::Front;
use envoy_gateway::proxies::Controller;
use envoy_gateway::selector::selects;
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "network"/"address-beside-pool", Warning, "An address in `spec.addresses` that Cilium's pool doesn't assign.",
    r#"
Envoy Gateway writes `spec.addresses` of a Gateway into `externalIPs` of the Service. Cilium doesn't read them when it
assigns addresses, so the Service gets another address from the pool besides. L2 and BGP announce the address
from the pool, and only announce external IPs if that is switched on. Request the address by Cilium's annotation.
This is not reported if an L2 policy announces external IPs.

## Wrong

```yaml
kind: Gateway
spec:
  addresses:
    - type: IPAddress
      value: 10.10.30.25
```

## Right

```yaml
kind: Gateway
spec:
  infrastructure:
    annotations:
      lbipam.cilium.io/ips: 10.10.30.25
```
"#
}

/// Reports an external address of a gateway that is in a pool for its Service.
pub(crate) fn report(
    front: &Front<'_>,
    request: &ServiceAddressRequest<'_>,
    holding: &[HoldingPool<'_, '_>],
) -> Option<Diagnostic> {
    if front.controller != Controller::EnvoyGateway || front.has_load_balancer() != Some(true) {
        return None;
    }
    let labels = front.service_labels();
    let (pool, block) = holding
        .iter()
        .find(|(pool, _)| !pool.is_disabled && selects(pool.selector, &labels) == Some(true))?;
    let message = format!(
        "{} becomes an external IP of the Service, and Cilium assigns it another address from the pool {}",
        request.text,
        pool.name()
    );
    Some(
        finding(CODE, request.object, &request.pointer, message)
            .related(pool.applied.object.place_to_change(&block.pointer), "the pool")
            .why("nodes announce the address from the pool and not this one, so nobody can reach the gateway at it")
            .help(format!(
                "write `lbipam.cilium.io/ips: {}` into `spec.infrastructure.annotations` instead",
                request.text
            )),
    )
}
