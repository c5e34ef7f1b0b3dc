//! Everything that scales the proxies or the controller.

use crate::lint::front::{CHART, release_namespace, text};
use crate::lint::{Applied, LintContext};
use envoy_gateway::proxies::Workload;
use manifest::value::{Node, Pointer, variable};

/// The name of the controller's Deployment, whatever the release is called (charts 1.5 to 1.9).
pub(crate) const CONTROLLER: &str = "envoy-gateway";

/// Something that scales one workload.
#[derive(Clone, Debug)]
pub(crate) struct Autoscaler<'a> {
    /// The object that defines it.
    pub of: Applied<'a>,
    /// Its path in that object.
    pub pointer: Pointer,
    /// The workload that it scales.
    pub target: Workload,
    /// Its name in messages.
    pub what: String,
    /// Whether Envoy Gateway creates it from an EnvoyProxy. It then doesn't set the number of replicas itself.
    pub is_own: bool,
}

/// Everything that scales a workload: ScaledObjects, HorizontalPodAutoscalers, and those that EnvoyProxies and the
/// values of the chart define.
pub(crate) fn autoscalers<'a>(context: &LintContext<'a>) -> Vec<Autoscaler<'a>> {
    let mut all = Vec::new();
    for front in context.fronts() {
        let place = front.infra.place(&["envoyHpa"]);
        let (Some((proxy, pointer)), Some(target)) = (place, front.workload()) else {
            continue;
        };
        all.push(Autoscaler {
            of: Applied {
                object: proxy,
                ..front.gateway
            },
            pointer,
            target,
            what: format!("`envoyHpa` of the EnvoyProxy {}", proxy.name()),
            is_own: true,
        });
    }
    for release in context.releases(CHART) {
        let path = ["spec", "values", "hpa", "enabled"];
        let is_on = release.object.node.path(&path).map(Node::to_json) == Some(true.into());
        if is_on {
            all.push(Autoscaler {
                of: release,
                pointer: path
                    .iter()
                    .fold(Pointer::root(), |pointer, key| pointer.key(*key)),
                target: Workload {
                    kind: "Deployment",
                    namespace: release_namespace(release.object).to_owned(),
                    name: CONTROLLER.to_owned(),
                },
                what: format!("`hpa` in the values of {}", release.object.identity()),
                is_own: false,
            });
        }
    }
    let pointer = Pointer::root()
        .key("spec")
        .key("scaleTargetRef")
        .key("name");
    for (group, kind) in [
        ("keda.sh", "ScaledObject"),
        ("autoscaling", "HorizontalPodAutoscaler"),
    ] {
        for of in context.of_kind(group, kind) {
            let wanted = text(of.object, &["spec", "scaleTargetRef", "kind"]);
            if !matches!(wanted, "" | "Deployment") {
                continue;
            }
            all.push(Autoscaler {
                of,
                pointer: pointer.clone(),
                target: Workload {
                    kind: "Deployment",
                    namespace: of.object.namespace().to_owned(),
                    name: text(of.object, &["spec", "scaleTargetRef", "name"]).to_owned(),
                },
                what: of.object.identity().to_string(),
                is_own: false,
            });
        }
    }
    all.retain(|autoscaler| {
        let target = &autoscaler.target;
        !target.name.is_empty()
            && !variable::in_text(&target.name)
            && !variable::in_text(&target.namespace)
    });
    all
}

#[cfg(test)]
pub mod tests {
    use crate::lint::support::{FRONT, found_in, found_with_front};

    /// A ScaledObject.
    pub fn scaled(name: &str, target: &str, rest: &str) -> String {
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

    /// The gateway without a fixed number of replicas.
    pub fn unfixed() -> String {
        FRONT.replace("envoyDeployment: {replicas: 2}", "envoyService: {}")
    }

    #[test]
    fn a_deployment_has_one_autoscaler_and_no_fixed_number() {
        let one = scaled("a", "external", "");
        assert_eq!(found_in(&format!("{}{one}\n", unfixed())), [""; 0]);
        assert_eq!(
            found_in(&format!(
                "{}{one}{}\n",
                unfixed(),
                scaled("b", "external", "")
            )),
            [
                "error keda/two-autoscalers b.yaml:5 ScaledObject network/a and ScaledObject network/b scale the same Deployment, external"
            ]
        );
        assert_eq!(
            found_with_front(&[&one]),
            [
                "warning keda/fixed-replicas front.yaml:23 the proxies of external have fixed replicas and are scaled"
            ]
        );
        let own = FRONT.replace("replicas: 2}", "replicas: 2}, envoyHpa: {maxReplicas: 3}");
        assert_eq!(
            found_in(&format!("{own}\n")),
            [
                "note keda/fixed-replicas front.yaml:23 the proxies of external have fixed replicas and are scaled"
            ]
        );
        let own = unfixed().replace("envoyService: {}", "envoyHpa: {maxReplicas: 3}");
        assert_eq!(
            found_in(&format!("{own}{one}\n")),
            [
                "error keda/two-autoscalers a.yaml:5 `envoyHpa` of the EnvoyProxy envoy and ScaledObject network/a scale the same Deployment, external"
            ]
        );
        let controller = unfixed().replace("values: {", "values: {hpa: {enabled: true}, ");
        assert_eq!(
            found_in(&format!(
                "{controller}{}\n",
                scaled("a", "envoy-gateway", "")
            )),
            [
                "error keda/two-autoscalers a.yaml:5 `hpa` in the values of HelmRelease network/envoy-gateway and ScaledObject network/a scale the same Deployment, envoy-gateway"
            ]
        );
    }
}
