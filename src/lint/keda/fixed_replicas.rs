//! Fixed numbers of replicas on workloads that are scaled.

use super::autoscalers::CONTROLLER;
use crate::lint::LintContext;
use crate::lint::front::{CHART, release_namespace};
use envoy_gateway::proxies::Workload;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "keda"/"fixed-replicas", Warning, "A fixed number of replicas on a Deployment that is scaled.",
    r#"
A Deployment has a fixed number of replicas, and an autoscaler scales it too. The number comes from Envoy
Gateway or from Flux, which resets it at each reconciliation, and then the autoscaler changes it again.
Proxies are stopped and started, and connections are lost. If `envoyHpa` is used, Envoy Gateway ignores
`replicas` instead.

## Wrong

```yaml
kind: EnvoyProxy
spec:
  provider:
    type: Kubernetes
    kubernetes:
      envoyDeployment:
        replicas: 2
---
kind: ScaledObject
spec:
  scaleTargetRef:
    name: envoy-external
```

## Right

```yaml
kind: EnvoyProxy
spec:
  provider:
    type: Kubernetes
---
kind: ScaledObject
spec:
  scaleTargetRef:
    name: envoy-external
  minReplicaCount: 2
```
"#
}

/// Reports a fixed number of replicas on a workload that is scaled.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let autoscalers = context.autoscalers();
    let mut found = Vec::new();
    let mut said = Vec::new();
    for front in context.fronts() {
        let replicas = front.infra.place(&["envoyDeployment", "replicas"]);
        let (Some((proxy, pointer)), Some(target)) = (replicas, front.workload()) else {
            continue;
        };
        let autoscaler = autoscalers.iter().find(|autoscaler| {
            autoscaler.target == target
                && context.may_share_cluster(autoscaler.of.object, front.gateway.object)
        });
        let Some(autoscaler) = autoscaler else {
            continue;
        };
        if said.contains(&(&proxy.file, proxy.name())) {
            continue;
        }
        said.push((&proxy.file, proxy.name()));
        let name = front.gateway.object.name();
        let one = finding(
            CODE,
            proxy,
            &pointer,
            format!("the proxies of {name} have fixed replicas and are scaled"),
        )
        .related(
            autoscaler.of.object.place_to_change(&autoscaler.pointer),
            format!("scaled by {}", autoscaler.what),
        )
        .help("remove `replicas`; the autoscaler's minimum replaces it");
        found.push(if autoscaler.is_own {
            one.severity(Severity::Note)
                .why("Envoy Gateway ignores the number as long as `envoyHpa` is set")
        } else {
            one.why("Envoy Gateway resets the number at each reconciliation, so proxies are removed and added again")
        });
    }
    for release in context.releases(CHART) {
        let path = ["spec", "values", "deployment", "replicas"];
        let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
        let is_number = |node: &Node| node.to_json().is_number();
        if !release.object.node.at(&pointer).is_some_and(is_number) {
            continue;
        }
        let namespace = release_namespace(release.object);
        let autoscaler = autoscalers.iter().find(|autoscaler| {
            autoscaler.target.name == CONTROLLER
                && autoscaler.target.namespace == namespace
                && context.may_share_cluster(autoscaler.of.object, release.object)
        });
        if let Some(autoscaler) = autoscaler {
            let message = "the controller has fixed replicas and is scaled";
            found.push(
                finding(CODE, release.object, &pointer, message)
                    .related(
                        autoscaler.of.object.place_to_change(&autoscaler.pointer),
                        format!("scaled by {}", autoscaler.what),
                    )
                    .why("Helm resets the number at each upgrade, so Pods are removed and added again")
                    .help("remove `deployment.replicas`; the autoscaler's minimum replaces it"),
            );
        }
    }
    for deployment in context.of_kind("apps", "Deployment") {
        let pointer = Pointer::root().key("spec").key("replicas");
        let target = Workload {
            kind: "Deployment",
            namespace: deployment.object.namespace().to_owned(),
            name: deployment.object.name().to_owned(),
        };
        let autoscaler = autoscalers.iter().find(|autoscaler| {
            autoscaler.target == target
                && context.may_share_cluster(autoscaler.of.object, deployment.object)
        });
        if let (Some(autoscaler), Some(_)) = (autoscaler, deployment.object.node.at(&pointer)) {
            let name = deployment.object.name();
            found.push(
                finding(
                    CODE,
                    deployment.object,
                    &pointer,
                    format!("the Deployment {name} has fixed replicas and is scaled"),
                )
                .related(
                    autoscaler.of.object.span(&autoscaler.pointer),
                    format!("scaled by {}", autoscaler.what),
                )
                .why("Flux resets the number at each reconciliation, so Pods are removed and added again")
                .help("remove `replicas`; the autoscaler's minimum replaces it"),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::lint::keda::autoscalers::tests::{scaled, unfixed};
    use crate::lint::support::found_in;

    #[test]
    fn the_chart_does_not_fix_the_number_of_a_scaled_controller() {
        let front = unfixed().replace("values: {", "values: {deployment: {replicas: 2}, ");
        let controller = scaled("a", "envoy-gateway", "minReplicaCount: 1");
        assert_eq!(
            found_in(&format!("{front}{controller}\n")),
            [
                "warning keda/fixed-replicas front.yaml:11 the controller has fixed replicas and is scaled"
            ]
        );
        assert_eq!(found_in(&format!("{}{controller}\n", unfixed())), [""; 0]);
    }
}
