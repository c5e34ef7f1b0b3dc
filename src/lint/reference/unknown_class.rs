//! Gateways of a class that doesn't exist.

use super::names::{is_sure, meant};
use crate::lint::front::{CHART, ENVOY_GATEWAY, GATEWAY_API, text};
use crate::lint::words::any_text;
use crate::lint::{Applied, LintContext};
use envoy_gateway::class::CONTROLLER;
use manifest::diagnostic::suggest::slip;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "reference"/"unknown-class", Error, "A gateway of a class that doesn't exist.",
    r#"
No controller takes care of a gateway whose GatewayClass doesn't exist: it gets no address, no proxy and no
status. This is reported if GatewayClasses of Envoy Gateway are among the manifests, but none with that name,
and if the name is not that of a class that another controller brings along (`cilium`, `istio`, and others).

## Wrong

```yaml
kind: GatewayClass
metadata: {name: envoy-internal}
---
kind: Gateway
spec: {gatewayClassName: envoy}
```

## Right

```yaml
kind: GatewayClass
metadata: {name: envoy-internal}
---
kind: Gateway
spec: {gatewayClassName: envoy-internal}
```
"#
}

/// The beginnings of names of classes that other controllers create by themselves.
const OTHERS: [&str; 17] = [
    "amazon",
    "alb",
    "azure",
    "cilium",
    "contour",
    "gke",
    "gloo",
    "haproxy",
    "istio",
    "kgateway",
    "kong",
    "linkerd",
    "nginx",
    "ngrok",
    "tailscale",
    "traefik",
    "agentgateway",
];

/// Reports gateways whose class is not among the given ones.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let classes: Vec<Applied<'_>> = context.of_kind(GATEWAY_API, "GatewayClass").collect();
    let gateways = context.of_kind(GATEWAY_API, "Gateway");
    gateways
        .filter_map(|gateway| unknown(context, &classes, &gateway))
        .collect()
}

fn unknown(
    context: &LintContext<'_>,
    classes: &[Applied<'_>],
    gateway: &Applied<'_>,
) -> Option<Diagnostic> {
    let object = gateway.object;
    let wanted = text(object, &["spec", "gatewayClassName"]);
    if wanted.is_empty() || variable::in_text(wanted) || !is_sure(context, gateway) {
        return None;
    }
    let near = classes
        .iter()
        .filter(|it| context.may_share_cluster(it.object, object));
    let is_it = |name: &str| name == wanted || variable::in_text(name) || name.is_empty();
    if near.clone().any(|it| is_it(it.object.name())) || is_of_others(context, gateway, wanted) {
        return None;
    }
    let ours =
        near.filter(|it| text(it.object, &["spec", "controllerName"]).starts_with(CONTROLLER));
    let ours: Vec<&Applied<'_>> = ours.collect();
    let place = Pointer::root().key("spec").key("gatewayClassName");
    let found = finding(
        CODE,
        object,
        &place,
        format!("there is no GatewayClass `{wanted}`"),
    )
    .why("no controller takes care of the gateway: it gets no address and no proxy");
    if ours.is_empty() {
        if let Some(meant) = slipped(context, object, wanted) {
            return Some(
                found
                    .severity(Severity::Warning)
                    .help(format!("did you mean `{meant}`?")),
            );
        }
        return installs_controller(context, gateway).then(|| {
            found.severity(Severity::Warning).help(format!(
                "add a GatewayClass `{wanted}` with `controllerName: gateway.envoyproxy.io/gatewayclass-controller`; the chart creates none"
            ))
        });
    }
    if ours.iter().any(|it| !is_sure(context, it)) {
        return None;
    }
    let names: Vec<&str> = ours.iter().map(|it| it.object.name()).collect();
    let (first, place) = (ours.first()?, Pointer::root().key("metadata").key("name"));
    Some(
        found
            .help(meant(wanted, &names))
            .related(first.object.span(&place), "a GatewayClass that exists"),
    )
}

/// The class of another controller of which a name is a slip: one that controllers bring along, or that several other
/// gateways have.
fn slipped<'a>(context: &LintContext<'a>, gateway: &Object, wanted: &str) -> Option<&'a str> {
    let gateways = context.of_kind(GATEWAY_API, "Gateway");
    let classes = gateways
        .filter(|it| context.may_share_cluster(it.object, gateway))
        .map(|it| text(it.object, &["spec", "gatewayClassName"]));
    let classes: Vec<&str> = classes.collect();
    // A name that several gateways have is no slip.
    let is_often = |name: &str| classes.iter().filter(|class| **class == name).count() > 1;
    if is_often(wanted) {
        return None;
    }
    let often = classes.iter().copied().filter(|class| is_often(class));
    slip(wanted, often.chain(OTHERS).filter(|it| *it != wanted))
}

