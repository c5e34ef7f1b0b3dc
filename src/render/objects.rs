//! The table of rendered objects and their templates.

use serde::Serialize;

use crate::config::delivery::DeliveryKind;
use crate::config::network_policy::NetworkPolicyKind;
use crate::config::types::Overlay;
use crate::model::layout::{FileLocation, Group};
use crate::model::{Model, ObjectInput};
use manifest::value::ser::to_node;
use manifest::value::{self, Node, Pointer};

/// One object to render.
pub struct Item {
    /// The file that the object is written to.
    pub location: FileLocation,
    /// The name of the template.
    pub template: &'static str,
    /// The values for the template, or the error from serializing them.
    pub values: Result<Node, value::ser::Error>,
    /// Merged over the object.
    pub overlay: Overlay,
    /// More values to merge, each at a path inside the object.
    pub parts: Vec<(Pointer, Node)>,
}

struct Items<'a> {
    model: &'a Model,
    all: Vec<Item>,
}

impl Items<'_> {
    fn add<T: Serialize>(&mut self, group: Group, template: &'static str, input: &ObjectInput<T>) {
        self.add_for(group, None, template, input);
    }

    fn add_for<T: Serialize>(
        &mut self,
        group: Group,
        gateway: Option<&str>,
        template: &'static str,
        input: &ObjectInput<T>,
    ) {
        self.all.push(Item {
            location: self.model.layout.location(group, gateway),
            template,
            values: to_node(&input.values),
            overlay: input.overlay.clone(),
            parts: Vec::new(),
        });
    }
}

/// All objects in the app's folders, in the order in which they are written. `values` are those of the chart.
pub fn items(model: &Model, values: Option<&Node>) -> Vec<Item> {
    let mut items = Items {
        model,
        all: Vec::new(),
    };
    for proxy in &model.proxies {
        let gateway = proxy
            .values
            .gateway
            .as_ref()
            .map(|gateway| gateway.as_str());
        items.add_for(Group::Proxy, gateway, "envoyproxy.yaml.j2", proxy);
    }
    for class in &model.classes {
        let gateway = class
            .values
            .gateway
            .as_ref()
            .map(|gateway| gateway.as_str());
        items.add_for(Group::Class, gateway, "gatewayclass.yaml.j2", class);
    }
    for gateway in &model.gateways {
        items.add_for(
            Group::Gateways,
            Some(&gateway.values.name),
            "gateway.yaml.j2",
            gateway,
        );
        let listeners = gateway.values.listeners.iter().enumerate();
        let parts = listeners.filter_map(|(at, listener)| {
            let pointer = Pointer::root().key("spec").key("listeners").index(at);
            Some((pointer, listener.spec.clone()?))
        });
        if let Some(item) = items.all.last_mut() {
            item.parts = parts.collect();
        }
    }
    for policy in model.lua.iter().flat_map(|lua| &lua.policies) {
        items.add_for(
            Group::Lua,
            Some(&policy.values.name),
            "envoyextensionpolicy-lua.yaml.j2",
            policy,
        );
    }
    for policy in &model.policies {
        items.add(Group::Policies, "policy.yaml.j2", policy);
    }
    for policy in &model.auth {
        items.add(Group::Policies, "auth.yaml.j2", policy);
    }
    for policy in &model.backend_traffic {
        let gateway = policy
            .values
            .gateway
            .as_ref()
            .map(|gateway| gateway.as_str());
        items.add_for(
            Group::BackendTraffic,
            gateway,
            "backendtrafficpolicy.yaml.j2",
            policy,
        );
    }
    for policy in &model.client_traffic {
        let gateway = policy
            .values
            .gateway
            .as_ref()
            .map(|gateway| gateway.as_str());
        items.add_for(
            Group::ClientTraffic,
            gateway,
            "clienttrafficpolicy.yaml.j2",
            policy,
        );
    }
    for redirect in &model.redirects {
        let gateway = redirect
            .values
            .gateway
            .as_ref()
            .map(|gateway| gateway.as_str());
        items.add_for(Group::Redirect, gateway, "redirect.yaml.j2", redirect);
    }
    for answer in &model.answers {
        items.add(Group::Redirect, "answer.yaml.j2", answer);
        if let Some(filter) = crate::model::answer::filter(answer) {
            items.add(Group::Redirect, "httproutefilter.yaml.j2", &filter);
        }
    }
    for external in &model.external {
        items.add(Group::External, "external-route.yaml.j2", &external.route);
        items.add(Group::External, "backend.yaml.j2", &external.backend);
        if let Some(tls) = &external.tls {
            items.add(Group::External, "backendtlspolicy.yaml.j2", tls);
        }
    }
    for certificate in &model.certificates {
        items.add(Group::Certificates, "certificate.yaml.j2", certificate);
    }
    for endpoint in &model.endpoints {
        items.add(Group::Dns, "dnsendpoint.yaml.j2", endpoint);
    }
    network_policies(model, &mut items);
    addresses(model, &mut items);
    if let Some(source) = &model.chart.source {
        items.add(Group::Source, "ocirepository.yaml.j2", source);
    }
    release(model, values, &mut items);
    if let Some(monitor) = &model.monitoring.proxies {
        items.add(Group::PodMonitor, "podmonitor.yaml.j2", monitor);
    }
    if let Some(monitor) = &model.monitoring.controller {
        items.add(Group::ServiceMonitor, "servicemonitor.yaml.j2", monitor);
    }
    for dashboard in &model.monitoring.dashboards {
        items.add(Group::Dashboards, "grafanadashboard.yaml.j2", dashboard);
    }
    for object in &model.autoscaling.objects {
        items.add(Group::Autoscaling, "scaledobject.yaml.j2", object);
    }
    items.all
}

