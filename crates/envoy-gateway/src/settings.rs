//! What the controller is told beside the objects, and how much of the cluster is at hand.

use super::controller::helm_charts::shared_folders;
use manifest::Object;

/// How much of the cluster is at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Knowledge {
    /// What is not at hand does not exist.
    Complete,
    /// What is not at hand may exist: a Secret that cert-manager makes, a Service that a chart makes. A
    /// verdict that depends on it is `Unknown`.
    #[default]
    Partial,
}

/// The order in which objects of a kind are looked at; of two policies for one target, the first wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By creation time where it is given, then by namespace and name, as the controller sorts them.
    #[default]
    Controller,
    /// As given.
    Given,
}

/// Which extensions of Envoy Gateway are on (`config.envoyGateway.extensionApis` of its chart, and more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Backend (`enableBackend`).
    pub backend: bool,
    /// EnvoyPatchPolicy (`enableEnvoyPatchPolicy`).
    pub patch_policy: bool,
    /// Lua in EnvoyExtensionPolicy (`enableLua`).
    pub lua: bool,
    /// Secrets of type `gateway.envoyproxy.io/sds`.
    pub sds: bool,
    /// The proxy runs on the host of the controller: loopback addresses and short names are fine.
    pub host: bool,
}

impl Default for Features {
    /// Whatever a chart may turn on is on, so that nothing is called missing that may be there.
    fn default() -> Self {
        Features {
            backend: true,
            patch_policy: true,
            lua: true,
            sds: true,
            host: false,
        }
    }
}

/// All that is told beside the objects.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How much is at hand.
    pub knowledge: Knowledge,
    /// The order of objects.
    pub order: Order,
    /// What is on, where no release of the controller's chart is at hand.
    pub features: Features,
    /// What each release of the chart turns on, with the file of the release.
    pub by_release: Vec<(String, Features)>,
    /// The namespace that the controller runs in.
    pub namespace: String,
    /// Groups and kinds of an extension server, for filters and backends of routes.
    pub extensions: Vec<(String, String)>,
    /// Kinds of an extension server's policies, with their groups.
    pub extension_policies: Vec<(String, String)>,
    /// The `spec` of an EnvoyProxy that the controller's own configuration gives for all gateways.
    pub proxy: Option<manifest::value::Node>,
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
            proxy: None,
        }
    }
}

impl Settings {
    /// What is on for an object, as one of the releases nearest to it says: a repository for several clusters has a
    /// release for each. For an object that is not at hand, what any release turns on.
    pub fn features_for(&self, object: Option<&Object>) -> Features {
        let near = |file: &str| object.map(|it| shared_folders(file, &it.file));
        let Some(most) = self.by_release.iter().map(|(file, _)| near(file)).max() else {
            return self.features;
        };
        let nearest = self
            .by_release
            .iter()
            .filter(|(file, _)| near(file) == most);
        let any = |is_on: fn(&Features) -> bool| nearest.clone().any(|(_, it)| is_on(it));
        Features {
            backend: any(|it| it.backend),
            patch_policy: any(|it| it.patch_policy),
            lua: any(|it| it.lua),
            sds: any(|it| it.sds),
            host: any(|it| it.host),
        }
    }
}
