//! `[autoscaling]`

use super::types::{Count, Named, Text};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

table! {
    /// KEDA ScaledObjects. The settings given here apply to each ScaledObject that doesn't set its own.
    pub struct Autoscaling {
        /// Whether the kustomization lists the file. Default: `true`. With `false` the file is rendered but
        /// not applied.
        pub listed: Option<Spanned<bool>>,
        /// The minimum number of replicas. Default: 1.
        pub min: Option<Spanned<Count>>,
        /// The maximum number of replicas. Default: 2.
        pub max: Option<Spanned<Count>>,
        /// Seconds to wait after the last active trigger before scaling to zero. It has no effect if `min` is not 0:
        /// then `advanced.horizontalPodAutoscalerConfig.behavior` in `spec` decides when replicas are removed.
        pub cooldown: Option<Spanned<Count>>,
        /// The number of replicas to fall back to when a trigger can't be read.
        pub fallback: Option<Fallback>,
        /// A trigger on a Prometheus query.
        pub prometheus: Option<Prometheus>,
        /// More triggers, written with KEDA's own keys.
        pub triggers: Vec<Node>,
        /// Merged over the `spec` of each ScaledObject, with KEDA's own keys.
        pub spec: Option<Node>,
        /// The ScaledObject for the controller.
        pub controller: Option<Scaled>,
        /// Whether the proxies get ScaledObjects. Default: one for each gateway; `false` writes none.
        pub proxies: Option<Spanned<bool>>,
        /// The ScaledObject for one gateway's proxies, by the gateway's name.
        pub gateways: Named<Scaled>,
    }
}

object_table! {
    /// One ScaledObject.
    pub struct Scaled {
        /// `false` doesn't write this ScaledObject.
        pub enabled: Option<Spanned<bool>>,
        /// The name of the ScaledObject. Default: the gateway's name, or `envoy-gateway` for the controller.
        pub name: Option<Text>,
        /// The minimum number of replicas.
        pub min: Option<Spanned<Count>>,
        /// The maximum number of replicas.
        pub max: Option<Spanned<Count>>,
        /// Seconds to wait after the last active trigger before scaling to zero. It has no effect if `min` is not 0:
        /// then `advanced.horizontalPodAutoscalerConfig.behavior` in `spec` decides when replicas are removed.
        pub cooldown: Option<Spanned<Count>>,
        /// The number of replicas to fall back to when a trigger can't be read.
        pub fallback: Option<Fallback>,
        /// A trigger on a Prometheus query.
        pub prometheus: Option<Prometheus>,
        /// More triggers, written with KEDA's own keys.
        pub triggers: Vec<Node>,
    }
}

table! {
    /// The number of replicas to fall back to when a trigger can't be read.
    pub struct Fallback {
        /// How many consecutive failures activate the fallback.
        pub failures: Option<Spanned<Count>>,
        /// The number of replicas while the fallback is active.
        pub replicas: Option<Spanned<Count>>,
    }
}

table! {
    /// A trigger on a Prometheus query.
    pub struct Prometheus {
        /// The address of Prometheus (`http://prometheus-operated.observability.svc.cluster.local:9090`).
        pub server: Option<Text>,
        /// The query, in PromQL. `{gateway}` stands for the name of the gateway.
        pub query: Option<Text>,
        /// The value at which another replica is added.
        #[serde(deserialize_with = "super::types::text_or_number")]
        #[schemars(with = "Option<super::types::TextOrNumber>")]
        pub threshold: Option<Text>,
    }
}
