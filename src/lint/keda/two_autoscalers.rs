//! Deployments that two autoscalers scale.

use std::collections::BTreeMap;

use super::autoscalers::Autoscaler;
use crate::lint::LintContext;
use crate::lint::front::text;
use envoy_gateway::proxies::Workload;
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "keda"/"two-autoscalers", Error, "A Deployment that two autoscalers scale.",
    r#"
Two autoscalers scale the same Deployment: a ScaledObject and a HorizontalPodAutoscaler, or one of them and
the `envoyHpa` of an EnvoyProxy, from which Envoy Gateway creates a HorizontalPodAutoscaler. KEDA's admission
webhook refuses the second one, and Flux then applies nothing from its Kustomization. Without the webhook,
both change the number of replicas in turn.

## Wrong

```yaml
kind: EnvoyProxy
spec:
  provider:
    type: Kubernetes
    kubernetes:
      envoyHpa:
        maxReplicas: 4
---
kind: ScaledObject
spec:
  scaleTargetRef:
    name: envoy-external
```

## Right

```yaml
kind: ScaledObject
spec:
  scaleTargetRef:
    name: envoy-external
  maxReplicaCount: 4
```
"#
}

/// Reports two autoscalers of one workload.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut by_target: BTreeMap<&Workload, Vec<&Autoscaler>> = BTreeMap::new();
    let mut found = Vec::new();
    for autoscaler in context.autoscalers() {
        let others = by_target.entry(&autoscaler.target).or_default();
        let first = others.iter().find(|first| {
            first.what != autoscaler.what
                && !takes_over(first)
                && !takes_over(autoscaler)
                && context.may_share_cluster(first.of.object, autoscaler.of.object)
        });
        if let Some(first) = first {
            found.push(
                finding(
                    CODE,
                    autoscaler.of.object,
                    &autoscaler.pointer,
                    format!("{} and {} scale the same Deployment, {}", first.what, autoscaler.what, autoscaler.target.name),
                )
                .related(first.of.object.place_to_change(&first.pointer), "the other one")
                .why("KEDA refuses the second one, so Flux applies nothing of its Kustomization; without KEDA's admission webhook, both set the number of replicas in turn")
                .help("keep one of the two; a ScaledObject can have all triggers, including CPU and memory"),
            );
        }
        others.push(autoscaler);
    }
    found
}

/// Whether a ScaledObject takes over an existing HorizontalPodAutoscaler.
fn takes_over(autoscaler: &Autoscaler<'_>) -> bool {
    let key = "scaledobject.keda.sh/transfer-hpa-ownership";
    text(autoscaler.of.object, &["metadata", "annotations", key]) == "true"
}

#[cfg(test)]
mod tests {
    use crate::lint::keda::autoscalers::tests::{scaled, unfixed};
    use crate::lint::support::found_in;

    #[test]
    fn a_scaled_object_may_take_an_autoscaler_over() {
        let over = scaled("b", "external", "").replace(
            "name: b,",
            "name: b, annotations: {scaledobject.keda.sh/transfer-hpa-ownership: 'true'},",
        );
        let own = scaled("a", "external", "");
        assert_eq!(found_in(&format!("{}{own}{over}\n", unfixed())), [""; 0]);
    }
}
