//! Autoscalers.

use super::*;

fn scaled(name: &str, target: &str, rest: &str) -> String {
    format!(
        "
# {name}.yaml
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: {name}, namespace: network}}
spec:
  scaleTargetRef: {{name: {target}}}
  {rest}"
    )
}

fn unfixed() -> String {
    FRONT.replace("envoyDeployment: {replicas: 2}", "envoyService: {}")
}

#[test]
fn a_deployment_has_one_autoscaler_and_no_fixed_number() {
    let one = scaled("a", "external", "");
    assert_eq!(found(&format!("{}{one}\n", unfixed())), [""; 0]);
    assert_eq!(
        found(&format!(
            "{}{one}{}\n",
            unfixed(),
            scaled("b", "external", "")
        )),
        [
            "error keda/two-autoscalers b.yaml:5 ScaledObject network/a and ScaledObject network/b scale the same Deployment, external"
        ]
    );
    assert_eq!(
        with(&[&one]),
        [
            "warning keda/fixed-replicas front.yaml:23 the proxies of external have fixed replicas and are scaled"
        ]
    );
    let own = FRONT.replace("replicas: 2}", "replicas: 2}, envoyHpa: {maxReplicas: 3}");
    assert_eq!(
        found(&format!("{own}\n")),
        [
            "note keda/fixed-replicas front.yaml:23 the proxies of external have fixed replicas and are scaled"
        ]
    );
    let own = unfixed().replace("envoyService: {}", "envoyHpa: {maxReplicas: 3}");
    assert_eq!(
        found(&format!("{own}{one}\n")),
        [
            "error keda/two-autoscalers a.yaml:5 `envoyHpa` of the EnvoyProxy envoy and ScaledObject network/a scale the same Deployment, external"
        ]
    );
    let controller = unfixed().replace("values: {", "values: {hpa: {enabled: true}, ");
    assert_eq!(
        found(&format!(
            "{controller}{}\n",
            scaled("a", "envoy-gateway", "")
        )),
        [
            "error keda/two-autoscalers a.yaml:5 `hpa` in the values of HelmRelease network/envoy-gateway and ScaledObject network/a scale the same Deployment, envoy-gateway"
        ]
    );
}

#[test]
fn bounds_are_the_right_way_round() {
    let bounds = |text: &str| found(&format!("{}\n", scaled("a", "x", text)));
    assert_eq!(bounds("minReplicaCount: 2\n  maxReplicaCount: 2"), [""; 0]);
    assert_eq!(bounds("maxReplicaCount: 0"), [""; 0]);
    assert_eq!(
        bounds("minReplicaCount: 3\n  maxReplicaCount: 2"),
        [
            "error keda/minimum-above-maximum a.yaml:6 a has 3 as `minReplicaCount` and 2 as `maxReplicaCount`"
        ]
    );
    assert_eq!(
        bounds("minReplicaCount: 1\n  idleReplicaCount: 1"),
        [
            "error keda/minimum-above-maximum a.yaml:7 a has 1 as `idleReplicaCount` and 1 as `minReplicaCount`"
        ]
    );
}

#[test]
fn the_deployment_that_is_scaled_is_one_that_is_made() {
    let hashed = envoy_gateway::proxies::hashed_deployment("network", "external");
    let says = |front: &str, target: &str| found(&format!("{front}{}\n", scaled("a", target, "")));
    assert_eq!(says(&unfixed(), "app-of-mine"), [""; 0]);
    assert_eq!(says(&unfixed(), "envoy-gateway"), [""; 0]);
    assert_eq!(
        says(&unfixed(), &hashed),
        [format!(
            "error keda/unknown-deployment a.yaml:5 Envoy Gateway creates no Deployment {hashed}"
        )]
    );
    let other_mode = unfixed().replace("GatewayNamespace", "ControllerNamespace");
    assert_eq!(says(&other_mode, &hashed), [""; 0]);
    assert_eq!(
        says(&other_mode, "external"),
        ["error keda/unknown-deployment a.yaml:5 Envoy Gateway creates no Deployment external"]
    );
    let renamed = unfixed().replace("envoyService: {}", "envoyDeployment: {name: mine}");
    assert_eq!(says(&renamed, "mine"), [""; 0]);
    let daemons = unfixed().replace("envoyService: {}", "envoyDaemonSet: {}");
    assert_eq!(
        says(&daemons, "external"),
        [
            "error keda/unknown-deployment a.yaml:5 the proxies are a DaemonSet, so there is no Deployment external"
        ]
    );
    let unknown = unfixed().replace("gateway-helm", "other");
    assert_eq!(says(&unknown, &hashed), [""; 0]);
}

#[test]
fn a_scaled_object_may_take_an_autoscaler_over() {
    let over = scaled("b", "external", "").replace(
        "name: b,",
        "name: b, annotations: {scaledobject.keda.sh/transfer-hpa-ownership: 'true'},",
    );
    let own = scaled("a", "external", "");
    assert_eq!(found(&format!("{}{own}{over}\n", unfixed())), [""; 0]);
}
