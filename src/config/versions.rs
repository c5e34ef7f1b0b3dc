//! `[versions]`

use super::types::Text;

table! {
    /// The versions of the CRDs in the cluster. What isn't given is the newest in the catalogue; the
    /// Gateway API's is the one that the chart bundles.
    pub struct Versions {
        /// Envoy Gateway, where the catalogue lacks the chart's own version. Default: `chart.version`.
        pub envoy_gateway: Option<Text>,
        /// Gateway API. Default: the version whose CRDs the Envoy Gateway chart bundles.
        pub gateway_api: Option<Text>,
        /// `standard` or `experimental`. Default: `experimental`, as the chart bundles it.
        pub gateway_api_channel: Option<Text>,
        /// KEDA.
        pub keda: Option<Text>,
        /// Cilium; decides between `cilium.io/v2` and `v2alpha1`.
        pub cilium: Option<Text>,
        /// cert-manager.
        pub cert_manager: Option<Text>,
        /// grafana-operator.
        pub grafana_operator: Option<Text>,
        /// prometheus-operator.
        pub prometheus_operator: Option<Text>,
        /// Flux's kustomize-controller.
        pub kustomize_controller: Option<Text>,
        /// Flux's helm-controller.
        pub helm_controller: Option<Text>,
        /// Flux's source-controller.
        pub source_controller: Option<Text>,
    }
}

impl Versions {
    /// What was declared: project and version, in the catalogue's names.
    pub fn declared(&self) -> impl Iterator<Item = (&'static str, &Text)> {
        [
            ("gateway-api", &self.gateway_api),
            ("keda", &self.keda),
            ("cilium", &self.cilium),
            ("cert-manager", &self.cert_manager),
            ("grafana-operator", &self.grafana_operator),
            ("prometheus-operator", &self.prometheus_operator),
            ("kustomize-controller", &self.kustomize_controller),
            ("helm-controller", &self.helm_controller),
            ("source-controller", &self.source_controller),
        ]
        .into_iter()
        .filter_map(|(project, version)| Some((project, version.as_ref()?)))
    }
}
