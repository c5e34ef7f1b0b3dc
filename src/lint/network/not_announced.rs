//! Gateways whose address no L2 policy announces.

use super::l2_policies::{L2Policy, announces};
use crate::lint::front::Front;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "network"/"not-announced", Warning, "A gateway whose address no L2 policy announces.",
    r#"
L2 announcements are enabled for some Services, but not for the gateway's: no policy selects its labels, or
the policies don't announce load balancer addresses. So no node answers ARP requests for the gateway's
address. This is not reported if BGP is configured too, because BGP may announce the address.

## Wrong

```yaml
kind: CiliumL2AnnouncementPolicy
spec:
  loadBalancerIPs: true
  serviceSelector:
    matchLabels:
      app: envoy
```

## Right

```yaml
kind: CiliumL2AnnouncementPolicy
spec:
  loadBalancerIPs: true
  serviceSelector:
    matchLabels:
      app.kubernetes.io/component: proxy
```
"#
}

/// Reports a gateway that no policy covers; `policy` is one of those in its cluster.
pub(crate) fn report(front: &Front<'_>, policy: &L2Policy<'_>) -> Diagnostic {
    let pointer = Pointer::root().key("metadata").key("name");
    let name = front.gateway.object.name();
    let is_off = !announces(policy, front);
    let (at, help) = if is_off {
        (
            "loadBalancerIPs",
            "write `loadBalancerIPs: true` in the policy",
        )
    } else {
        (
            "serviceSelector",
            "select by a label that the Service has, such as `app.kubernetes.io/component: proxy`, or remove `serviceSelector`",
        )
    };
    finding(
        CODE,
        front.gateway.object,
        &pointer,
        format!("no CiliumL2AnnouncementPolicy covers the Service of {name}"),
    )
    .related(policy.applied.object.span(&Pointer::root().key("spec").key(at)), "this policy doesn't cover it")
    .why("no node announces its address, so unless something else does, nobody can reach the gateway")
    .help(help)
}
