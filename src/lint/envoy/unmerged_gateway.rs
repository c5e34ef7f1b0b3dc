//! `mergeGateways` in an EnvoyProxy of a single gateway.

use crate::lint::LintContext;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "envoy"/"unmerged-gateway", Warning, "A gateway that is to be merged by an EnvoyProxy of its own.",
    r#"
`mergeGateways` puts all gateways of a class onto the same proxies. Envoy Gateway reads it only from the EnvoyProxy to
which the GatewayClass refers (`parametersRef`). In the EnvoyProxy of a single gateway it has no effect: the gateway
keeps proxies and an address of its own.

## Wrong

```yaml
kind: Gateway
spec: { infrastructure: { parametersRef: { group: gateway.envoyproxy.io, kind: EnvoyProxy, name: merged } } }
```

## Right

```yaml
kind: GatewayClass
spec: { parametersRef: { group: gateway.envoyproxy.io, kind: EnvoyProxy, name: merged, namespace: network } }
```
"#
}

/// Reports EnvoyProxies of gateways with the setting, if they are not those of a class, too.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for front in context.fronts() {
        let Some(reference) =
            front
                .gateway
                .object
                .node
                .path(&["spec", "infrastructure", "parametersRef"])
        else {
            continue;
        };
        let name = reference.get("name").and_then(Node::as_str);
        let of_gateway = front.infra.proxies.iter().find(|proxy| {
            Some(proxy.name()) == name && proxy.namespace() == front.gateway.object.namespace()
        });
        let place = Pointer::root().key("spec").key("mergeGateways");
        let Some(proxy) =
            of_gateway.filter(|it| it.node.at(&place).and_then(Node::as_bool) == Some(true))
        else {
            continue;
        };
        let classes = context.of_kind(crate::lint::front::GATEWAY_API, "GatewayClass");
        let mut classes = classes.filter(|it| context.may_share_cluster(it.object, proxy));
        if classes.any(|it| {
            let named = it.object.node.path(&["spec", "parametersRef", "name"]);
            named.and_then(Node::as_str) == name
        }) {
            continue;
        }
        let message = format!(
            "`mergeGateways` has no effect for the gateway {}",
            front.gateway.object.name()
        );
        let one = finding(CODE, proxy, &place, message)
            .why("Envoy Gateway only reads it from the EnvoyProxy of a GatewayClass, so the gateway keeps proxies and an address of its own")
            .help("refer to this EnvoyProxy in `spec.parametersRef` of the GatewayClass instead");
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn only_a_class_merges_its_gateways() {
        let says = |class: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy}}
spec: {{controllerName: gateway.envoyproxy.io/gatewayclass-controller{class}}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: merged, namespace: network}}
spec: {{mergeGateways: true}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: external, namespace: network}}
spec:
  gatewayClassName: envoy
  infrastructure: {{parametersRef: {{group: gateway.envoyproxy.io, kind: EnvoyProxy, name: merged}}}}
  listeners: [{{name: http, port: 80, protocol: HTTP}}]
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            says(""),
            [
                "warning envoy/unmerged-gateway /spec/mergeGateways: `mergeGateways` has no effect for the gateway external"
            ]
        );
        let class = ", parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: merged, namespace: network}";
        assert_eq!(says(class), [""; 0]);
    }
}
