//! Patches of the proxies' Pods for a container that they don't have.

use crate::lint::LintContext;
use crate::lint::field;
use crate::lint::front::ENVOY_GATEWAY;
use envoy_gateway::read::{has, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, variable};
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"unknown-container", Error, "A patch for a container that the proxies' Pods don't have.",
    r#"
The Pods of the proxies have the containers `envoy` and `shutdown-manager`. A strategic merge patch joins containers by
their names: an entry with another name is a container of its own, and Kubernetes refuses a container without `image`.

## Wrong

```yaml
patch:
  type: StrategicMerge
  value: {spec: {template: {spec: {containers: [{name: proxy, securityContext: {runAsUser: 1000}}]}}}}
```

## Right

```yaml
patch:
  type: StrategicMerge
  value: {spec: {template: {spec: {containers: [{name: envoy, securityContext: {runAsUser: 1000}}]}}}}
```
"#
}

/// The containers of a proxy's Pod (Envoy Gateway 1.5 to 1.9).
const CONTAINERS: [&str; 2] = ["envoy", "shutdown-manager"];

/// Reports containers without an image in patches of EnvoyProxies.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let proxies = context.of_kind(ENVOY_GATEWAY, "EnvoyProxy");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in proxies.flat_map(|proxy| unknown(proxy.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn unknown(proxy: &Object) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for key in ["envoyDeployment", "envoyDaemonSet"] {
        let path =
            format!("spec.provider.kubernetes.{key}.patch.value.spec.template.spec.containers");
        for place in field::find(&proxy.node, &path) {
            let containers = proxy
                .node
                .at(&place)
                .and_then(Node::as_list)
                .unwrap_or_default();
            for (at, container) in containers.iter().enumerate() {
                let name = text(container, &["name"]).unwrap_or_default();
                let is_odd = has(container, &["image"])
                    || has(container, &["$patch"])
                    || variable::in_text(name);
                if is_odd || CONTAINERS.contains(&name) || name.is_empty() {
                    continue;
                }
                let message = format!("the Pods of the proxies have no container `{name}`");
                found.push(
                    finding(CODE, proxy, &place.index(at).key("name"), message)
                        .why("the patch adds a container without an image, so Kubernetes refuses the Deployment, and the proxies don't change or never start")
                        .help("write `name: envoy`, or give a container of your own an `image`"),
                );
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_patch_is_for_a_container_that_is_there() {
        let says = |container: &str| {
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: a, namespace: network}}
spec: {{provider: {{kubernetes: {{envoyDeployment: {{patch: {{value: {{spec: {{template: {{spec: {{containers: [{{{container}}}]}}}}}}}}}}}}}}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(says("name: envoy, tty: true"), [""; 0]);
        assert_eq!(says("name: sidecar, image: example.com/a"), [""; 0]);
        assert_eq!(
            says("name: proxy, tty: true"),
            [
                "error envoy/unknown-container /spec/provider/kubernetes/envoyDeployment/patch/value/spec/template/spec/containers/0/name: the Pods of the proxies have no container `proxy`"
            ]
        );
    }
}