/// Whether the class may be that of another controller: its name is that of a known one, or that of an installed chart,
/// or a chart's values contain a GatewayClass.
fn is_of_others(context: &LintContext<'_>, gateway: &Applied<'_>, wanted: &str) -> bool {
    // A further letter is a misspelling; `istio-remote` is another class of the same controller.
    let is_name_of = |other: &str| {
        let rest = wanted.strip_prefix(other);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
    };
    if OTHERS.iter().any(|other| is_name_of(other)) {
        return true;
    }
    let own: Vec<usize> = context.releases(CHART).map(|one| one.at).collect();
    let mut releases = context
        .of_kind("helm.toolkit.fluxcd.io", "HelmRelease")
        .filter(|it| !own.contains(&it.at) && context.may_share_cluster(it.object, gateway.object));
    releases.any(|it| {
        let is_class = &mut |text: &str| text.contains("GatewayClass") || text == wanted;
        it.object.name().contains(wanted) || any_text(&it.object.node, is_class)
    })
}

/// Whether a given release installs Envoy Gateway in the gateway's cluster, and the gateway seems to belong to it.
fn installs_controller(context: &LintContext<'_>, gateway: &Applied<'_>) -> bool {
    let object = gateway.object;
    let group = ["spec", "infrastructure", "parametersRef", "group"];
    let is_ours = text(object, &["spec", "gatewayClassName"]).contains("envoy")
        || text(object, &group) == ENVOY_GATEWAY;
    let mut releases = context.controllers().iter();
    is_ours && releases.any(|it| context.may_share_cluster(it.release, object))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn with(class: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy-internal}}
spec: {{controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: internal, namespace: network}}
spec: {{gatewayClassName: {class}, listeners: []}}
"
        );
        told(check, "1.9.0", &[("a.yaml", &text)])
    }

    #[test]
    fn a_class_that_does_not_exist_is_told() {
        assert_eq!(
            with("envoy"),
            [
                "error reference/unknown-class /spec/gatewayClassName: there is no GatewayClass `envoy`"
            ]
        );
        for silent in ["envoy-internal", "cilium", "istio-remote", "'${CLASS}'"] {
            assert_eq!(with(silent), [""; 0], "{silent}");
        }
        assert_eq!(with("ciliumx").len(), 1);
    }

    #[test]
    fn a_slip_in_the_class_of_another_controller_is_told() {
        let with = |class: &str| {
            let gateway = |name: &str, class: &str| {
                format!(
                    "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: network}}
spec: {{gatewayClassName: {class}, listeners: []}}
"
                )
            };
            let known = gateway("a", "company-gateways") + &gateway("b", "company-gateways");
            let text = known + &gateway("c", class);
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        let place =
            "warning reference/unknown-class /spec/gatewayClassName: there is no GatewayClass";
        assert_eq!(with("ciluim"), [format!("{place} `ciluim`")]);
        assert_eq!(
            with("compnay-gateways"),
            [format!("{place} `compnay-gateways`")]
        );
        for right in ["cilium", "istio-remote", "company-gateways", "other"] {
            assert_eq!(with(right), [""; 0], "{right}");
        }
    }
}
