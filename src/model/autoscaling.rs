//! KEDA ScaledObjects for the controller and the proxies.

use serde::Serialize;

use super::ObjectInput;
use super::gateway::Gateway;
use super::names::{self, Rule};
use super::proxy::Proxy;
use super::route::unknown_gateway;
use crate::config::autoscaling::{Autoscaling as Table, Fallback, Prometheus, Scaled};
use crate::config::chart::Deploy;
use crate::config::codes;
use crate::config::proxy::Workload;
use crate::config::types::Overlay;
use crate::config::{Cluster, Count, Text};
use envoy_gateway::proxies::hashed_deployment;
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::Node;
use manifest::value::merge::merge;

/// The ScaledObjects, and whether they are applied.
#[derive(Clone, Debug, Default)]
pub struct Autoscaling {
    /// Whether the kustomization lists their file. If `false`, the file is written but not applied.
    pub listed: bool,
    /// The ScaledObjects.
    pub objects: Vec<ObjectInput<ScaledObject>>,
}

/// The values for the template of a ScaledObject.
#[derive(Clone, Debug, Serialize)]
pub struct ScaledObject {
    /// The ScaledObject's name. Default: the gateway's name, or that of the controller's Deployment.
    pub name: Text,
    /// The name of the Deployment to scale.
    pub deployment: Text,
    /// The minimum number of replicas.
    pub min: Spanned<Count>,
    /// The maximum number of replicas.
    pub max: Spanned<Count>,
    /// Seconds to wait after the last active trigger before scaling to zero.
    pub cooldown: Option<Spanned<Count>>,
    /// The number of replicas to fall back to when a trigger can't be read.
    pub fallback: Option<Fallback>,
    /// A trigger on a Prometheus query.
    pub prometheus: Option<Prometheus>,
    /// More triggers, written with KEDA's own keys.
    pub triggers: Vec<Node>,
}

/// The name of the controller's Deployment. The `gateway-helm` chart always uses this name, whatever the
/// release is called.
const CONTROLLER: &str = "envoy-gateway";

/// Builds the ScaledObjects of the controller and the proxies.
pub fn build(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    proxies: &[ObjectInput<Proxy>],
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
        objects.push(scaled(table, Some(own), &name, &name, None, problems));
    }
    let known: Vec<&str> = gateways
        .iter()
        .map(|gateway| gateway.values.name.as_str())
        .collect();
    for (name, _) in table.gateways.iter() {
        if !known.contains(&name.as_str()) {
            problems.push(unknown_gateway(name, &known));
        }
    }
    let all = table.proxies.as_ref().is_none_or(|proxies| proxies.value);
    for gateway in gateways {
        let name = &gateway.values.name;
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
                    .values
                    .gateway
                    .as_ref()
                    .is_some_and(|own| own.value == name.value)
            })
            .or_else(|| proxies.iter().find(|proxy| proxy.values.gateway.is_none()));
        let span = own
            .and_then(|own| own.min.as_ref().or(own.max.as_ref()))
            .and_then(|min| min.span);
        if let Some(proxy) = proxy.filter(|_| listed) {
            check_proxy(
                &proxy.values,
                name,
                span.or(table.max.as_ref().and_then(|max| max.span)),
                problems,
            );
        }
        let deployment = deployment(cluster, proxy.map(|proxy| &proxy.values), namespace, name);
        let gateway = Some(name);
        objects.push(scaled(table, own, name, &deployment, gateway, problems));
    }
    Autoscaling { listed, objects }
}

/// The Deployment that Envoy Gateway creates for a gateway's proxies, according to the deploy mode.
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
        (None, Deploy::ControllerNamespace) => gateway.with(hashed_deployment(namespace, gateway)),
    }
}

fn check_proxy(
    proxy: &Proxy,
    gateway: &Text,
    scaled: Option<manifest::diagnostic::Span>,
    problems: &mut Vec<Diagnostic>,
) {
    // Gateways with the same settings have the same mistake.
    let mut tell = |found: Diagnostic| {
        let is_told = |one: &Diagnostic| {
            one.span.is_some() && (one.code, one.span) == (found.code, found.span)
        };
        if !problems.iter().any(is_told) {
            problems.push(found);
        }
    };
    if let Some(replicas) = proxy.set.replicas.as_ref().filter(|_| !proxy.daemon_set) {
        tell(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                format!(
                    "the proxies of {} have a fixed number of replicas and are also scaled by KEDA",
                    gateway.value
                ),
            )
            .at(replicas.span)
            .related(scaled, "scaled here")
            .why("Envoy Gateway resets the number each time KEDA changes it")
            .help("remove `replicas`, or set `enabled = false` in [autoscaling.gateways] for this gateway"),
        );
    }
    if proxy.daemon_set {
        tell(
            Diagnostic::new(codes::CONFIG_CONTRADICTION, format!("the proxies of {} run as a DaemonSet and are also scaled by KEDA", gateway.value))
                .at(proxy.set.kind.as_ref().filter(|kind| kind.value == Workload::DaemonSet).and_then(|kind| kind.span))
                .related(scaled, "scaled here")
                .why("KEDA finds no Deployment with that name, so the ScaledObject never becomes ready")
                .help("set `kind = \"Deployment\"`, or set `enabled = false` in [autoscaling.gateways] for this gateway"),
        );
    }
}

/// A trigger with the gateway's name in its query for each `{gateway}` that is not part of a Flux variable.
fn for_gateway(prometheus: Prometheus, gateway: Option<&Text>) -> Prometheus {
    const STAND_IN: &str = "{gateway}";
    let (Some(gateway), Some(query)) = (gateway, &prometheus.query) else {
        return prometheus;
    };
    let mut parts = query.value.split(STAND_IN);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match text.ends_with('$') {
            true => text.push_str(STAND_IN),
            false => text.push_str(&gateway.value),
        }
        text.push_str(part);
    }
    Prometheus {
        query: Some(query.with(text)),
        ..prometheus
    }
}

/// Builds one ScaledObject from its own settings and, where they are missing, the shared ones.
fn scaled(
    table: &Table,
    own: Option<&Scaled>,
    name: &Text,
    deployment: &Text,
    gateway: Option<&Text>,
    problems: &mut Vec<Diagnostic>,
) -> ObjectInput<ScaledObject> {
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
            .why("KEDA refuses it, so nothing is scaled")
            .help("make the maximum larger than the minimum"),
        );
    }
    let prometheus = own.prometheus.clone().or_else(|| table.prometheus.clone());
    let prometheus = prometheus.map(|prometheus| for_gateway(prometheus, gateway));
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
    ObjectInput {
        values: ScaledObject {
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
        let missing = Diagnostic::new(
            codes::CONFIG_MISSING_KEY,
            format!("the Prometheus trigger of {} has no `{key}`", name.value),
        )
        .at(written.or(name.span))
        .why("KEDA refuses a Prometheus trigger without it")
        .help(format!("add `{key} = \"…\"`"));
        problems.push(Diagnostic {
            pointer: Some(format!("/autoscaling/prometheus/{key}")),
            ..missing
        });
    }
}
