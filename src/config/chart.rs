//! `[chart]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rate_limit::RateLimitService;
use super::types::{Count, Text};
use manifest::diagnostic::{Sources, Spanned};
use manifest::value::Node;

/// The namespace in which Envoy Gateway creates the proxies' Deployments and Services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Deploy {
    /// In the namespace of the Gateway, under the Gateway's name.
    #[default]
    GatewayNamespace,
    /// In the controller's namespace, under names that end in a hash.
    ControllerNamespace,
}

table! {
    /// The `gateway-helm` chart: an OCIRepository and a HelmRelease.
    pub struct Chart {
        /// The chart's version, with or without `v`. It selects the schemas, the API versions that are
        /// written, and the defaults.
        pub version: Option<Text>,
        /// The name of the HelmRelease and of the OCIRepository. Default: `envoy-gateway`.
        pub name: Option<Text>,
        /// The registry that the chart comes from. Default: `docker.io`.
        pub registry: Option<Text>,
        /// The chart's full address, instead of `registry`
        /// (`oci://registry.example.com/charts/gateway-helm`).
        pub url: Option<Text>,
        /// Pins the chart to a digest (`sha256:…`), in addition to the version.
        pub digest: Option<Text>,
        /// The namespace in which the proxies run. Default: `GatewayNamespace`.
        pub deploy: Option<Spanned<Deploy>>,
        /// A registry for the images that the chart uses (`global.imageRegistry`).
        pub image_registry: Option<Text>,
        /// Whether routes may refer to Backend resources (`extensionApis.enableBackend`).
        /// Default: `true` if there are `external` hosts.
        pub enable_backend: Option<Spanned<bool>>,
        /// Whether Lua in EnvoyExtensionPolicies is allowed (`extensionApis.enableLua`). Default: `true` if
        /// `[lua]` is used and the chart disables Lua by default (1.9.0 and later).
        pub enable_lua: Option<Spanned<bool>>,
        /// Whether EnvoyPatchPolicies are applied (`extensionApis.enableEnvoyPatchPolicy`). Default: `true`
        /// if there are `patch_policies`.
        pub enable_envoy_patch_policy: Option<Spanned<bool>>,
        /// The service that counts global rate limits.
        pub rate_limit: RateLimitService,
        /// The path of a helmfile that contains this chart, relative to the root
        /// (`bootstrap/helmfile.d/00-crds.yaml`). It installs the CRDs in a new cluster: pipe the output of
        /// `helmfile template` to `gatewayctl crds apply`. If the file describes several clusters, `{cluster}` is
        /// replaced by the cluster's name. Default: none.
        pub bootstrap: Option<Text>,
        /// Merged over the chart's values, with the keys that the chart documents.
        pub values: Option<Node>,
        /// The OCIRepository from which the chart is pulled.
        pub source: Source,
        /// The HelmRelease that installs the chart.
        pub release: Release,
    }
}

object_table! {
    /// The OCIRepository of the chart.
    pub struct Source {
        /// `false` doesn't write an OCIRepository, because the chart comes from another source.
        pub enabled: Option<Spanned<bool>>,
        /// The name of the OCIRepository. Default: `chart.name`.
        pub name: Option<Text>,
        /// How often Flux checks the registry. Default: `15m`.
        pub interval: Option<Text>,
    }
}

object_table! {
    /// The HelmRelease of the chart.
    pub struct Release {
        /// `false` doesn't write a HelmRelease, because the chart is installed in another way.
        pub enabled: Option<Spanned<bool>>,
        /// How often Flux reconciles the release. Default: `1h`.
        pub interval: Option<Text>,
        /// How long Helm waits for each object.
        pub timeout: Option<Text>,
        /// What Flux does about objects that somebody changed: `enabled` corrects them, `warn` tells it, `disabled`
        /// ignores it. Default: `disabled`.
        pub drift_detection: Option<Text>,
        /// How many revisions of the release are kept.
        pub max_history: Option<Spanned<Count>>,
        /// What Flux does when it installs the chart.
        pub install: ReleaseAction,
        /// What Flux does when it upgrades the chart.
        pub upgrade: ReleaseAction,
        /// Whether the history of the release stays after it is uninstalled.
        pub keep_history: Option<Spanned<bool>>,
    }
}

table! {
    /// What Flux does when it installs or upgrades the chart.
    pub struct ReleaseAction {
        /// What happens to the CRDs in the chart: `CreateReplace`, `Create` or `Skip`. Default: `CreateReplace`.
        pub crds: Option<Text>,
        /// How often Flux tries again after a failure; -1 means without end.
        pub retries: Option<Spanned<Count>>,
        /// Whether the last failure is remedied, too (`remediation.remediateLastFailure`).
        pub remediate_last_failure: Option<Spanned<bool>>,
        /// Only for upgrades: what happens after a failure, `rollback` or `uninstall`.
        pub strategy: Option<Text>,
        /// Only for upgrades: whether new objects are deleted after a failure.
        pub cleanup_on_fail: Option<Spanned<bool>>,
    }
}

/// Returns the text of a `cluster.toml` with `chart.version` replaced and everything else unchanged; `None`
/// if it has no `chart.version`.
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
