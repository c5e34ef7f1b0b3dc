//! Autoscalers for Deployments that Envoy Gateway doesn't create.

use super::autoscalers::{Autoscaler, CONTROLLER};
use crate::lint::LintContext;
use crate::lint::front::{CHART, Front, text};
use crate::model::ObjectInput;
use crate::model::proxy::Proxy;
use envoy_gateway::controller::DeployMode;
use envoy_gateway::proxies::Workload;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "keda"/"unknown-deployment", Error, "An autoscaler for a Deployment that Envoy Gateway doesn't create.",
    r#"
The autoscaler refers to a Deployment that Envoy Gateway doesn't create for any of the gateways. In
`GatewayNamespace` mode, the Deployment has the gateway's name and namespace. In the other mode, which is the
chart's default, it is in the controller's namespace and is named `envoy-NAMESPACE-NAME-HASH`.
`envoyDeployment.name` of an EnvoyProxy sets another name. An autoscaler for a missing Deployment never
becomes ready.

## Wrong

```yaml
# the chart runs in GatewayNamespace mode
kind: ScaledObject
metadata:
  name: envoy-external
  namespace: network
spec:
  scaleTargetRef:
    name: envoy-network-envoy-external-8a5b3c1d
```

## Right

```yaml
kind: ScaledObject
metadata:
  name: envoy-external
  namespace: network
spec:
  scaleTargetRef:
    name: envoy-external
```
"#
}

/// Reports an autoscaler for a gateway's Deployment that doesn't exist.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let fronts = context.fronts();
    let mut found = Vec::new();
    for autoscaler in context
        .autoscalers()
        .iter()
        .filter(|autoscaler| !autoscaler.is_own && autoscaler.of.object.kind() != "HelmRelease")
    {
        let near: Vec<&Front> = fronts
            .iter()
            .filter(|front| context.may_share_cluster(front.gateway.object, autoscaler.of.object))
            .collect();
        // All gateways must be known, because it may be the Deployment of another one.
        let Some(workloads) = near
            .iter()
            .map(|front| front.workload())
            .collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        let target = &autoscaler.target;
        let is_made = target.name == CONTROLLER
            || workloads.iter().any(|made| made == target)
            || is_someone_elses(context, autoscaler);
        if is_made || target.namespace.is_empty() {
            continue;
        }
        let Some(meant) = meant(&near, &workloads, target) else {
            continue;
        };
        // The check of cluster.toml reports it at `kind`.
        let is_in_model = |proxy: &ObjectInput<Proxy>| proxy.values.daemon_set;
        let model = context
            .model
            .filter(|_| autoscaler.of.object.origins.is_some());
        if meant.kind == "DaemonSet" && model.is_some_and(|it| it.proxies.iter().any(is_in_model)) {
            continue;
        }
        found.push(not_made(autoscaler, meant, &near));
    }
    found.extend(of_other_kind(context));
    found
}

/// Reports ScaledObjects for a gateway that name another kind of workload, or the Gateway itself.
fn of_other_kind(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for scaled in context.of_kind("keda.sh", "ScaledObject") {
        let field = |key: &str| text(scaled.object, &["spec", "scaleTargetRef", key]);
        let (kind, name) = (field("kind"), field("name"));
        let namespace = scaled.object.namespace();
        let mut given = context.given_of(kind);
        let is_given = given.any(|it| it.name() == name && it.namespace() == namespace);
        if matches!(kind, "" | "Deployment") || is_given && kind != "Gateway" {
            continue;
        }
        let near = context
            .fronts()
            .iter()
            .filter(|front| context.may_share_cluster(front.gateway.object, scaled.object));
        let mut workloads = near.filter_map(|front| front.workload());
        let meant = workloads.find(|it| it.name == name && it.namespace == namespace);
        let Some(meant) = meant.filter(|it| it.kind != kind) else {
            continue;
        };
        let pointer = Pointer::root()
            .key("spec")
            .key("scaleTargetRef")
            .key("kind");
        let message = format!("the proxies {name} are a {}, not a {kind}", meant.kind);
        found.push(
            finding(CODE, scaled.object, &pointer, message)
                .why("there is nothing to scale, so the autoscaler never becomes ready, and Flux may wait for it")
                .help("remove `apiVersion` and `kind`; without them, the target is a Deployment"),
        );
    }
    found
}

