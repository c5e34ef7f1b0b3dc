//! EnvoyProxies and GatewayClasses.

use serde::Serialize;

use super::ObjectInput;
use super::names::{self, Rule};
use crate::config;
use crate::config::codes;
use crate::config::proxy::Workload;
use crate::config::{Cluster, Pairs, Text, Texts};
use envoy_gateway::class::DEFAULT_CONTROLLER;
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::Node;
use manifest::value::merge::merge;

/// The values for the template of an EnvoyProxy.
#[derive(Clone, Debug, Serialize)]
pub struct Proxy {
    /// The name of the EnvoyProxy.
    pub name: Text,
    /// Whether the proxies run as a DaemonSet instead of a Deployment.
    pub daemon_set: bool,
    /// Whether nothing is set of the pods and their container.
    pub plain_pods: bool,
    /// The gateway that it belongs to; `None` for the shared one.
    #[serde(skip)]
    pub gateway: Option<Text>,
    /// The settings, with the shared ones where the gateway has none of its own.
    pub set: config::proxy::Proxy,
}

/// The values for the template of a GatewayClass.
#[derive(Clone, Debug, Serialize)]
pub struct Class {
    /// The name of the GatewayClass.
    pub name: Text,
    /// The gateway that uses the class; `None` if it is the shared class or several gateways use it.
    #[serde(skip)]
    pub gateway: Option<Text>,
    /// The name of the controller (`spec.controllerName`).
    pub controller: Text,
    /// The name of the EnvoyProxy for all gateways of the class, if there is one.
    pub proxy: Option<Text>,
    /// The namespace of the EnvoyProxy.
    pub namespace: Text,
}

/// Builds the shared EnvoyProxy, unless every gateway has its own, and the EnvoyProxies of single gateways.
pub fn build(cluster: &Cluster, problems: &mut Vec<Diagnostic>) -> Vec<ObjectInput<Proxy>> {
    let mut proxies = Vec::new();
    let is_off = cluster.proxy.enabled.as_ref().is_some_and(|on| !on.value);
    let all_have_own = !cluster.gateways.is_empty()
        && cluster
            .gateways
            .iter()
            .all(|(_, gateway)| gateway.proxy.is_some());
    if !is_off && !all_have_own {
        let name = cluster.proxy.name.clone();
        let name = name.unwrap_or_else(|| Spanned::unwritten("envoy".to_owned()));
        proxies.push(build_one(name, None, cluster.proxy.clone(), problems));
    }
    for (gateway, table) in cluster.gateways.iter() {
        let Some(own) = &table.proxy else { continue };
        let name = own.name.clone().unwrap_or_else(|| gateway.clone());
        let settings = inherit(own, &cluster.proxy);
        proxies.push(build_one(name, Some(gateway.clone()), settings, problems));
    }
    proxies
}

/// A gateway's own settings, completed with the shared ones.
fn inherit(own: &config::proxy::Proxy, shared: &config::proxy::Proxy) -> config::proxy::Proxy {
    let (own, shared) = (own.clone(), shared.clone());
    let spec = match (shared.spec, own.spec) {
        (Some(mut below), Some(above)) => {
            merge(&mut below, above);
            Some(below)
        }
        (below, above) => above.or(below),
    };
    // If the gateway sets `image` or `image_repository`, it inherits neither of them.
    let has_image = own.image.is_some() || own.image_repository.is_some();
    let shared_image = |image: Option<Text>| if has_image { None } else { image };
    config::proxy::Proxy {
        name: own.name,
        enabled: own.enabled,
        kind: own.kind.or(shared.kind),
        replicas: own.replicas.or(shared.replicas),
        resources: own.resources.or(shared.resources),
        image: own.image.or(shared_image(shared.image)),
        image_repository: own
            .image_repository
            .or(shared_image(shared.image_repository)),
        external_traffic_policy: own
            .external_traffic_policy
            .or(shared.external_traffic_policy),
        drain_timeout: own.drain_timeout.or(shared.drain_timeout),
        log_level: own.log_level.or(shared.log_level),
        prometheus_compression: own.prometheus_compression.or(shared.prometheus_compression),
        ip_family: own.ip_family.or(shared.ip_family),
        min_drain_duration: own.min_drain_duration.or(shared.min_drain_duration),
        workload_name: own.workload_name.or(shared.workload_name),
        node_selector: Pairs([shared.node_selector.0, own.node_selector.0].concat()),
        tolerations: first_given(own.tolerations, shared.tolerations),
        affinity: own.affinity.or(shared.affinity),
        topology_spread: first_given(own.topology_spread, shared.topology_spread),
        priority_class: own.priority_class.or(shared.priority_class),
        security_context: own.security_context.or(shared.security_context),
        pod_security_context: own.pod_security_context.or(shared.pod_security_context),
        pod_labels: Pairs([shared.pod_labels.0, own.pod_labels.0].concat()),
        pod_annotations: Pairs([shared.pod_annotations.0, own.pod_annotations.0].concat()),
        env: Pairs([shared.env.0, own.env.0].concat()),
        image_pull_secrets: match own.image_pull_secrets.is_given() {
            true => own.image_pull_secrets,
            false => shared.image_pull_secrets,
        },
        disruption_budget: own.disruption_budget.or(shared.disruption_budget),
        hpa: own.hpa.or(shared.hpa),
        service: own.service.inherit(shared.service),
        labels: Pairs([shared.labels.0, own.labels.0].concat()),
        annotations: Pairs([shared.annotations.0, own.annotations.0].concat()),
        spec,
        object: own.object.or(shared.object),
        remove: Texts {
            items: [shared.remove.items, own.remove.items].concat(),
            span: own.remove.span.or(shared.remove.span),
        },
    }
}

