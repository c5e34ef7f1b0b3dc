//! `[monitoring]`

use super::types::{Count, Named, Pairs, Text};
use manifest::diagnostic::Spanned;

table! {
    /// Prometheus monitors and Grafana dashboards.
    pub struct Monitoring {
        /// The PodMonitor of the proxies.
        pub proxies: Monitor,
        /// The ServiceMonitor of the controller.
        pub controller: Monitor,
        /// Settings that all dashboards share.
        pub grafana: Grafana,
        /// GrafanaDashboards, by name.
        pub dashboards: Named<Dashboard>,
    }
}

object_table! {
    /// A PodMonitor or ServiceMonitor.
    pub struct Monitor {
        /// `false` doesn't write this monitor. Default: `true`.
        pub enabled: Option<Spanned<bool>>,
        /// The name of the monitor. Default: `envoy-proxy` for the proxies, `envoy-gateway` for the
        /// controller.
        pub name: Option<Text>,
        /// How often Prometheus scrapes the metrics. Default: Prometheus' own setting.
        pub interval: Option<Text>,
    }
}

table! {
    /// Settings that all dashboards share.
    pub struct Grafana {
        /// The labels of the Grafana instances that import the dashboards. Default: `dashboards = "grafana"`.
        pub instance: Pairs,
        /// Labels for the dashboards.
        pub labels: Pairs,
        /// The folder in Grafana.
        pub folder: Option<Text>,
        /// The data sources for the dashboards' inputs. Default: `DS_PROMETHEUS = "prometheus"`.
        pub inputs: Pairs,
    }
}

object_table! {
    /// A GrafanaDashboard, from a `url` or by its `id` on grafana.com.
    pub struct Dashboard {
        /// The URL of the dashboard's JSON.
        pub url: Option<Text>,
        /// The dashboard's number on grafana.com.
        pub id: Option<Spanned<Count>>,
        /// The dashboard's revision on grafana.com. Default: the newest.
        pub revision: Option<Spanned<Count>>,
        /// The folder in Grafana.
        pub folder: Option<Text>,
        /// The data sources for the dashboard's inputs, instead of the shared ones.
        pub inputs: Option<Pairs>,
    }
}