/// Whether another given Deployment or release has that name. Charts name their Deployments after the release.
fn is_someone_elses(context: &LintContext<'_>, autoscaler: &Autoscaler<'_>) -> bool {
    let own: Vec<usize> = context.releases(CHART).map(|one| one.at).collect();
    let deployments = context.of_kind("apps", "Deployment");
    let mut all = deployments.chain(context.of_kind("helm.toolkit.fluxcd.io", "HelmRelease"));
    all.any(|one| {
        !one.object.name().is_empty()
            && autoscaler.target.name.starts_with(one.object.name())
            && one.object.namespace() == autoscaler.target.namespace
            && !own.contains(&one.at)
            && context.may_share_cluster(one.object, autoscaler.of.object)
    })
}

/// The workload that was probably meant: one with the gateway's name, its name in the other mode, or a similar name.
fn meant<'a>(
    fronts: &[&Front<'_>],
    workloads: &'a [Workload],
    target: &Workload,
) -> Option<&'a Workload> {
    let by_gateway = fronts.iter().zip(workloads).find(|(front, made)| {
        let gateway = front.gateway.object;
        let hashed = envoy_gateway::proxies::hashed_deployment(gateway.namespace(), gateway.name());
        let start = hashed.rsplit_once('-').map_or("", |(start, _)| start);
        let is_named = target.name == gateway.name() || target.name == hashed;
        let has_hash = target.name.rsplit_once('-').is_some_and(|(rest, hash)| {
            rest == start && hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let is_there =
            target.namespace == gateway.namespace() || target.namespace == made.namespace;
        is_there && (is_named || has_hash)
    });
    let near = || {
        let names = workloads
            .iter()
            .filter(|made| made.namespace == target.namespace)
            .map(|made| made.name.as_str());
        let name = nearest(&target.name, names).filter(|_| target.name.contains("envoy"))?;
        workloads
            .iter()
            .find(|made| made.name == name && made.namespace == target.namespace)
    };
    // An autoscaler only scales what is in its own namespace.
    let elsewhere = || {
        let mut of_name = workloads.iter().filter(|made| made.name == target.name);
        let is_envoy = target.name.contains("envoy");
        of_name
            .next()
            .filter(|_| is_envoy && of_name.next().is_none())
    };
    by_gateway
        .map(|(_, made)| made)
        .or_else(near)
        .or_else(elsewhere)
}

fn not_made(autoscaler: &Autoscaler<'_>, meant: &Workload, fronts: &[&Front<'_>]) -> Diagnostic {
    let target = &autoscaler.target;
    let message = if meant.name == target.name && meant.kind == target.kind {
        format!(
            "the Deployment {} is in the namespace {}, not in {}",
            target.name, meant.namespace, target.namespace
        )
    } else if meant.kind == "DaemonSet" {
        format!(
            "the proxies are a DaemonSet, so there is no Deployment {}",
            target.name
        )
    } else {
        format!("Envoy Gateway creates no Deployment {}", target.name)
    };
    let mode = fronts.first().and_then(|front| front.deploy_mode.as_ref());
    let mode = match mode {
        Some(DeployMode::GatewayNamespace) => {
            "in GatewayNamespace mode, a gateway's Deployment has the name and the namespace of the gateway"
        }
        _ => {
            "in ControllerNamespace mode, a gateway's Deployment is named `envoy-NAMESPACE-NAME-HASH` and is in the controller's namespace"
        }
    };
    let help = if meant.kind == "DaemonSet" {
        "remove the autoscaler; a DaemonSet has one proxy on each node".to_owned()
    } else {
        format!(
            "scale the Deployment {} in the namespace {}; {mode}",
            meant.name, meant.namespace
        )
    };
    finding(CODE, autoscaler.of.object, &autoscaler.pointer, message)
        .why("there is nothing to scale, so the autoscaler never becomes ready, and Flux may wait for it")
        .help(help)
}

#[cfg(test)]
mod tests {
    use crate::lint::keda::autoscalers::tests::{scaled, unfixed};
    use crate::lint::support::found_in;

    #[test]
    fn the_deployment_that_is_scaled_is_one_that_is_made() {
        let hashed = envoy_gateway::proxies::hashed_deployment("network", "external");
        let says =
            |front: &str, target: &str| found_in(&format!("{front}{}\n", scaled("a", target, "")));
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
}
