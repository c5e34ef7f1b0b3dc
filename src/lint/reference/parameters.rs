//! GatewayClasses and Gateways that don't get the settings that they refer to.

use std::collections::BTreeSet;

use super::instead::{Instead, instead};
use crate::lint::LintContext;
use crate::lint::attachment::cluster::{is_known, is_walked};
use envoy_gateway::Resolved;
use envoy_gateway::controller::DeployMode;
use envoy_gateway::envoy_config::parameters::{Parameters, wrong_parameters};
use envoy_gateway::index::{ENVOY_GATEWAY, Key};
use envoy_gateway::read::text;
use envoy_gateway::view::ClassId;
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::value::path::nearest;
use manifest::{Object, finding};

manifest::code! {
    "reference"/"parameters", Error, "A GatewayClass or Gateway that doesn't get the settings that it refers to.",
    r#"
A GatewayClass refers to its EnvoyProxy with `parametersRef`: by group, kind, name and namespace. Without a namespace
Envoy Gateway looks in the namespace `default`. An EnvoyProxy with `mergeGateways` can't be used where the controller
creates the proxies in the namespace of each gateway. In these cases the controller refuses the class
(`InvalidParameters`), and its gateways don't get the settings of the EnvoyProxy. The same happens if no EnvoyProxy has
that name in that namespace. A Gateway refers to one with `infrastructure.parametersRef`, always in its own namespace.

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
        let class = resolved.class(class)?;
        let object = match wrong {
            Parameters::MergesInGatewayNamespace => class.proxy?,
            _ => class.object?,
        };
        Some((object, report(object, &wrong)))
    });
    found.chain(absent(context, resolved)).collect()
}

/// Finds the classes and gateways whose EnvoyProxy doesn't exist, but is there in another namespace or under a similar
/// name.
fn absent<'a>(context: &LintContext<'_>, resolved: &Resolved<'a>) -> Vec<(&'a Object, Diagnostic)> {
    let proxies = resolved.proxies().iter();
    let proxies: BTreeSet<Key<'_>> = proxies.map(|it| Key::of(it.object)).collect();
    let of_class: &[&'static str] = &["spec", "parametersRef"];
    let of_gateway: &[&'static str] = &["spec", "infrastructure", "parametersRef"];
    let classes = resolved.classes().iter().filter(|it| it.proxy.is_none());
    let classes = classes.filter_map(|it| Some((it.object?, of_class)));
    let gateways = resolved.gateways().iter();
    let gateways = gateways.filter(|it| it.class.is_some() && it.proxy.is_none());
    let gateways = gateways.map(|it| (it.object, of_gateway));
    let all = classes.chain(gateways);
    let found =
        all.filter_map(|(object, path)| Some((object, no_proxy(context, object, path, &proxies)?)));
    found.collect()
}

fn no_proxy(
    context: &LintContext<'_>,
    object: &Object,
    path: &[&'static str],
    proxies: &BTreeSet<Key<'_>>,
) -> Option<Diagnostic> {
    let reference = object.node.path(path)?;
    let field = |key: &str| text(reference, &[key]).unwrap_or_default();
    let is_class = object.kind() == "GatewayClass";
    let key = Key {
        namespace: if is_class {
            field("namespace")
        } else {
            object.namespace()
        },
        name: field("name"),
    };
    let is_proxy = (field("group"), field("kind")) == (ENVOY_GATEWAY, "EnvoyProxy");
    let is_unknown = |it: &Key<'_>| !is_known(it.namespace) || !is_known(it.name);
    let is_sure = is_proxy && !is_unknown(&key) && is_walked(context, object);
    if !is_sure || proxies.contains(&key) || proxies.iter().any(is_unknown) {
        return None;
    }
    let (key_at_fault, help) = match instead(key, proxies)? {
        Instead::Named(name) => ("name", format!("write `{name}`")),
        Instead::In(namespace) if is_class => (
            "namespace",
            format!("write `namespace: {namespace}`, where the EnvoyProxy is"),
        ),
        Instead::In(namespace) => (
            "name",
            format!(
                "a Gateway can only refer to an EnvoyProxy of its own namespace; move the one in `{namespace}` to `{}`",
                key.namespace
            ),
        ),
    };
    let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
    let message = format!("there is no EnvoyProxy {key}");
    let whose = if is_class {
        "the class, and none of its gateways"
    } else {
        "the gateway, which doesn't"
    };
    Some(
        finding(CODE, object, &pointer.key(key_at_fault), message)
            .why(format!(
                "the controller refuses {whose} gets the settings of the EnvoyProxy"
            ))
            .help(help),
    )
}

/// Whether the nearest controller creates the proxies in the namespace of each gateway.
fn is_in_gateway_namespace(context: &LintContext<'_>, class: &Object) -> bool {
    let releases = nearest(&class.file, context.controllers(), |it| &it.release.file);
    let mut modes = releases.iter().map(|it| it.deploy_mode());
    !releases.is_empty() && modes.all(|mode| mode == Some(DeployMode::GatewayNamespace))
}

fn report(object: &Object, wrong: &Parameters) -> Diagnostic {
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
            "the gateways can't be merged, because the controller creates the proxies in the namespace of each gateway",
            "remove `mergeGateways`, or `provider.kubernetes.deploy.type: GatewayNamespace` from the controller's values (in cluster.toml: `chart.deploy = \"ControllerNamespace\"`)",
        ),
    };
    let spec = Pointer::root().key("spec");
    let pointer = match wrong {
        Parameters::MergesInGatewayNamespace => spec.key("mergeGateways"),
        _ => spec.key("parametersRef"),
    };
    finding(CODE, object, &pointer, message)
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
        let proxy = "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: envoy, namespace: network}
";
        let named = |name: &str, namespace: &str| {
            let reference = format!(
                "group: gateway.envoyproxy.io, kind: EnvoyProxy, name: {name}, namespace: {namespace}"
            );
            let class = CLASS.replace(
                "gatewayclass-controller}",
                &format!("gatewayclass-controller, parametersRef: {{{reference}}}}}"),
            );
            said(&format!("{class}{proxy}"))
        };
        assert_eq!(named("envoy", "network"), [""; 0]);
        assert_eq!(
            named("envoy", "default"),
            [
                "reference/parameters /spec/parametersRef/namespace: there is no EnvoyProxy default/envoy (write `namespace: \
              network`, where the EnvoyProxy is)"
            ]
        );
        assert_eq!(
            named("envoi", "network"),
            [
                "reference/parameters /spec/parametersRef/name: there is no EnvoyProxy network/envoi (write `envoy`)"
            ]
        );
    }
}
