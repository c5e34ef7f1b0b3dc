//! The meaning of `cluster.toml`: names, addresses, listeners and versions, with defaults applied.
//! [`build`] turns the parsed tables into the values from which objects are rendered. Each value keeps its
//! position in `cluster.toml`. This module knows no YAML and no schema. It finds the mistakes that need no
//! schema: names that Kubernetes refuses, invalid addresses, ports that are used twice, settings that
//! contradict each other.

mod build;

pub mod address;
pub mod answer;
pub mod argocd;
pub mod attach;
pub mod auth;
pub mod autoscaling;
pub mod chart;
pub mod cilium;
pub mod codes;
pub mod delivery;
pub mod dns;
pub mod expression;
pub mod external;
pub mod flux;
pub mod gateway;
pub mod layout;
pub mod listener;
pub mod listener_set;
pub mod lua;
pub mod monitoring;
pub mod names;
pub mod network_policy;
pub mod policy;
pub mod proxy;
pub mod rate_limit;
pub mod route;
pub mod rules;
pub mod stream;
pub mod traffic;
pub mod tunnel;
pub mod verbatim;
pub mod version;

use crate::config::types::Overlay;

pub use build::build;
pub use version::{Version, Versions};

/// All values from which the tree is rendered.
#[derive(Clone, Debug)]
pub struct Model {
    /// The versions that decide how objects are written.
    pub versions: Versions,
    /// The name of the namespace.
    pub namespace: crate::config::Text,
    /// The EnvoyProxies.
    pub proxies: Vec<ObjectInput<proxy::Proxy>>,
    /// The GatewayClasses: first the shared one, if a gateway uses it, then the others.
    pub classes: Vec<ObjectInput<proxy::Class>>,
    /// The Gateways.
    pub gateways: Vec<ObjectInput<gateway::Gateway>>,
    /// The ListenerSets.
    pub listener_sets: Vec<ObjectInput<listener_set::ListenerSet>>,
    /// The ClientTrafficPolicies.
    pub client_traffic: Vec<ObjectInput<traffic::ClientTraffic>>,
    /// The BackendTrafficPolicies.
    pub backend_traffic: Vec<ObjectInput<traffic::BackendTraffic>>,
    /// The Lua script and the gateways that it runs on.
    pub lua: Option<lua::Lua>,
    /// SecurityPolicies, EnvoyPatchPolicies and other EnvoyExtensionPolicies.
    pub policies: Vec<ObjectInput<policy::Policy>>,
    /// SecurityPolicies that say who may pass.
    pub auth: Vec<ObjectInput<auth::Auth>>,
    /// The ReferenceGrants that they need in other namespaces.
    pub grants: Vec<ObjectInput<auth::Grant>>,
    /// The hosts outside the cluster.
    pub external: Vec<external::External>,
    /// The redirects to HTTPS: first the shared one, then those of single gateways.
    pub redirects: Vec<ObjectInput<route::Redirect>>,
    /// The routes that the gateways answer themselves.
    pub answers: Vec<ObjectInput<answer::Answer>>,
    /// The TCPRoutes and UDPRoutes.
    pub routes: Vec<ObjectInput<route::StreamRoute>>,
    /// The ScaledObjects.
    pub autoscaling: autoscaling::Autoscaling,
    /// The monitors and dashboards.
    pub monitoring: monitoring::Monitoring,
    /// The chart's OCIRepository, HelmRelease and helmfile.
    pub chart: chart::Chart,
    /// What applies the rendered files.
    pub delivery: crate::config::delivery::DeliveryKind,
    /// The Applications of Argo CD: first the chart's, then those of the folders.
    pub applications: Vec<ObjectInput<argocd::Application>>,
    /// The Flux Kustomizations, and the namespace with its kustomization.
    pub flux: flux::Flux,
    /// The DNSEndpoints.
    pub endpoints: Vec<ObjectInput<dns::Endpoint>>,
    /// What may reach the proxies and the controller.
    pub network_policies: Vec<ObjectInput<network_policy::NetworkPolicy>>,
    /// What is stated about things that are managed elsewhere: publishers of DNS records, tunnels.
    pub declared: envoy_gateway::declared::Declared,
    /// Cilium's address pools and announcements.
    pub cilium: cilium::Cilium,
    /// The Certificates.
    pub certificates: Vec<cilium::Certificate>,
    /// The folders and file names.
    pub layout: layout::Layout,
    /// The settings for the user's own manifests.
    pub extra: crate::config::extra::Extra,
    /// Objects that are written completely in `cluster.toml`.
    pub verbatim: Vec<verbatim::Verbatim>,
    /// What must never be merged.
    pub rules: rules::Rules,
}

/// The input for one rendered object: the values for its template, and its overlay.
#[derive(Clone, Debug)]
pub struct ObjectInput<T> {
    /// The values that the template gets.
    pub values: T,
    /// Merged over the object after its template was rendered.
    pub overlay: Overlay,
}
