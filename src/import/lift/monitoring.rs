//! `[monitoring]`, `[cert_manager]`

use super::gateways::most;
use super::rows::{self, CERTIFICATE, DASHBOARD};
use super::{Form, Lift};
use crate::import::config::{flag, pairs, text, texts};
use crate::import::files::{text as text_at, texts as texts_at};
use crate::model::layout::Group;
use manifest::value::Node;

const PROMETHEUS: &str = "monitoring.coreos.com";

/// The path of Envoy's own metrics.
const PROXY_METRICS: &str = "/stats/prometheus";

/// The endpoints of a monitor.
fn endpoints(node: &Node) -> &[Node] {
    let spec = |key: &str| node.path(&["spec", key]).and_then(Node::as_list);
    spec("podMetricsEndpoints")
        .or_else(|| spec("endpoints"))
        .unwrap_or_default()
}

fn strings(node: &Node, path: &[&str]) -> Option<Vec<(String, String)>> {
    let map = node.path(path)?.as_map()?;
    let entries = map
        .iter()
        .map(|(key, value)| Some((key.to_owned(), value.as_str()?.to_owned())));
    entries.collect()
}

impl Lift<'_> {
    pub(super) fn monitoring(&mut self) {
        let is_proxy = |at: &usize| {
            endpoints(self.node(*at))
                .iter()
                .any(|one| text_at(one, &["path"]) == PROXY_METRICS)
        };
        let pods = self.all(PROMETHEUS, "PodMonitor");
        let services = self.all(PROMETHEUS, "ServiceMonitor");
        let dashboards = self.all("grafana.integreatly.org", "GrafanaDashboard");
        let pod = pods.iter().copied().find(is_proxy);
        let service = services.into_iter().find(|at| !is_proxy(at));
        if pod.is_none() && service.is_none() && dashboards.is_empty() {
            return;
        }
        self.monitor(pod, "proxies", "envoy-proxy", Group::PodMonitor);
        self.monitor(
            service,
            "controller",
            "envoy-gateway",
            Group::ServiceMonitor,
        );
        self.dashboards(dashboards);
        self.lifted.config.edit(&["monitoring"], |_| {});
    }

    fn monitor(&mut self, at: Option<usize>, key: &str, default: &str, group: Group) {
        let path = ["monitoring", key];
        let Some(at) = at else {
            return self.set(&[path[0], path[1], "enabled"], flag(false));
        };
        if self.name(at) != default {
            self.set(&[path[0], path[1], "name"], text(self.name(at)));
        }
        if let [one] = endpoints(self.node(at))
            && let Some(interval) = one.get("interval").and_then(Node::as_str)
        {
            self.set(&[path[0], path[1], "interval"], text(interval));
        }
        self.slot(at, &path, Form::Object, group);
    }

    fn dashboards(&mut self, all: Vec<usize>) {
        let parts: Vec<(usize, Shared)> = all
            .iter()
            .map(|at| (*at, Shared::of(self.node(*at))))
            .collect();
        let instance = most(parts.iter().filter_map(|(_, part)| part.instance.clone()));
        let inputs = most(parts.iter().filter_map(|(_, part)| part.inputs.clone()));
        let folder = most(parts.iter().map(|(_, part)| part.folder.clone())).flatten();
        let labels = most(parts.iter().map(|(_, part)| part.labels.clone())).flatten();
        let shared = |key: &str, value: Node, lift: &mut Self| {
            lift.set(&["monitoring", "grafana", key], value);
        };
        let default = |value: &[(String, String)], key: &str, text: &str| matches!(value, [(there, value)] if there == key && value == text);
        if let Some(instance) =
            instance.filter(|one| !one.is_empty() && !default(one, "dashboards", "grafana"))
        {
            shared("instance", pairs(instance), self);
        }
        let common = inputs.clone().filter(|one| !one.is_empty());
        if let Some(inputs) = common
            .clone()
            .filter(|one| !default(one, "DS_PROMETHEUS", "prometheus"))
        {
            shared("inputs", pairs(inputs), self);
        }
        let common =
            common.unwrap_or_else(|| vec![("DS_PROMETHEUS".to_owned(), "prometheus".to_owned())]);
        // With one dashboard there is nothing in common to find.
        let several = all.len() > 1;
        if let Some(folder) = folder.clone().filter(|_| several) {
            shared("folder", text(folder), self);
        }
        if let Some(labels) = labels.filter(|_| several) {
            shared("labels", pairs(labels), self);
        }
        for (at, part) in parts {
            let mut table = rows::lift(DASHBOARD, self.node(at), "");
            if several && part.folder == folder {
                table.remove("folder");
            }
            if let Some(own) = part.inputs.filter(|own| *own != common) {
                table.insert("inputs", pairs(own));
            }
            let path = ["monitoring", "dashboards", self.name(at)];
            self.extend(&path, table);
            self.slot(at, &path, Form::Object, Group::Dashboards);
        }
    }

    pub(super) fn certificates(&mut self) {
        let all = self.all("cert-manager.io", "Certificate");
        let issuers = all
            .iter()
            .map(|at| text_at(self.node(*at), &["spec", "issuerRef", "name"]));
        let issuer = most(issuers).filter(|issuer| !issuer.is_empty() && all.len() > 1);
        if let Some(issuer) = issuer {
            self.set(&["cert_manager", "issuer"], text(issuer));
        }
        for at in all {
            let node = self.node(at);
            let name = self.name(at);
            let mut table = rows::lift(CERTIFICATE, node, "");
            let own = table.get("issuer").and_then(Node::as_str);
            if own.is_none() {
                continue;
            }
            if own == issuer {
                table.remove("issuer");
            }
            let secret = text_at(node, &["spec", "secretName"]);
            if !secret.is_empty() && secret != format!("{name}-tls") {
                table.insert("secret", text(secret));
            }
            let names = texts_at(node.get("spec").unwrap_or(node), "dnsNames");
            let usual = self
                .domain
                .as_ref()
                .map(|domain| vec![domain.clone(), format!("*.{domain}")]);
            if usual.is_none_or(|usual| usual != names) {
                table.insert("dns_names", texts(names));
            }
            self.extend(&["cert_manager", "certificates", name], table);
            self.slot(
                at,
                &["cert_manager", "certificates", name],
                Form::Object,
                Group::Certificates,
            );
        }
    }
}

/// What dashboards have in common.
struct Shared {
    instance: Option<Vec<(String, String)>>,
    inputs: Option<Vec<(String, String)>>,
    folder: Option<String>,
    labels: Option<Vec<(String, String)>>,
}

impl Shared {
    fn of(node: &Node) -> Self {
        let sources = node.path(&["spec", "datasources"]);
        let inputs = sources.map_or(Some(Vec::new()), |sources| {
            let each = sources.as_list()?.iter().map(|one| {
                let input = one.get("inputName")?.as_str()?;
                Some((
                    input.to_owned(),
                    one.get("datasourceName")?.as_str()?.to_owned(),
                ))
            });
            each.collect()
        });
        Shared {
            instance: strings(node, &["spec", "instanceSelector", "matchLabels"]),
            inputs,
            folder: node
                .path(&["spec", "folder"])
                .and_then(Node::as_str)
                .map(str::to_owned),
            labels: strings(node, &["metadata", "labels"]),
        }
    }
}
