//! Prometheus monitors and Grafana dashboards.

use serde::Serialize;

use super::ObjectInput;
use super::names::{self, Rule};
use crate::config::codes;
use crate::config::monitoring::{Dashboard as Table, Grafana, Monitor as MonitorTable};
use crate::config::{Cluster, Count, Pairs, Text};
use manifest::diagnostic::{Diagnostic, Spanned};

/// The monitors and dashboards to write.
#[derive(Clone, Debug, Default)]
pub struct Monitoring {
    /// The PodMonitor of the proxies.
    pub proxies: Option<ObjectInput<Monitor>>,
    /// The ServiceMonitor of the controller.
    pub controller: Option<ObjectInput<Monitor>>,
    /// The dashboards.
    pub dashboards: Vec<ObjectInput<Dashboard>>,
}

/// The values for the template of a monitor.
#[derive(Clone, Debug, Serialize)]
pub struct Monitor {
    /// The name of the monitor.
    pub name: Text,
    /// The namespace that it selects pods or Services in.
    pub namespace: Text,
    /// How often Prometheus scrapes the metrics.
    pub interval: Option<Text>,
}

/// The values for the template of a GrafanaDashboard.
#[derive(Clone, Debug, Serialize)]
pub struct Dashboard {
    /// The name of the dashboard.
    pub name: Text,
    /// The labels of the Grafana instances that import it.
    pub instance: Pairs,
    /// The labels of the dashboard.
    pub labels: Pairs,
    /// The folder in Grafana.
    pub folder: Option<Text>,
    /// The data sources for the dashboard's inputs.
    pub inputs: Vec<Input>,
    /// The URL of the dashboard's JSON.
    pub url: Option<Text>,
    /// The dashboard's number on grafana.com.
    pub id: Option<Spanned<Count>>,
    /// The dashboard's revision on grafana.com.
    pub revision: Option<Spanned<Count>>,
}

/// An input of a dashboard that must be filled with a data source.
#[derive(Clone, Debug, Serialize)]
pub struct Input {
    /// The name of the input in the dashboard.
    pub input: Text,
    /// The name of the data source.
    pub source: Text,
}

/// Builds the monitors and dashboards, if `[monitoring]` is given.
pub fn build(cluster: &Cluster, namespace: &Text, problems: &mut Vec<Diagnostic>) -> Monitoring {
    let Some(table) = &cluster.monitoring else {
        return Monitoring::default();
    };
    let dashboards = table
        .dashboards
        .iter()
        .map(|(name, own)| dashboard(&table.grafana, name, own, problems))
        .collect();
    Monitoring {
        proxies: monitor(&table.proxies, "envoy-proxy", namespace, problems),
        controller: monitor(&table.controller, "envoy-gateway", namespace, problems),
        dashboards,
    }
}

fn monitor(
    table: &MonitorTable,
    default: &str,
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Option<ObjectInput<Monitor>> {
    if table.enabled.as_ref().is_some_and(|enabled| !enabled.value) {
        return None;
    }
    let name = table
        .name
        .clone()
        .unwrap_or_else(|| Spanned::unwritten(default.to_owned()));
    names::check(Rule::Subdomain, "a monitor's name", &name, problems);
    Some(ObjectInput {
        values: Monitor {
            name,
            namespace: namespace.clone(),
            interval: table.interval.clone(),
        },
        overlay: table.overlay(),
    })
}

fn pairs(key: &str, value: &str) -> Pairs {
    let text = |text: &str| Spanned::unwritten(text.to_owned());
    Pairs(vec![(text(key), text(value))])
}

fn dashboard(
    shared: &Grafana,
    name: &Text,
    own: &Table,
    problems: &mut Vec<Diagnostic>,
) -> ObjectInput<Dashboard> {
    names::check(Rule::Subdomain, "a dashboard's name", name, problems);
    let (message, help) = match (&own.url, &own.id) {
        (Some(_), Some(_)) => ("has both a `url` and an `id`", "keep one of the two"),
        (None, None) if own.spec.is_none() => (
            "has neither a `url` nor an `id`",
            "add `id = 24459`, its number on grafana.com, or `url = …`",
        ),
        _ => ("", ""),
    };
    if !message.is_empty() {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                format!("the dashboard {} {message}", name.value),
            )
            .at(own.url.as_ref().and_then(|url| url.span).or(name.span))
            .why("the Grafana operator reads a dashboard from exactly one source")
            .help(help),
        );
    }
    let given = |pairs: &Pairs, default: Pairs| {
        if pairs.0.is_empty() {
            default
        } else {
            pairs.clone()
        }
    };
    let inputs = own.inputs.clone();
    let inputs =
        inputs.unwrap_or_else(|| given(&shared.inputs, pairs("DS_PROMETHEUS", "prometheus")));
    let inputs = inputs
        .0
        .into_iter()
        .map(|(input, source)| Input { input, source });
    ObjectInput {
        values: Dashboard {
            name: name.clone(),
            instance: given(&shared.instance, pairs("dashboards", "grafana")),
            labels: shared.labels.clone(),
            folder: own.folder.clone().or_else(|| shared.folder.clone()),
            inputs: inputs.collect(),
            url: own.url.clone(),
            id: own.id.clone(),
            revision: own.revision.clone(),
        },
        overlay: own.overlay(),
    }
}