/// A gateway's own list, or the shared one if it has none.
fn first_given(own: Vec<Node>, shared: Vec<Node>) -> Vec<Node> {
    if own.is_empty() { shared } else { own }
}

/// Whether nothing is set of the pods and their container, so that the workload is written as `{}`.
fn has_plain_pods(set: &config::proxy::Proxy) -> bool {
    let values = [
        &set.resources,
        &set.affinity,
        &set.security_context,
        &set.pod_security_context,
    ];
    let texts = [
        &set.image,
        &set.image_repository,
        &set.priority_class,
        &set.workload_name,
    ];
    let pairs = [
        &set.node_selector,
        &set.pod_labels,
        &set.pod_annotations,
        &set.env,
    ];
    values.into_iter().all(Option::is_none)
        && texts.into_iter().all(Option::is_none)
        && pairs.into_iter().all(|pairs| pairs.0.is_empty())
        && set.tolerations.is_empty()
        && set.topology_spread.is_empty()
        && set.image_pull_secrets.is_empty()
}

fn build_one(
    name: Text,
    gateway: Option<Text>,
    settings: config::proxy::Proxy,
    problems: &mut Vec<Diagnostic>,
) -> ObjectInput<Proxy> {
    names::check(Rule::Subdomain, "an EnvoyProxy's name", &name, problems);
    let daemon_set = settings
        .kind
        .as_ref()
        .is_some_and(|kind| kind.value == Workload::DaemonSet);
    if let (true, Some(replicas)) = (daemon_set, &settings.replicas) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                "a DaemonSet has no number of replicas",
            )
            .at(replicas.span)
            .related(
                settings.kind.as_ref().and_then(|kind| kind.span),
                "the DaemonSet is chosen here",
            )
            .why("it runs one proxy on every node, so the number would have no effect")
            .help("remove `replicas`, or set `kind = \"Deployment\"`"),
        );
    }
    if let (Some(image), Some(repository)) = (&settings.image, &settings.image_repository) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                "`image` and `image_repository` are both given",
            )
            .at(repository.span)
            .related(image.span, "the image with its tag")
            .why("the API server refuses an EnvoyProxy that has both")
            .help("keep `image_repository`, so that the chart's version determines the tag"),
        );
    }
    let overlay = settings.overlay();
    ObjectInput {
        values: Proxy {
            name,
            daemon_set,
            plain_pods: has_plain_pods(&settings),
            gateway,
            set: settings,
        },
        overlay,
    }
}

/// The name of the GatewayClass that the gateways share.
pub fn class_name(cluster: &Cluster) -> Text {
    let name = cluster.class.name.clone();
    name.unwrap_or_else(|| Spanned::unwritten("envoy".to_owned()))
}

/// Builds the GatewayClasses: first the shared one, named `shared`, unless every gateway uses another; then
/// the others.
pub fn classes(
    cluster: &Cluster,
    shared: &Text,
    proxies: &[ObjectInput<Proxy>],
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<Class>> {
    names::check(Rule::Subdomain, "the GatewayClass's name", shared, problems);
    let controller = |own: &Option<Text>| {
        own.clone()
            .unwrap_or_else(|| Spanned::unwritten(DEFAULT_CONTROLLER.to_owned()))
    };
    let mut classes = Vec::new();
    let has_shared = |(_, gateway): &(Text, config::gateway::Gateway)| gateway.class.is_none();
    if cluster.gateways.is_empty() || cluster.gateways.iter().any(has_shared) {
        let proxy = proxies.iter().find(|proxy| proxy.values.gateway.is_none());
        classes.push(ObjectInput {
            values: Class {
                name: shared.clone(),
                gateway: None,
                controller: controller(&cluster.class.controller),
                proxy: proxy.map(|proxy| proxy.values.name.clone()),
                namespace: namespace.clone(),
            },
            overlay: cluster.class.overlay(),
        });
    }
    for (name, table) in cluster.classes.iter() {
        names::check(Rule::Subdomain, "a GatewayClass's name", name, problems);
        if let Some(proxy) = &table.proxy {
            names::check(Rule::Subdomain, "an EnvoyProxy's name", proxy, problems);
        }
        let mut of_it = cluster.gateways.iter().filter(|(_, gateway)| {
            gateway
                .class
                .as_ref()
                .is_some_and(|class| class.value == name.value)
        });
        let only = of_it.next().filter(|_| of_it.next().is_none());
        classes.push(ObjectInput {
            values: Class {
                name: name.clone(),
                gateway: only.map(|(gateway, _)| gateway.clone()),
                controller: controller(&table.controller),
                proxy: table.proxy.clone(),
                namespace: namespace.clone(),
            },
            overlay: table.overlay(),
        });
    }
    classes
}
