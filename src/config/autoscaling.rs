//! `[autoscaling]`

use super::types::{Count, Named, Text};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

table! {
    /// KEDA ScaledObjects. What is given here holds for each of them unless it has its own.
    pub struct Autoscaling {
        /// Whether the kustomization lists the file. Default: `true`; `false` keeps it ready beside the others.
        pub listed: Option<Spanned<bool>>,
        /// The fewest replicas. Default: 1.
        pub min: Option<Spanned<Count>>,
        /// The most replicas. Default: 2.
        pub max: Option<Spanned<Count>>,
        /// Seconds from the last active trigger to scaling down to the minimum.
        pub cooldown: Option<Spanned<Count>>,
        /// What happens when a trigger can't be read.
        pub fallback: Option<Fallback>,
        /// A trigger on a Prometheus query.
        pub prometheus: Option<Prometheus>,
        /// Further triggers, in KEDA's own keys.
        pub triggers: Vec<Node>,
        /// Laid over the `spec` of each: KEDA's own keys.
        pub spec: Option<Node>,
        /// The controller's.
        pub controller: Option<Scaled>,
        /// `false`: none for the proxies. Default: one for each gateway.
        pub proxies: Option<Spanned<bool>>,
        /// The proxies' of one gateway, by the gateway's name.
        pub gateways: Named<Scaled>,
    }
}

object_table! {
    /// One ScaledObject.
    pub struct Scaled {
        /// `false`: none.
        pub enabled: Option<Spanned<bool>>,
        /// Its name. Default: the gateway's, or `envoy-gateway`.
        pub name: Option<Text>,
        /// The fewest replicas.
        pub min: Option<Spanned<Count>>,
        /// The most replicas.
        pub max: Option<Spanned<Count>>,
        /// Seconds from the last active trigger to scaling down to the minimum.
        pub cooldown: Option<Spanned<Count>>,
        /// What happens when a trigger can't be read.
        pub fallback: Option<Fallback>,
        /// A trigger on a Prometheus query.
        pub prometheus: Option<Prometheus>,
        /// Further triggers, in KEDA's own keys.
        pub triggers: Vec<Node>,
    }
}

table! {
    /// What happens when a trigger can't be read.
    pub struct Fallback {
        /// Failures in a row until it happens.
        pub failures: Option<Spanned<Count>>,
        /// The replicas then.
        pub replicas: Option<Spanned<Count>>,
    }
}

table! {
    /// A trigger on a Prometheus query.
    pub struct Prometheus {
        /// Prometheus' address (`http://prometheus-operated.observability.svc.cluster.local:9090`).
        pub server: Option<Text>,
        /// The query.
        pub query: Option<Text>,
        /// The value at which another replica is added.
        pub threshold: Option<Text>,
    }
}
