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
        /// What all dashboards share.
        pub grafana: Grafana,
        /// GrafanaDashboards, by name.
        pub dashboards: Named<Dashboard>,
    }
}

object_table! {
    /// A PodMonitor or ServiceMonitor.
    pub struct Monitor {
        /// `false`: none. Default: on.
        pub enabled: Option<Spanned<bool>>,
        /// Its name. Default: `envoy-proxy` of the proxies, the chart's name of the controller.
        pub name: Option<Text>,
        /// How often metrics are read. Default: Prometheus' own.
        pub interval: Option<Text>,
    }
}

table! {
    /// What all dashboards share.
    pub struct Grafana {
        /// The labels of the Grafana instances that take them. Default: `dashboards = "grafana"`.
        pub instance: Pairs,
        /// Labels of the dashboards.
        pub labels: Pairs,
        /// The folder.
        pub folder: Option<Text>,
        /// Data source inputs and the data sources that they get. Default: `DS_PROMETHEUS = "prometheus"`.
        pub inputs: Pairs,
    }
}

object_table! {
    /// A GrafanaDashboard: by `url`, or by the `id` of grafana.com.
    pub struct Dashboard {
        /// Where its JSON is.
        pub url: Option<Text>,
        /// Its number on grafana.com.
        pub id: Option<Spanned<Count>>,
        /// The revision on grafana.com. Default: the newest.
        pub revision: Option<Spanned<Count>>,
        /// The folder.
        pub folder: Option<Text>,
        /// Data source inputs and the data sources that they get, in place of the shared ones.
        pub inputs: Option<Pairs>,
    }
}
