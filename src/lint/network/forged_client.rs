//! ClientTrafficPolicies that trust a header although the PROXY protocol already says who the client is.

use crate::lint::LintContext;
use crate::lint::front::ENVOY_GATEWAY;
use envoy_gateway::read::{flag, has, int, list};
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "network"/"forged-client", Warning, "A policy by which clients can choose their own address.",
    r#"
With the PROXY protocol, the load balancer in front of Envoy says which address a connection comes from, before
the first byte of the request. If the policy also takes the address from `X-Forwarded-For`, that header wins.
The load balancer passes it on as the client wrote it, so every client can choose its own address: allow lists,
rate limits and logs then see the address that the client chose. If there is another proxy in front of the load
balancer, list its networks in `xForwardedFor.trustedCIDRs` instead of a number of hops; the header then counts
only if it comes from there.

## Wrong

```yaml
kind: ClientTrafficPolicy
spec:
  proxyProtocol: {}
  clientIPDetection: {xForwardedFor: {numTrustedHops: 1}}
```

## Right

```yaml
kind: ClientTrafficPolicy
spec:
  proxyProtocol: {}
```
"#
}

/// Reports policies with both.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let policies = context.of_kind(ENVOY_GATEWAY, "ClientTrafficPolicy");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in policies.filter_map(|policy| forged(policy.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn forged(policy: &Object) -> Option<Diagnostic> {
    let spec = policy.node.get("spec")?;
    let speaks_proxy =
        has(spec, &["proxyProtocol"]) || flag(spec, &["enableProxyProtocol"]) == Some(true);
    let by = spec.get("clientIPDetection")?;
    let trusts_any = match by.get("xForwardedFor") {
        Some(header) => {
            int(header, &["numTrustedHops"]).is_some_and(|hops| hops > 0)
                && list(header, &["trustedCIDRs"]).is_empty()
        }
        None => has(by, &["customHeader"]),
    };
    if !speaks_proxy || !trusts_any {
        return None;
    }
    let (key, header) = match has(by, &["xForwardedFor"]) {
        true => ("xForwardedFor", "`X-Forwarded-For`"),
        false => ("customHeader", "a header"),
    };
    let place = Pointer::root()
        .key("spec")
        .key("clientIPDetection")
        .key(key);
    let message = format!(
        "the client's address is taken from {header}, although the PROXY protocol already gives it"
    );
    Some(
        finding(CODE, policy, &place, message)
            .why("the load balancer passes that header on as the client wrote it, so every client can choose its own address")
            .help("remove `clientIPDetection`; if there is another proxy in front of the load balancer, list its networks in `xForwardedFor.trustedCIDRs`"),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_header_beside_the_proxy_protocol_is_told() {
        let with = |spec: &str| {
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {{name: a, namespace: network}}
spec: {{{spec}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        let forged = [
            "warning network/forged-client /spec/clientIPDetection/xForwardedFor: the client's address is taken from \
                       `X-Forwarded-For`, although the PROXY protocol already gives it",
        ];
        let hops = "clientIPDetection: {xForwardedFor: {numTrustedHops: 1}}";
        assert_eq!(with(&format!("proxyProtocol: {{}}, {hops}")), forged);
        assert_eq!(with(&format!("enableProxyProtocol: true, {hops}")), forged);
        let networks = "clientIPDetection: {xForwardedFor: {trustedCIDRs: [192.0.2.0/24]}}";
        for right in [
            hops.to_owned(),
            format!("proxyProtocol: {{}}, {networks}"),
            "proxyProtocol: {}".to_owned(),
        ] {
            assert_eq!(with(&right), [""; 0], "{right}");
        }
    }
}
