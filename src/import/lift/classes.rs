//! `[class]`, `[classes.NAME]`, `[proxy]`, `[gateways.NAME.proxy]`

use std::collections::BTreeMap;

use super::rows::{self, PROXY};
use super::{Form, Lift};
use crate::import::config::{flag, text};
use crate::import::files::{ENVOY, GATEWAY_API, text as text_at};
use crate::model::layout::Group;
use envoy_gateway::class::DEFAULT_CONTROLLER;
use manifest::value::{Map, Node};

/// The field of a class that names its EnvoyProxy.
const PROXY_OF_CLASS: [&str; 3] = ["spec", "parametersRef", "name"];

/// The field of a gateway that names its own EnvoyProxy.
pub(super) const PROXY_OF_GATEWAY: [&str; 4] = ["spec", "infrastructure", "parametersRef", "name"];

impl Lift<'_> {
    /// Finds the class and the EnvoyProxy of each gateway, and writes the tables of both.
    pub(super) fn classes(&mut self) {
        let classes: Vec<usize> = self.all(GATEWAY_API, "GatewayClass");
        let is_ours =
            |at: &usize| text_at(self.node(*at), &["spec", "controllerName"]) == DEFAULT_CONTROLLER;
        let classes: Vec<usize> = classes.into_iter().filter(is_ours).collect();
        let used_by = |class: usize| {
            let name = self.name(class);
            let gateways = self.gateways.iter().enumerate();
            gateways
                .filter(|(_, gateway)| gateway.class == name)
                .map(|(at, _)| at)
                .collect::<Vec<_>>()
        };
        // The shared class is the only one, or the one that most gateways have, if more than one gateway has it.
        let shared = match classes.as_slice() {
            [one] => Some(*one),
            several => {
                let most = several
                    .iter()
                    .copied()
                    .rev()
                    .max_by_key(|class| used_by(*class).len());
                most.filter(|class| used_by(*class).len() > 1)
            }
        };
        let shared = shared.filter(|class| !used_by(*class).is_empty());
        let uses: BTreeMap<usize, Vec<usize>> = classes
            .iter()
            .map(|class| (*class, used_by(*class)))
            .collect();
        let shared_name = shared.map(|class| self.name(class).to_owned());
        self.proxies(&classes, shared, &uses);
        if let Some(class) = shared {
            self.class(class);
        }
        for class in classes
            .iter()
            .copied()
            .filter(|class| Some(*class) != shared)
        {
            self.further_class(class, uses.get(&class).map_or(&[][..], Vec::as_slice));
        }
        for at in 0..self.gateways.len() {
            let gateway = self.gateways[at].clone();
            if Some(&gateway.class) != shared_name.as_ref() {
                self.set(&["gateways", &gateway.name, "class"], text(gateway.class));
            }
        }
    }

    fn class(&mut self, class: usize) {
        if self.name(class) != "envoy" {
            self.set(&["class", "name"], text(self.name(class)));
        }
        self.slot(class, &["class"], Form::Object, Group::Class);
    }

    fn further_class(&mut self, class: usize, gateways: &[usize]) {
        let name = self.name(class);
        let mut table = Map::default();
        let proxy = text_at(self.node(class), &PROXY_OF_CLASS);
        if !proxy.is_empty() {
            table.insert("proxy", text(proxy));
        }
        self.extend(&["classes", name], table);
        let only = match gateways {
            [one] => self.gateways.get(*one).map(|gateway| gateway.name.clone()),
            _ => None,
        };
        self.slot_of(
            class,
            &["classes", name],
            Form::Object,
            Group::Class,
            only.as_deref(),
        );
    }

    /// The shared proxy is that of the shared class. A gateway's own proxy is one that no other gateway has.
    fn proxies(
        &mut self,
        classes: &[usize],
        shared: Option<usize>,
        uses: &BTreeMap<usize, Vec<usize>>,
    ) {
        let proxies = self.all(ENVOY, "EnvoyProxy");
        let by_name = |name: &str| proxies.iter().copied().find(|at| self.name(*at) == name);
        let of_class = |class: usize| by_name(text_at(self.node(class), &PROXY_OF_CLASS));
        let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, gateway) in self.gateways.iter().enumerate() {
            let own = by_name(text_at(self.node(gateway.object), &PROXY_OF_GATEWAY));
            let class = classes
                .iter()
                .copied()
                .filter(|class| Some(*class) != shared);
            let mut class = class.filter(|class| self.name(*class) == gateway.class);
            let by_class = class
                .next()
                .filter(|class| uses.get(class).is_some_and(|uses| uses.len() == 1));
            if let Some(proxy) = own.or_else(|| by_class.and_then(of_class)) {
                wanted.entry(proxy).or_default().push(at);
            }
        }
        let of_shared = shared.and_then(of_class);
        // If several gateways name the same proxy and the class names none, it is the shared one.
        let several = wanted
            .iter()
            .find(|(_, gateways)| gateways.len() > 1)
            .map(|(proxy, _)| *proxy);
        let common = of_shared.or(several);
        for (proxy, gateways) in wanted {
            if let ([one], true) = (gateways.as_slice(), Some(proxy) != common)
                && let Some(gateway) = self.gateways.get_mut(*one)
            {
                gateway.proxy = Some(proxy);
            }
        }
        match common {
            Some(proxy) => {
                if self.name(proxy) != "envoy" {
                    self.set(&["proxy", "name"], text(self.name(proxy)));
                }
                self.proxy(proxy, &["proxy"], Form::Object, None);
            }
            None if self.gateways.iter().all(|gateway| gateway.proxy.is_some()) => {}
            None => self.set(&["proxy", "enabled"], flag(false)),
        }
        for gateway in self.gateways.clone() {
            let Some(proxy) = gateway.proxy else { continue };
            let table = ["gateways", gateway.name.as_str(), "proxy"];
            if self.name(proxy) != gateway.name {
                self.set(
                    &["gateways", &gateway.name, "proxy", "name"],
                    text(self.name(proxy)),
                );
            }
            self.extend(&table, Map::default());
            self.proxy(proxy, &table, Form::Inheriting, Some(&gateway.name));
        }
    }

    fn proxy(&mut self, at: usize, table: &[&str], form: Form, gateway: Option<&str>) {
        let node = self.node(at);
        let provider = ["spec", "provider", "kubernetes", "envoyDaemonSet"];
        let daemon_set = node.path(&provider).is_some();
        let workload = if daemon_set {
            "envoyDaemonSet"
        } else {
            "envoyDeployment"
        };
        let mut settings = rows::lift(PROXY, node, workload);
        if daemon_set {
            settings.remove("replicas");
            settings.insert("kind", text("DaemonSet"));
        }
        utilization(&mut settings);
        if settings.contains_key("image") {
            settings.remove("image_repository");
        }
        self.extend(table, settings);
        self.slot_of(at, table, form, Group::Proxy, gateway);
    }
}

/// Replaces the metrics of an autoscaler by `cpu` and `memory` if they are nothing else than these two, in this order.
fn utilization(settings: &mut Map) {
    let Some(hpa) = settings.get_mut("hpa").and_then(Node::as_map_mut) else {
        return;
    };
    let metrics = hpa.get("metrics").and_then(Node::as_list);
    let Some(found) = metrics.and_then(|all| all.iter().map(percent).collect::<Option<Vec<_>>>())
    else {
        return;
    };
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    if !matches!(names.as_slice(), ["cpu"] | ["memory"] | ["cpu", "memory"]) {
        return;
    }
    hpa.remove("metrics");
    for (name, percent) in found {
        hpa.insert(name, Node::from_json(percent.into()));
    }
}

/// The resource of a metric, and its average utilization.
fn percent(metric: &Node) -> Option<(String, i64)> {
    let name = text_at(metric, &["resource", "name"]);
    let percent = metric.path(&["resource", "target", "averageUtilization"])?;
    let percent = percent.as_i64()?;
    let written = serde_json::json!({"type": "Resource", "resource": {"name": name,
        "target": {"type": "Utilization", "averageUtilization": percent}}});
    (Node::from_json(written) == *metric).then(|| (name.to_owned(), percent))
}
