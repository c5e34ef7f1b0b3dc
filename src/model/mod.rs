//! What `cluster.toml` means: names, addresses, listeners, versions, with defaults applied.
//!
//! [`build`] takes what was written and makes the things that will become objects, each with the
//! places of what it came from. It knows no YAML and no schema; it finds the mistakes that need no
//! schema: names that Kubernetes refuses, addresses that are none, ports used twice, settings that
//! contradict each other.

mod build;

pub mod address;
pub mod autoscaling;
pub mod chart;
pub mod cilium;
pub mod flux;
pub mod gateway;
pub mod layout;
pub mod listener;
pub mod lua;
pub mod monitoring;
pub mod names;
pub mod policy;
pub mod proxy;
pub mod route;
pub mod stream;
pub mod traffic;
pub mod verbatim;
pub mod version;

use crate::config::types::Overlay;

pub use build::build;
pub use version::{Version, Versions};

/// Everything that will be rendered.
#[derive(Clone, Debug)]
pub struct Model {
    /// The versions that decide how.
    pub versions: Versions,
    /// The namespace's name.
    pub namespace: crate::config::Text,
    /// The EnvoyProxies.
    pub proxies: Vec<Laid<proxy::Proxy>>,
    /// The GatewayClasses: the shared one, where a gateway has it, then the others.
    pub classes: Vec<Laid<proxy::Class>>,
    /// The Gateways.
    pub gateways: Vec<Laid<gateway::Gateway>>,
    /// The ClientTrafficPolicies.
    pub client_traffic: Vec<Laid<traffic::ClientTraffic>>,
    /// The BackendTrafficPolicies.
    pub backend_traffic: Vec<Laid<traffic::BackendTraffic>>,
    /// The Lua script and the gateways that it runs on.
    pub lua: Option<lua::Lua>,
    /// Security, patch and further extension policies.
    pub policies: Vec<Laid<policy::Policy>>,
    /// The redirects to HTTPS: the shared one, then gateways' own.
    pub redirects: Vec<Laid<route::Redirect>>,
    /// TCP and UDP routes.
    pub routes: Vec<Laid<route::StreamRoute>>,
    /// The ScaledObjects.
    pub autoscaling: autoscaling::Autoscaling,
    /// Monitors and dashboards.
    pub monitoring: monitoring::Monitoring,
    /// The chart.
    pub chart: chart::Chart,
    /// Flux Kustomizations, the namespace and its kustomization.
    pub flux: flux::Flux,
    /// Address pools and announcements.
    pub cilium: cilium::Cilium,
    /// Certificates.
    pub certificates: Vec<cilium::Certificate>,
    /// Folders and file names.
    pub layout: layout::Layout,
    /// The user's own manifests.
    pub extra: crate::config::extra::Extra,
    /// Objects that were written in full.
    pub verbatim: Vec<verbatim::Verbatim>,
}

/// Something that becomes one object: the values that its template sees, and what is laid over it.
#[derive(Clone, Debug)]
pub struct Laid<T> {
    /// What the template sees.
    pub of: T,
    /// What is laid over the object afterwards.
    pub overlay: Overlay,
}
