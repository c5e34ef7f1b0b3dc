//! GatewayClasses for a controller that doesn't exist.

use crate::lint::front::{GATEWAY_API, text};
use crate::lint::reference::names::is_sure;
use crate::lint::{Applied, LintContext};
use envoy_gateway::class::{CONTROLLER, DEFAULT_CONTROLLER};
use envoy_gateway::controller::Setting;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::misspelt;
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "reference"/"unknown-controller", Error, "A GatewayClass whose controller has another name.",
    r#"
Envoy Gateway takes care of a GatewayClass only if `controllerName` is exactly its own name. That is
`gateway.envoyproxy.io/gatewayclass-controller`, unless `config.envoyGateway.gateway.controllerName` in the values of
the chart says otherwise. A class with a similar name is nobody's: its gateways get no address and no proxy.

## Wrong

```yaml
kind: GatewayClass
spec: {controllerName: gateway.envoyproxy.io/gateway-controller}
```

## Right

```yaml
kind: GatewayClass
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
```
"#
}

/// Reports classes of no controller.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let classes = context.of_kind(GATEWAY_API, "GatewayClass");
    classes
        .filter_map(|class| nobodys(context, &class))
        .collect()
}

fn nobodys(context: &LintContext<'_>, class: &Applied<'_>) -> Option<Diagnostic> {
    let name = text(class.object, &["spec", "controllerName"]);
    let suffix = DEFAULT_CONTROLLER.strip_prefix(CONTROLLER)?;
    let is_meant = name.starts_with(CONTROLLER)
        || name.rsplit('/').next() == Some(suffix)
        || misspelt(name, [DEFAULT_CONTROLLER]).is_some();
    let is_default = name == DEFAULT_CONTROLLER;
    if !is_meant || is_default || variable::in_text(name) || !is_sure(context, class) {
        return None;
    }
    let mut releases = context
        .controllers()
        .iter()
        .filter(|it| context.may_share_cluster(it.release, class.object))
        .peekable();
    // Without the controller's values, its name may be any in its own group.
    if releases.peek().is_none() && name.starts_with(CONTROLLER) {
        return None;
    }
    if !releases.all(|it| match it.setting(&["gateway", "controllerName"]) {
        Setting::Unset => true,
        Setting::Given(node, _) => node.as_str().is_some_and(|own| own != name),
        Setting::Unknown => false,
    }) {
        return None;
    }
    let place = Pointer::root().key("spec").key("controllerName");
    let message = format!("no controller is called `{name}`");
    Some(
        finding(CODE, class.object, &place, message)
            .why("nothing takes care of the class: its gateways get no address and no proxy")
            .help(format!(
                "write `{DEFAULT_CONTROLLER}`, or the name in the values of Envoy Gateway's chart"
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn the_controller_has_one_name() {
        let with = |name: &str, values: &str| {
            let text = format!(
                "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: envoy-gateway, namespace: network}}
spec: {{url: oci://docker.io/envoyproxy/gateway-helm, ref: {{tag: v1.9.0}}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: envoy-gateway, namespace: network}}
spec: {{chartRef: {{kind: OCIRepository, name: envoy-gateway}}, values: {{{values}}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy}}
spec: {{controllerName: {name}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        let own =
            "config: {envoyGateway: {gateway: {controllerName: gateway.envoyproxy.io/internal}}}";
        assert_eq!(
            with("gateway.envoyproxy.io/gatewayclass-controller", ""),
            [""; 0]
        );
        assert_eq!(with("gateway.envoyproxy.io/internal", own), [""; 0]);
        assert_eq!(with("istio.io/gateway-controller", ""), [""; 0]);
        for wrong in [
            "gateway.envoyproxy.io/gatewayclass-contoller",
            "gateway.networking.k8s.io/gatewayclass-controller",
        ] {
            assert_eq!(
                with(wrong, ""),
                [format!(
                    "error reference/unknown-controller /spec/controllerName: no controller is called `{wrong}`"
                )]
            );
        }
    }
}
