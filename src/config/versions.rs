//! `[versions]`

use super::types::Text;

table! {
    /// The versions of the CRDs in the cluster. The default of each is the newest version in the catalogue,
    /// except for the Gateway API, whose default is the version that the chart bundles.
    pub struct Versions {
        /// The version of Envoy Gateway, if the catalogue lacks the chart's own version. Default:
        /// `chart.version`.
        pub envoy_gateway: Option<Text>,
        /// The version of the Gateway API. Default: the version that the Envoy Gateway chart bundles.
        pub gateway_api: Option<Text>,
        /// The Gateway API's channel, `standard` or `experimental`. Default: `experimental`, as the chart
        /// bundles it.
        pub gateway_api_channel: Option<Text>,
        /// The version of KEDA.
        pub keda: Option<Text>,
        /// The version of Cilium. It decides between `cilium.io/v2` and `v2alpha1`.
        pub cilium: Option<Text>,
        /// The version of cert-manager.
        pub cert_manager: Option<Text>,
        /// The version of grafana-operator.
        pub grafana_operator: Option<Text>,
        /// The version of prometheus-operator.
        pub prometheus_operator: Option<Text>,
        /// The version of external-dns. It decides the prefix of the annotations, which changed in 0.22.
        pub external_dns: Option<Text>,
        /// The version of Flux's kustomize-controller.
        pub kustomize_controller: Option<Text>,
        /// The version of Flux's helm-controller.
        pub helm_controller: Option<Text>,
        /// The version of Flux's source-controller.
        pub source_controller: Option<Text>,
    }
}

impl Versions {
    /// The declared versions of projects in the catalogue, each with the project's name. That of external-dns is not
    /// among them, because it decides nothing but the prefix of annotations, and earlier versions are not in the catalogue.
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