fn network_policies(model: &Model, items: &mut Items) {
    for policy in &model.network_policies {
        let template = match policy.values.kind {
            NetworkPolicyKind::NetworkPolicy => "networkpolicy.yaml.j2",
            NetworkPolicyKind::CiliumNetworkPolicy => "ciliumnetworkpolicy.yaml.j2",
        };
        let gateway = policy
            .values
            .gateway
            .as_ref()
            .map(|gateway| gateway.as_str());
        items.add_for(Group::NetworkPolicies, gateway, template, policy);
    }
}

fn addresses(model: &Model, items: &mut Items) {
    if let Some(pool) = &model.cilium.pool {
        items.add(Group::Addresses, "ciliumloadbalancerippool.yaml.j2", pool);
    }
    if let Some(l2) = &model.cilium.l2 {
        items.add(Group::Addresses, "ciliuml2announcementpolicy.yaml.j2", l2);
    }
    if let Some((bgp, overlays)) = &model.cilium.bgp {
        let templates = [
            "ciliumbgpclusterconfig.yaml.j2",
            "ciliumbgppeerconfig.yaml.j2",
            "ciliumbgpadvertisement.yaml.j2",
        ];
        for (template, overlay) in templates.into_iter().zip(overlays) {
            let input = ObjectInput {
                values: bgp.clone(),
                overlay: overlay.clone(),
            };
            items.add(Group::Addresses, template, &input);
        }
    }
}

fn release(model: &Model, values: Option<&Node>, items: &mut Items) {
    let release = model.chart.release.as_ref();
    let Some(release) = release.filter(|_| model.delivery == DeliveryKind::Flux) else {
        return;
    };
    items.add(Group::Release, "helmrelease.yaml.j2", release);
    let Some(item) = items.all.last_mut() else {
        return;
    };
    if let Ok(node) = &mut item.values {
        insert_values(node, values);
    }
    // A user's own template may write values without those of `chart.values`.
    if let Some(values) = &model.chart.values {
        item.parts
            .push((Pointer::root().key("spec").key("values"), values.clone()));
    }
}

/// Adds the values of the chart to those for a template.
pub fn insert_values(node: &mut Node, values: Option<&Node>) {
    if let Some(map) = node.as_map_mut() {
        let missing = || Node::new(value::Kind::Null, None);
        map.insert("values", values.cloned().unwrap_or_else(missing));
    }
}
