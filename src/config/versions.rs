//! `[versions]`

use super::types::Text;
use manifest::diagnostic::Sources;

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

/// Returns the text of a `cluster.toml` with a version in `[versions]`, in place of the one that is declared there, if any.
/// The text is returned as it is if it can't be read, or if the project has no key.
pub fn with_declared(text: &str, project: &str, version: &str) -> String {
    let mut sources = Sources::default();
    let id = sources.add("", text);
    let (Some(cluster), _) = super::load(&sources, id) else {
        return text.to_owned();
    };
    let versions = &cluster.versions;
    let (key, declared) = match project {
        "envoy-gateway" => ("envoy_gateway", &versions.envoy_gateway),
        "external-dns" => ("external_dns", &versions.external_dns),
        "gateway-api" => ("gateway_api", &versions.gateway_api),
        "keda" => ("keda", &versions.keda),
        "cilium" => ("cilium", &versions.cilium),
        "cert-manager" => ("cert_manager", &versions.cert_manager),
        "grafana-operator" => ("grafana_operator", &versions.grafana_operator),
        "prometheus-operator" => ("prometheus_operator", &versions.prometheus_operator),
        _ => return text.to_owned(),
    };
    let version = toml::Value::from(version);
    if let Some(range) = declared
        .as_ref()
        .and_then(|it| it.span)
        .map(|span| span.range())
    {
        let mut text = text.to_owned();
        text.replace_range(range, &version.to_string());
        return text;
    }
    let line = format!("{key} = {version}\n");
    let mut at = 0;
    for written in text.split_inclusive('\n') {
        at += written.len();
        let header = written.split('#').next().unwrap_or_default().trim();
        if header == "[versions]" && written.ends_with('\n') {
            let (before, after) = text.split_at(at);
            return format!("{before}{line}{after}");
        }
    }
    // Without its own table, there may be single keys (`versions.keda = …`) before the first table.
    match versions.declared().next() {
        Some(_) => format!("versions.{line}{text}"),
        None => format!("{text}\n[versions]\n{line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::with_declared;

    #[test]
    fn a_version_is_declared_wherever_it_may_be() {
        let with = |text: &str| with_declared(text, "keda", "2.20.2");
        assert_eq!(
            with("[versions]\nkeda = '2.18.3' # now\n"),
            "[versions]\nkeda = \"2.20.2\" # now\n"
        );
        assert_eq!(
            with("[versions] # all\ncilium = '1.18.2'\n"),
            "[versions] # all\nkeda = \"2.20.2\"\ncilium = '1.18.2'\n"
        );
        assert_eq!(
            with("versions.cilium = '1.18.2'\n"),
            "versions.keda = \"2.20.2\"\nversions.cilium = '1.18.2'\n"
        );
        assert_eq!(
            with("domain = 'a.example'\n"),
            "domain = 'a.example'\n\n[versions]\nkeda = \"2.20.2\"\n"
        );
        assert_eq!(with("[versions"), "[versions");
    }
}
