//! What a person writes: `cluster.toml`, one file here a table there, every value with its place.
//!
//! [`load()`] reads the text into [`Cluster`] and reports every mistake of form at once: broken TOML,
//! unknown keys, wrong types. What the values *mean* is the [`model`](crate::model)'s business. The
//! documentation comments of these types are the reference: `explain KEY`, the JSON Schema that editors
//! use and the README's tables are all made from them.

#[macro_use]
mod table;

pub mod autoscaling;
pub mod cert_manager;
pub mod chart;
pub mod cilium;
pub mod extra;
pub mod flux;
pub mod gateway;
pub mod layout;
pub mod load;
pub mod lua;
pub mod monitoring;
pub mod policy;
pub mod proxy;
pub mod reference;
pub mod route;
pub mod schema;
pub mod traffic;
pub mod types;
pub mod versions;

pub use load::load;
pub use types::{Count, Named, Namespaces, Pairs, Text, Texts, Toggle};

table! {
    /// One cluster's front door.
    pub struct Cluster {
        /// The domain that the gateways serve. Names that aren't given are made from it: the DNS names of
        /// the gateways (`external.example.com` for `envoy-external`). May hold a Flux variable.
        pub domain: Option<Text>,
        /// The Secret (or several) with the TLS certificate that every `https` listener uses unless it names its own.
        pub certificates: Texts,
        /// The versions of the CRDs in the cluster, by project.
        pub versions: versions::Versions,
        /// The `gateway-helm` chart: the one version that decides most others.
        pub chart: chart::Chart,
        /// The GatewayClass that the gateways share. There is none where every gateway has another.
        pub class: proxy::Class,
        /// Further GatewayClasses, by name; a gateway has one by its `class`.
        pub classes: Named<proxy::FurtherClass>,
        /// The EnvoyProxy that the gateways share.
        pub proxy: proxy::Proxy,
        /// The gateways, by name.
        pub gateways: Named<gateway::Gateway>,
        /// How the gateways' names get into DNS through external-dns.
        pub dns: gateway::Dns,
        /// The ClientTrafficPolicy that the gateways share.
        pub client_traffic: Option<traffic::ClientTraffic>,
        /// The BackendTrafficPolicy that the gateways share.
        pub backend_traffic: Option<traffic::BackendTraffic>,
        /// Lua that runs on every request: user-agent blocking, or a script of your own.
        pub lua: Option<lua::Lua>,
        /// SecurityPolicies aimed at gateways, by name.
        pub security_policies: Named<policy::Policy>,
        /// EnvoyPatchPolicies aimed at gateways, by name.
        pub patch_policies: Named<policy::Policy>,
        /// Further EnvoyExtensionPolicies (WASM, external processing) aimed at gateways, by name.
        pub extension_policies: Named<policy::Policy>,
        /// The HTTPRoute that sends plain HTTP to HTTPS.
        pub redirect: route::Redirect,
        /// SSH through the gateways: `tcp.ssh` with port 22.
        pub ssh: Option<route::Stream>,
        /// TCP through the gateways, by the name of the listener.
        pub tcp: Named<route::Stream>,
        /// UDP through the gateways, by the name of the listener.
        pub udp: Named<route::Stream>,
        /// KEDA ScaledObjects for the controller and the proxies.
        pub autoscaling: Option<autoscaling::Autoscaling>,
        /// Prometheus monitors and Grafana dashboards.
        pub monitoring: Option<monitoring::Monitoring>,
        /// The Flux Kustomizations.
        pub flux: flux::Flux,
        /// The namespace, and its kustomization.
        pub namespace: flux::Namespace,
        /// Where files go and what they are called.
        pub layout: layout::Layout,
        /// Load balancer addresses and how they are announced.
        pub cilium: Option<cilium::Cilium>,
        /// Certificates made by cert-manager.
        pub cert_manager: Option<cert_manager::CertManager>,
        /// Your own manifests beside the generated ones.
        pub extra: extra::Extra,
    }
}
