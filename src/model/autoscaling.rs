//! ScaledObjects.

use serde::Serialize;

use super::Laid;
use super::gateway::Gateway;
use super::names::{self, Rule};
use super::proxy::Proxy;
use super::route::unknown_gateway;
use crate::codes;
use crate::config::autoscaling::{Autoscaling as Table, Fallback, Prometheus, Scaled};
use crate::config::chart::Deploy;
use crate::config::proxy::Workload;
use crate::config::types::Overlay;
use crate::config::{Cluster, Count, Text};
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::Node;
use manifest::value::merge::merge;

/// The ScaledObjects, and whether the kustomization lists them.
#[derive(Clone, Debug, Default)]
pub struct Autoscaling {
    /// `false`: the file is written and not applied.
    pub listed: bool,
    /// The ScaledObjects.
    pub objects: Vec<Laid<ScaledObject>>,
}

/// A ScaledObject, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct ScaledObject {
    /// Its name: the gateway's, or the chart's.
    pub name: Text,
    /// The Deployment.
    pub deployment: Text,
    /// The fewest replicas.
    pub min: Spanned<Count>,
    /// The most replicas.
    pub max: Spanned<Count>,
    /// Seconds from the last active trigger to scaling down to the minimum.
    pub cooldown: Option<Spanned<Count>>,
    /// What happens when a trigger can't be read.
    pub fallback: Option<Fallback>,
    /// A trigger on a Prometheus query.
    pub prometheus: Option<Prometheus>,
    /// Further triggers.
    pub triggers: Vec<Node>,
}

/// The name that the `gateway-helm` chart gives the controller's Deployment, whatever the release is called.
const CONTROLLER: &str = "envoy-gateway";

/// The ScaledObjects of the controller and the proxies.
pub fn build(
    cluster: &Cluster,
    gateways: &[Laid<Gateway>],
    proxies: &[Laid<Proxy>],
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Autoscaling {
    let Some(table) = &cluster.autoscaling else {
        return Autoscaling::default();
    };
    let listed = table.listed.as_ref().is_none_or(|listed| listed.value);
    let is_on = |own: Option<&Scaled>| {
        own.and_then(|own| own.enabled.as_ref())
            .is_none_or(|enabled| enabled.value)
    };
    let mut objects = Vec::new();
    if let Some(own) = table.controller.as_ref().filter(|own| is_on(Some(own))) {
        let name = Spanned::unwritten(CONTROLLER.to_owned());
        objects.push(scaled(table, Some(own), &name, &name, problems));
    }
    let known: Vec<&str> = gateways
        .iter()
        .map(|gateway| gateway.of.name.as_str())
        .collect();
    for (name, _) in table.gateways.iter() {
        if !known.contains(&name.as_str()) {
            problems.push(unknown_gateway(name, &known));
        }
    }
    let all = table.proxies.as_ref().is_none_or(|proxies| proxies.value);
    for gateway in gateways {
        let name = &gateway.of.name;
        let own = table
            .gateways
            .iter()
            .find(|(there, _)| there.value == name.value);
        let own = own.map(|(_, own)| own);
        if !is_on(own) || (own.is_none() && !all) {
            continue;
        }
        let proxy = proxies
            .iter()
            .find(|proxy| {
                proxy
                    .of
                    .gateway
                    .as_ref()
                    .is_some_and(|own| own.value == name.value)
            })
            .or_else(|| proxies.iter().find(|proxy| proxy.of.gateway.is_none()));
        let place = own
            .and_then(|own| own.min.as_ref().or(own.max.as_ref()))
            .and_then(|min| min.span);
        if let Some(proxy) = proxy.filter(|_| listed) {
            check_proxy(
                &proxy.of,
                name,
                place.or(table.max.as_ref().and_then(|max| max.span)),
                problems,
            );
        }
        let deployment = deployment(cluster, proxy.map(|proxy| &proxy.of), namespace, name);
        objects.push(scaled(table, own, name, &deployment, problems));
    }
    Autoscaling { listed, objects }
}

/// The Deployment that Envoy Gateway makes for a gateway, in the deploy mode in use.
fn deployment(cluster: &Cluster, proxy: Option<&Proxy>, namespace: &Text, gateway: &Text) -> Text {
    let own_name = proxy
        .and_then(|proxy| proxy.set.spec.as_ref())
        .and_then(|spec| spec.path(&["provider", "kubernetes", "envoyDeployment", "name"]))
        .and_then(|name| Some(Spanned::new(name.as_str()?.to_owned(), name.span)));
    let deploy = cluster
        .chart
        .deploy
        .as_ref()
        .map(|deploy| deploy.value)
        .unwrap_or_default();
    match (own_name, deploy) {
        (Some(name), _) => name,
        (None, Deploy::GatewayNamespace) => gateway.clone(),
        (None, Deploy::ControllerNamespace) => {
            gateway.with(names::hashed_deployment(namespace, gateway))
        }
    }
}

fn check_proxy(
    proxy: &Proxy,
    gateway: &Text,
    scaled: Option<manifest::diagnostic::Span>,
    problems: &mut Vec<Diagnostic>,
) {
    if let Some(replicas) = proxy.set.replicas.as_ref().filter(|_| !proxy.daemon_set) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                format!(
                    "the proxies of {} have fixed replicas and are scaled",
                    gateway.value
                ),
            )
            .at(replicas.span)
            .related(scaled, "scaled here")
            .why("Envoy Gateway sets the number back each time that KEDA changes it")
            .help("take `replicas` out, or say `enabled = false` in the gateway's autoscaling"),
        );
    }
    if proxy.daemon_set {
        problems.push(
            Diagnostic::new(codes::CONFIG_CONTRADICTION, format!("the proxies of {} are a DaemonSet and are scaled", gateway.value))
                .at(proxy.set.kind.as_ref().filter(|kind| kind.value == Workload::DaemonSet).and_then(|kind| kind.span))
                .related(scaled, "scaled here")
                .why("KEDA finds no Deployment of that name: the ScaledObject never becomes ready")
                .help("choose `kind = \"Deployment\"`, or say `enabled = false` in the gateway's autoscaling"),
        );
    }
}

