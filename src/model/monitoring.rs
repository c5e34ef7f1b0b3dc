//! Monitors and dashboards.

use serde::Serialize;

use super::Laid;
use super::names::{self, Rule};
use crate::codes;
use crate::config::monitoring::{Dashboard as Table, Grafana, Monitor as MonitorTable};
use crate::config::{Cluster, Count, Pairs, Text};
use manifest::diagnostic::{Diagnostic, Spanned};

/// What watches the front door.
#[derive(Clone, Debug, Default)]
pub struct Monitoring {
    /// The proxies' PodMonitor.
    pub proxies: Option<Laid<Monitor>>,
    /// The controller's ServiceMonitor.
    pub controller: Option<Laid<Monitor>>,
    /// The dashboards.
    pub dashboards: Vec<Laid<Dashboard>>,
}

/// A monitor, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Monitor {
    /// Its name.
    pub name: Text,
    /// The namespace that it watches.
    pub namespace: Text,
    /// How often.
    pub interval: Option<Text>,
}

/// A dashboard, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Dashboard {
    /// Its name.
    pub name: Text,
    /// The labels of the instances that take it.
    pub instance: Pairs,
    /// Its labels.
    pub labels: Pairs,
    /// Its folder.
    pub folder: Option<Text>,
    /// Data source inputs and data sources.
    pub inputs: Vec<Input>,
    /// Where its JSON is.
    pub url: Option<Text>,
    /// Its number on grafana.com.
    pub id: Option<Spanned<Count>>,
    /// The revision on grafana.com.
    pub revision: Option<Spanned<Count>>,
}

/// A data source input.
#[derive(Clone, Debug, Serialize)]
pub struct Input {
    /// The input's name in the dashboard.
    pub input: Text,
    /// The data source that it gets.
    pub source: Text,
}

/// Monitors and dashboards, where `[monitoring]` is given.
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
) -> Option<Laid<Monitor>> {
    if table.enabled.as_ref().is_some_and(|enabled| !enabled.value) {
        return None;
    }
    let name = table
        .name
        .clone()
        .unwrap_or_else(|| Spanned::unwritten(default.to_owned()));
    names::check(Rule::Subdomain, "a monitor's name", &name, problems);
    Some(Laid {
        of: Monitor {
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
) -> Laid<Dashboard> {
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
            .why("the operator takes a dashboard from exactly one place")
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
    Laid {
        of: Dashboard {
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
