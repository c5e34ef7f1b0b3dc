//! Global rate limits without the Redis in which they count.

use crate::lint::LintContext;
use envoy_gateway::controller::Setting;
use envoy_gateway::policy::{Outcome, Policy, PolicyKind};
use envoy_gateway::read::has;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;
use manifest::value::path::nearest;

manifest::code! {
    "reference"/"rate-limit-service", Error, "A global rate limit without the Redis in which it counts.",
    r#"
A global rate limit counts requests in Redis, whose address is in the controller's configuration. Without it, Envoy
Gateway answers every request to which the policy applies with 500.

## Wrong

```yaml
kind: HelmRelease
spec:
  values: {}
---
kind: BackendTrafficPolicy
spec:
  rateLimit: {global: {rules: [{limit: {requests: 100, unit: Minute}}]}}
```

## Right

```yaml
kind: HelmRelease
spec:
  values:
    config: {envoyGateway: {rateLimit: {backend: {type: Redis, redis: {url: "redis:6379"}}}}}
---
kind: BackendTrafficPolicy
spec:
  rateLimit: {global: {rules: [{limit: {requests: 100, unit: Minute}}]}}
```
"#
}

/// Reports a policy with a global rate limit that is in force somewhere, if the values of the controller's chart are given
/// and have no Redis.
pub(crate) fn report(context: &LintContext<'_>, policy: &Policy<'_>) -> Option<Diagnostic> {
    let holds = policy.targets.iter().any(|it| it.outcome == Outcome::Holds);
    let is_global = has(policy.spec()?, &["rateLimit", "global"]);
    let releases = nearest(&policy.object.file, context.controllers(), |it| {
        &it.release.file
    });
    let mut settings = releases.iter().map(|it| it.setting(&["rateLimit"]));
    let is_off = !releases.is_empty() && settings.all(|it| it == Setting::Unset);
    if policy.kind != PolicyKind::Backend || !holds || !is_global || !is_off {
        return None;
    }
    let pointer = Pointer::root().key("spec").key("rateLimit").key("global");
    let message = "the controller has no Redis for global rate limits";
    let found = finding(CODE, policy.object, &pointer, message)
        .why("every request to which the policy applies is answered with 500")
        .help("set `config.envoyGateway.rateLimit.backend` in the chart's values, or use `rateLimit.local`");
    Some(found)
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, policy, said};

    #[test]
    fn a_global_limit_needs_a_redis() {
        let release = |values: &str| {
            format!(
                "---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: gateway-helm, namespace: network}}
spec: {{url: oci://mirror.example.com/envoyproxy/gateway-helm, interval: 1h, ref: {{tag: 1.9.0}}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: envoy-gateway, namespace: network}}
spec: {{interval: 1h, chartRef: {{kind: OCIRepository, name: gateway-helm}}, values: {values}}}
"
            )
        };
        let limit = policy(
            "BackendTrafficPolicy",
            "limits",
            "{targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: external}, rateLimit: {type: Global, \
             global: {rules: [{limit: {requests: 5, unit: Second}}]}}}",
        );
        let with = |values: &str| said(&format!("{GATEWAY}{limit}{}", release(values)));
        assert_eq!(
            with("{}"),
            [
                "reference/rate-limit-service /spec/rateLimit/global: the controller has no Redis for global rate limits \
                 (set `config.envoyGateway.rateLimit.backend` in the chart's values, or use `rateLimit.local`)"
            ]
        );
        let redis = "{config: {envoyGateway: {rateLimit: {backend: {type: Redis, redis: {url: redis:6379}}}}}}";
        assert_eq!(with(redis), [""; 0]);
    }
}
