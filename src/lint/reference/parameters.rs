//! GatewayClasses that don't get the settings that they refer to.

use crate::lint::LintContext;
use envoy_gateway::Resolved;
use envoy_gateway::controller::DeployMode;
use envoy_gateway::envoy_config::parameters::{Parameters, wrong_parameters};
use envoy_gateway::view::ClassId;
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::value::path::nearest;
use manifest::{Object, finding};

manifest::code! {
    "reference"/"parameters", Error, "A GatewayClass that doesn't get the settings that it refers to.",
    r#"
A GatewayClass refers to its EnvoyProxy with `parametersRef`: by group, kind, name and namespace. Without a namespace
Envoy Gateway looks in the namespace `default`. An EnvoyProxy with `mergeGateways` can't be used where the controller
creates the proxies in the namespace of each gateway. In these cases the controller refuses the class
(`InvalidParameters`), and its gateways don't get the settings of the EnvoyProxy.

## Wrong

```yaml
kind: GatewayClass
spec:
  parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy}
```

## Right

```yaml
kind: GatewayClass
spec:
  parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: network}
```
"#
}

/// Finds the classes with such a reference.
pub(crate) fn check<'a>(
    context: &LintContext<'_>,
    resolved: &Resolved<'a>,
) -> Vec<(&'a Object, Diagnostic)> {
    let in_gateway_namespace = |class: ClassId| {
        let object = resolved.class(class).and_then(|it| it.object);
        object.is_some_and(|object| is_in_gateway_namespace(context, object))
    };
    let classes = wrong_parameters(resolved, in_gateway_namespace).into_iter();
    let found = classes.filter_map(|(class, wrong)| {
        let object = resolved.class(class)?.object?;
        Some((object, report(object, &wrong)))
    });
    found.collect()
}

/// Whether the nearest controller creates the proxies in the namespace of each gateway.
fn is_in_gateway_namespace(context: &LintContext<'_>, class: &Object) -> bool {
    let releases = nearest(&class.file, context.controllers(), |it| &it.release.file);
    let mut modes = releases.iter().map(|it| it.deploy_mode());
    !releases.is_empty() && modes.all(|mode| mode == Some(DeployMode::GatewayNamespace))
}

fn report(class: &Object, wrong: &Parameters) -> Diagnostic {
    let (message, help) = match wrong {
        Parameters::NoEnvoyProxy => (
            "`parametersRef` doesn't refer to an EnvoyProxy",
            "write `group: gateway.envoyproxy.io` and `kind: EnvoyProxy`",
        ),
        Parameters::WithoutNamespace => (
            "`parametersRef` has no namespace, so Envoy Gateway looks for the EnvoyProxy in the namespace `default`",
            "add the `namespace` of the EnvoyProxy",
        ),
        Parameters::MergesInGatewayNamespace => (
            "the EnvoyProxy has `mergeGateways`, and the controller creates the proxies in the namespace of each gateway",
            "remove `mergeGateways`, or the controller's `provider.kubernetes.deploy.type: GatewayNamespace`",
        ),
    };
    let pointer = Pointer::root().key("spec").key("parametersRef");
    finding(CODE, class, &pointer, message)
        .why("the controller refuses the class, and none of its gateways gets the settings of the EnvoyProxy")
        .help(help)
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::said;
    use crate::lint::envoy::support::CLASS;

    fn with(reference: &str) -> Vec<String> {
        said(&CLASS.replace(
            "gatewayclass-controller}",
            &format!("gatewayclass-controller, parametersRef: {{{reference}}}}}"),
        ))
    }

    #[test]
    fn a_reference_without_namespace_or_to_another_kind_is_told() {
        assert_eq!(
            with("group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy"),
            [
                "reference/parameters /spec/parametersRef: `parametersRef` has no namespace, so Envoy Gateway looks for the \
                 EnvoyProxy in the namespace `default` (add the `namespace` of the EnvoyProxy)"
            ]
        );
        assert_eq!(
            with(
                "group: config.gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: network"
            ),
            [
                "reference/parameters /spec/parametersRef: `parametersRef` doesn't refer to an EnvoyProxy (write `group: \
                 gateway.envoyproxy.io` and `kind: EnvoyProxy`)"
            ]
        );
        assert_eq!(
            with("group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: network"),
            [""; 0]
        );
    }
}
