//! Names that are published with the targets of two gateways.

use super::published::Name;
use envoy_gateway::exposure::publisher::Publisher;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "dns"/"two-targets", Warning, "A name that external-dns publishes with the targets of two gateways.",
    r#"
A hostname is served by two gateways, and the same external-dns publishes it for both. If the targets are
addresses, the name gets both, and clients reach the one gateway or the other. If they are names, external-dns
takes one of them, or the provider refuses the second one, and then no record of the zone changes any more.
Run one external-dns for each gateway and restrict it to that gateway, or attach the route to one gateway
only.

## Wrong

```yaml
# external-dns
sources: [gateway-httproute]
---
kind: HTTPRoute
spec:
  hostnames: [shop.example.com]
  parentRefs:
    - name: envoy-external
    - name: envoy-internal
```

## Right

```yaml
# external-dns
sources: [gateway-httproute]
extraArgs:
  - --gateway-name=envoy-external
---
kind: HTTPRoute
spec:
  hostnames: [shop.example.com]
  parentRefs:
    - name: envoy-external
    - name: envoy-internal
```
"#
}

/// Reports a name that `publisher` publishes for the gateways of both.
pub(crate) fn report(
    first: &Name<'_, '_>,
    second: &Name<'_, '_>,
    publisher: &Publisher<'_>,
) -> Diagnostic {
    let parents = Pointer::root().key("spec").key("parentRefs");
    let message = format!(
        "{} has two targets: {} of {} and {} of {}",
        second.hostname,
        first.leads_to(),
        first.gateway.name(),
        second.leads_to(),
        second.gateway.name()
    );
    finding(CODE, second.route.object, &parents.index(second.parent), message)
        .related(publisher.span, "this publishes both")
        .why("clients reach the wrong gateway: external-dns mixes addresses and takes one of two names, or the provider refuses the second one, and then no record of the zone changes any more")
        .help(format!(
            "restrict {} to one of the gateways (`--gateway-name`, `--gateway-label-filter` in `extraArgs`), or remove one of the parents",
            publisher.by
        ))
}
