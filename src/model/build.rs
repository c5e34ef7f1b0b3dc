//! Builds the model from `cluster.toml`.

use super::{
    Model, Versions, answer, argocd, auth, autoscaling, chart, cilium, delivery, dns, external,
    flux, gateway, layout, listener_set, lua, monitoring, names, network_policy, policy, proxy,
    route, rules, traffic, tunnel, verbatim,
};
use crate::config::Cluster;
use crate::config::codes;
use crate::config::delivery::DeliveryKind;
use crate::config::flux::DEFAULT_NAMESPACE;
use envoy_gateway::declared::Declared;
use manifest::diagnostic::{Diagnostic, Spanned};

/// Builds the model from what was written, for the given versions. Also returns all mistakes that can be
/// found without a schema.
/// `prefix` is the path from the root of the Git repository to the folder in which the tree is rendered. It
/// is empty if they are the same folder.
pub fn build(cluster: &Cluster, versions: Versions, prefix: &str) -> (Model, Vec<Diagnostic>) {
    let problems = &mut Vec::new();
    let version = versions.envoy_gateway.value;
    let unwritten = || Spanned::unwritten(DEFAULT_NAMESPACE.to_owned());
    let namespace = cluster.namespace.name.clone().unwrap_or_else(unwritten);
    names::check(
        names::Rule::Label,
        "a namespace's name",
        &namespace,
        problems,
    );
    if let Some(domain) = &cluster.domain {
        names::check(names::Rule::Subdomain, "a domain", domain, problems);
    }
    if cluster.gateways.is_empty() {
        problems.push(
            Diagnostic::new(codes::CONFIG_MISSING_KEY, "no gateway is defined")
                .why("without a gateway there is nothing to render")
                .help("add a table [gateways.envoy-internal] with `address = \"10.10.30.25\"`"),
        );
    }
    let proxies = proxy::build(cluster, problems);
    let class = proxy::class_name(cluster);
    let classes = proxy::classes(cluster, &class, &proxies, &namespace, problems);
    let gateways: Vec<_> = cluster
        .gateways
        .iter()
        .map(|(name, table)| gateway::build(cluster, name, table, &class, problems))
        .collect();
    let routes = route::stream_routes(
        cluster,
        &gateways,
        &namespace,
        versions.gateway_api,
        problems,
    );
    let (auth, grants) = auth::build(cluster, &gateways, &namespace, problems);
    let external = external::build(
        cluster,
        &gateways,
        &namespace,
        versions.gateway_api,
        problems,
    );
    let listener_sets = listener_set::build(
        cluster,
        &gateways,
        &namespace,
        versions.gateway_api,
        problems,
    );
    let routes_elsewhere = routes.iter().map(|route| &route.values.namespace);
    let elsewhere: Vec<_> = routes_elsewhere
        .chain(auth::namespaces(&grants))
        .chain(listener_set::namespaces(&listener_sets))
        .collect();
    let layout = layout::build(cluster, &namespace, problems);
    delivery::check(cluster, problems);
    let chart = chart::build(cluster, version, &namespace, problems);
    let flux = flux::build(cluster, &layout, &namespace, &elsewhere, prefix, problems);
    let tunnel = tunnel::build(cluster, &gateways, &namespace, problems);
    let mut endpoints = dns::endpoints(cluster, problems);
    endpoints.extend(tunnel.endpoint);
    let publishers = &cluster.dns.publishers;
    let declared = Declared {
        publishers: dns::declared(publishers, &gateways, &namespace, problems),
        tunnels: tunnel.declared,
    };
    let applications = match delivery::kind(cluster) {
        DeliveryKind::ArgoCd => argocd::build(
            cluster, &layout, &chart, &namespace, &elsewhere, prefix, problems,
        ),
        DeliveryKind::Flux | DeliveryKind::Kustomize => Vec::new(),
    };
    let model = Model {
        endpoints,
        network_policies: network_policy::build(
            cluster,
            &gateways,
            &proxies,
            &listener_sets,
            &namespace,
            problems,
        ),
        listener_sets,
        declared,
        client_traffic: traffic::client(cluster, &gateways, problems),
        backend_traffic: traffic::backend(cluster, &gateways, version, problems),
        lua: lua::build(cluster, &gateways, problems),
        policies: policy::build(cluster, &gateways, problems),
        auth,
        grants,
        external,
        answers: answer::build(cluster, &gateways, &namespace, problems),
        redirects: route::redirects(cluster, &gateways, &namespace, problems),
        autoscaling: autoscaling::build(cluster, &gateways, &proxies, &namespace, problems),
        monitoring: monitoring::build(cluster, &namespace, problems),
        chart,
        delivery: delivery::kind(cluster),
        applications,
        flux,
        cilium: cilium::build(cluster, versions.cilium, problems),
        certificates: cilium::certificates(cluster, problems),
        versions,
        namespace,
        proxies,
        classes,
        gateways,
        routes,
        layout,
        extra: cluster.extra.clone(),
        verbatim: verbatim::build(cluster, problems),
        rules: rules::build(&cluster.rules, problems),
    };
    (model, std::mem::take(problems))
}