/// One ScaledObject: its own settings over the shared ones.
fn scaled(
    table: &Table,
    own: Option<&Scaled>,
    name: &Text,
    deployment: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Laid<ScaledObject> {
    let none = Scaled::default();
    let own = own.unwrap_or(&none);
    let name = own.name.as_ref().unwrap_or(name);
    names::check(Rule::Subdomain, "a ScaledObject's name", name, problems);
    let or = |own: &Option<Spanned<Count>>, shared: &Option<Spanned<Count>>, default: i64| {
        let written = own.clone().or_else(|| shared.clone());
        written.unwrap_or(Spanned::unwritten(Count::Number(default)))
    };
    let (min, max) = (or(&own.min, &table.min, 1), or(&own.max, &table.max, 2));
    if let (Count::Number(least), Count::Number(most)) = (&min.value, &max.value)
        && least > most
    {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                format!(
                    "{} has a minimum of {least} and a maximum of {most}",
                    name.value
                ),
            )
            .at(min.span.or(max.span))
            .related(max.span, "the maximum")
            .why("KEDA refuses it, and nothing is scaled")
            .help("make the maximum the larger one"),
        );
    }
    let prometheus = own.prometheus.clone().or_else(|| table.prometheus.clone());
    let triggers = if own.triggers.is_empty() {
        &table.triggers
    } else {
        &own.triggers
    };
    let in_spec = [&own.spec, &table.spec]
        .into_iter()
        .flatten()
        .any(|spec| spec.get("triggers").is_some());
    if prometheus.is_none() && triggers.is_empty() && !in_spec {
        problems.push(
            Diagnostic::new(codes::CONFIG_MISSING_KEY, format!("the ScaledObject {} has no trigger", name.value))
                .at(name.span.or(max.span))
                .why("KEDA refuses it: nothing would ever scale it")
                .help("add `prometheus = { server = …, query = …, threshold = … }` or `triggers = [{ … }]` to [autoscaling]"),
        );
    }
    check_prometheus(prometheus.as_ref(), name, problems);
    let spec = match (table.spec.clone(), own.spec.clone()) {
        (Some(mut below), Some(above)) => {
            merge(&mut below, above);
            Some(below)
        }
        (below, above) => above.or(below),
    };
    Laid {
        of: ScaledObject {
            name: name.clone(),
            deployment: deployment.clone(),
            min,
            max,
            cooldown: own.cooldown.clone().or_else(|| table.cooldown.clone()),
            fallback: own.fallback.clone().or_else(|| table.fallback.clone()),
            prometheus,
            triggers: triggers.clone(),
        },
        overlay: Overlay {
            spec,
            ..own.overlay()
        },
    }
}

fn check_prometheus(prometheus: Option<&Prometheus>, name: &Text, problems: &mut Vec<Diagnostic>) {
    let Some(prometheus) = prometheus else { return };
    let parts = [
        ("server", &prometheus.server),
        ("query", &prometheus.query),
        ("threshold", &prometheus.threshold),
    ];
    let written = parts.iter().find_map(|(_, value)| value.as_ref()?.span);
    for (key, _) in parts.iter().filter(|(_, value)| value.is_none()) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                format!("the Prometheus trigger of {} has no `{key}`", name.value),
            )
            .at(written.or(name.span))
            .why("KEDA refuses a Prometheus trigger without it")
            .help(format!("add `{key} = \"…\"`")),
        );
    }
}
