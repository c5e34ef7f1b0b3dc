//! Address pools whose selector doesn't match the Service that needs an address.

use std::net::IpAddr;

use super::address_requests::ServiceAddressRequest;
use super::pools::{HoldingPool, NearPools, Pool};
use crate::lint::front::Front;
use envoy_gateway::selector::selects;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "network"/"pool-selector", Error, "An address pool whose selector doesn't match the Service that needs an address.",
    r#"
A pool with a `serviceSelector` serves only the Services that the selector matches. It doesn't match the
Service that requests an address from the pool, so that Service stays pending. Envoy Gateway's Services have
the labels `app.kubernetes.io/name: envoy`, `app.kubernetes.io/component: proxy`,
`app.kubernetes.io/managed-by: envoy-gateway`, the gateway's name and namespace in
`gateway.envoyproxy.io/owning-gateway-name` and `…-namespace`, and the labels from the gateway's
`infrastructure.labels`. Labels of the Gateway itself are not copied to its Service.

## Wrong

```yaml
kind: CiliumLoadBalancerIPPool
spec:
  serviceSelector:
    matchLabels:
      app.kubernetes.io/name: envoy-gateway
```

## Right

```yaml
kind: CiliumLoadBalancerIPPool
spec:
  serviceSelector:
    matchLabels:
      app.kubernetes.io/component: proxy
```
"#
}

/// Reports a requested address that is only in pools for other Services.
pub(crate) fn report(
    request: &ServiceAddressRequest<'_>,
    address: IpAddr,
    holding: &[HoldingPool<'_, '_>],
) -> Option<Diagnostic> {
    let (first, _) = holding.first()?;
    let is_for_another = holding
        .iter()
        .all(|(pool, _)| selects(pool.selector, &request.labels) == Some(false));
    let message = format!(
        "{address} of {} is in the pool {}, which doesn't select its Service",
        request.owner.object.identity(),
        first.name()
    );
    let found = || finding(CODE, request.object, &request.pointer, message);
    is_for_another.then(|| explained(found(), first))
}

/// Reports a gateway that requests no address, if no pool selects its Service.
pub(crate) fn report_gateway(front: &Front<'_>, near: &NearPools<'_, '_>) -> Option<Diagnostic> {
    let labels = front.service_labels();
    let mut pools = near.pools.iter();
    let pool = near.pools.first()?;
    if !pools.all(|pool| selects(pool.selector, &labels) == Some(false)) {
        return None;
    }
    let gateway = front.gateway.object;
    let pointer = Pointer::root().key("metadata").key("name");
    let message = format!("no address pool selects the Service of {}", gateway.name());
    Some(explained(finding(CODE, gateway, &pointer, message), pool))
}

fn explained(finding: Diagnostic, pool: &Pool<'_>) -> Diagnostic {
    let pointer = Pointer::root().key("spec").key("serviceSelector");
    finding
        .related(pool.applied.object.place_to_change(&pointer), "the pool's selector")
        .why("Cilium only assigns an address to Services that the pool selects, so this one stays pending")
        .help("select by a label that the Service has, such as `app.kubernetes.io/component: proxy` or `gateway.envoyproxy.io/owning-gateway-name`, or write the label into `spec.infrastructure.labels` of the Gateway; those in `metadata.labels` don't reach the Service")
}

#[cfg(test)]
mod tests {
    use crate::lint::network::pools::tests::pool;
    use crate::lint::support::{FRONT, found_in, found_with_front};

    /// The line of the gateway's address.
    const ADDRESS: &str = "front.yaml:32";

    #[test]
    fn pools_serve_whom_they_select() {
        let selector = |pairs: &str| {
            pool(
                "a",
                "{cidr: 10.10.30.0/24}",
                &format!("serviceSelector: {{matchLabels: {{{pairs}}}}}"),
            )
        };
        for pairs in [
            "app.kubernetes.io/component: proxy",
            "tier: front",
            "io.kubernetes.service.namespace: network",
            "gateway.networking.k8s.io/gateway-name: external",
        ] {
            assert_eq!(found_with_front(&[&selector(pairs)]), [""; 0], "{pairs}");
        }
        assert_eq!(
            found_with_front(&[&selector("tier: back")]),
            [format!(
                "error network/pool-selector {ADDRESS} 10.10.30.26 of Gateway network/external is in the pool a, which doesn't select its Service"
            )]
        );
        let second = pool(
            "b",
            "{start: 10.10.31.1, stop: 10.10.31.9}",
            "serviceSelector: {matchLabels: {tier: back}}",
        );
        let without = FRONT.replace("annotations: {lbipam.cilium.io/ips: 10.10.30.26}", "");
        assert_eq!(
            found_in(&format!("{without}{second}\n")),
            [
                "error network/pool-selector front.yaml:27 no address pool selects the Service of external"
            ]
        );
    }
}
