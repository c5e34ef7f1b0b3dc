//! `[chart]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::Text;
use manifest::diagnostic::{Sources, Spanned};
use manifest::value::Node;

/// Where Envoy Gateway puts the proxies' Deployments and Services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Deploy {
    /// Beside their Gateway, under its name.
    #[default]
    GatewayNamespace,
    /// In the controller's namespace, under names with a hash.
    ControllerNamespace,
}

table! {
    /// The `gateway-helm` chart: an OCIRepository and a HelmRelease.
    pub struct Chart {
        /// The chart's version, with or without `v`. It selects the schemas, the API versions that are
        /// written, and what is on by default.
        pub version: Option<Text>,
        /// The name of the HelmRelease and of the OCIRepository. Default: `envoy-gateway`.
        pub name: Option<Text>,
        /// The registry that the chart comes from. Default: `docker.io`.
        pub registry: Option<Text>,
        /// The chart's whole address, in place of `registry` (`oci://registry.example.com/charts/gateway-helm`).
        pub url: Option<Text>,
        /// Pins the chart by digest (`sha256:…`) besides the version.
        pub digest: Option<Text>,
        /// Where proxies run. Default: `GatewayNamespace`.
        pub deploy: Option<Spanned<Deploy>>,
        /// A registry for the images that the chart runs (`global.imageRegistry`).
        pub image_registry: Option<Text>,
        /// Whether routes may use Backend resources (`extensionApis.enableBackend`).
        pub enable_backend: Option<Spanned<bool>>,
        /// Whether Lua policies run (`extensionApis.enableLua`). Default: on where `[lua]` is used and the
        /// chart has it off by default (1.9.0 and later).
        pub enable_lua: Option<Spanned<bool>>,
        /// Whether EnvoyPatchPolicies are applied (`extensionApis.enableEnvoyPatchPolicy`). Default: on
        /// where `patch_policies` are given.
        pub enable_envoy_patch_policy: Option<Spanned<bool>>,
        /// A helmfile with this chart in it, for the CRDs of a new cluster: `helmfile template` of it goes to
        /// `gatewayctl crds apply`. A path from the root (`bootstrap/helmfile.d/00-crds.yaml`). Default: none.
        pub bootstrap: Option<Text>,
        /// Laid over the chart's values, as the chart documents them.
        pub values: Option<Node>,
        /// The OCIRepository.
        pub source: Source,
        /// The HelmRelease.
        pub release: Release,
    }
}

object_table! {
    /// The OCIRepository of the chart.
    pub struct Source {
        /// `false`: none, the chart comes from elsewhere.
        pub enabled: Option<Spanned<bool>>,
        /// Its name. Default: the chart's.
        pub name: Option<Text>,
        /// How often the registry is asked. Default: `15m`.
        pub interval: Option<Text>,
    }
}

object_table! {
    /// The HelmRelease of the chart.
    pub struct Release {
        /// `false`: none, the chart is installed elsewhere.
        pub enabled: Option<Spanned<bool>>,
        /// How often the release is reconciled. Default: `1h`.
        pub interval: Option<Text>,
    }
}

/// The text of a `cluster.toml` with another version of the chart in it, all else as it was; `None` where it gives none.
pub fn with_version(text: &str, version: &str) -> Option<String> {
    let mut sources = Sources::default();
    let id = sources.add("", text);
    let (cluster, _) = super::load(&sources, id);
    let span = cluster?.chart.version?.span?;
    let (start, end) = (
        usize::try_from(span.start).ok()?,
        usize::try_from(span.end).ok()?,
    );
    let version = toml::Value::from(version);
    Some(format!(
        "{}{version}{}",
        text.get(..start)?,
        text.get(end..)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_alone_is_replaced() {
        let text = "domain = \"example.com\"\n[chart]\nversion = '1.8.3' # runs here\n";
        let after = with_version(text, "1.9.0");
        assert_eq!(after, Some(text.replace("'1.8.3'", "\"1.9.0\"")));
        assert_eq!(with_version("domain = \"example.com\"\n", "1.9.0"), None);
        assert_eq!(with_version("[chart", "1.9.0"), None);
    }
}
