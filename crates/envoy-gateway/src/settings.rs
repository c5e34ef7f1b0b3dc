//! The settings of the controller that are not in the objects, and how much of the cluster is given.

use std::collections::BTreeMap;

use super::controller::ASSUMED;
use super::declared::Declared;
use manifest::Object;
use manifest::value::path::nearest;

/// How much of the cluster is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Knowledge {
    /// Everything: an object that is not given doesn't exist.
    Complete,
    /// Only a part: an object that is not given may exist, for example a Secret that cert-manager creates, or a
    /// Service of a Helm chart. A condition that depends on it is `Unknown`.
    #[default]
    Partial,
}

/// The order in which objects of the same kind are processed. If two policies target the same object, the first one
/// wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By creation time, if it is given, then by namespace and name. The controller sorts in the same way.
    #[default]
    Controller,
    /// In the order in which they are given.
    Given,
}

/// The version of Envoy Gateway, and its features that can be enabled, most of them with `config.envoyGateway.extensionApis` in its
/// chart's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// The major and minor version of the controller. Each minor version judges some things in its own way.
    pub minor: (u64, u64),
    /// Backend (`enableBackend`).
    pub backend: bool,
    /// EnvoyPatchPolicy (`enableEnvoyPatchPolicy`).
    pub patch_policy: bool,
    /// Lua in EnvoyExtensionPolicy (`enableLua`).
    pub lua: bool,
    /// Secrets of type `gateway.envoyproxy.io/sds`.
    pub sds: bool,
    /// Global rate limits, which need a Redis (`rateLimit`).
    pub global_rate_limit: bool,
    /// The proxy runs on the host of the controller, so loopback addresses and short host names are allowed.
    pub host: bool,
}

impl Default for Features {
    /// Enables everything that a chart can enable, so that nothing is reported as disabled that may be enabled.
    fn default() -> Self {
        Features {
            minor: ASSUMED,
            backend: true,
            patch_policy: true,
            lua: true,
            sds: true,
            global_rate_limit: true,
            host: false,
        }
    }
}

/// The settings of the controller that are not in the objects.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How much of the cluster is given.
    pub knowledge: Knowledge,
    /// The order in which objects are processed.
    pub order: Order,
    /// The enabled features, if no release of the controller's chart is given.
    pub features: Features,
    /// The features that each release of the chart enables, with the file of the release.
    pub by_release: Vec<(String, Features)>,
    /// The namespace in which the controller runs.
    pub namespace: String,
    /// The groups and kinds that an extension server adds for filters and backends of routes.
    pub extensions: Vec<(String, String)>,
    /// The groups and kinds of policies that an extension server adds.
    pub extension_policies: Vec<(String, String)>,
    /// Whether the texts of scripts are checked.
    pub reads_scripts: bool,
    /// Scripts that fail when the controller runs them to check them, each with the error.
    pub refused_scripts: BTreeMap<String, String>,
    /// The `spec` of an EnvoyProxy for all gateways, from the controller's own configuration.
    pub proxy: Option<manifest::value::Node>,
    /// What is managed elsewhere, and taken as a fact.
    pub declared: Declared,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            knowledge: Knowledge::default(),
            order: Order::default(),
            features: Features::default(),
            by_release: Vec::new(),
            namespace: "envoy-gateway-system".to_owned(),
            extensions: Vec::new(),
            extension_policies: Vec::new(),
            reads_scripts: true,
            refused_scripts: BTreeMap::new(),
            proxy: None,
            declared: Declared::default(),
        }
    }
}

impl Settings {
    /// The features for an object, according to the releases nearest to it, because a repository for several clusters
    /// has a release for each. If `object` is `None`, those that any release enables.
    pub fn features_for(&self, object: Option<&Object>) -> Features {
        let releases = self.by_release.iter();
        let nearest = match object {
            Some(object) => nearest(&object.file, releases, |(file, _)| file),
            None => releases.collect(),
        };
        if nearest.is_empty() {
            return self.features;
        }
        let any = |is_on: fn(&Features) -> bool| nearest.iter().any(|(_, it)| is_on(it));
        let newest = nearest.iter().map(|(_, it)| it.minor).max();
        Features {
            minor: newest.unwrap_or(self.features.minor),
            backend: any(|it| it.backend),
            patch_policy: any(|it| it.patch_policy),
            lua: any(|it| it.lua),
            sds: any(|it| it.sds),
            global_rate_limit: any(|it| it.global_rate_limit),
            host: any(|it| it.host),
        }
    }
    /// Whether the controller that handles an object has at least a minor version. If several releases may handle it,
    /// the newest one counts.
    pub fn is_from(&self, minor: (u64, u64), object: &Object) -> bool {
        self.features_for(Some(object)).minor >= minor
    }
}
