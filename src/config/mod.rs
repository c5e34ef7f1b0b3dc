//! The types of `cluster.toml`, with one file for each table and a source position for every value.
//! [`load()`] reads the text into [`Cluster`] and reports all mistakes of form in one run: invalid TOML,
//! unknown keys, wrong types. What the values mean is decided in [`model`](crate::model). The documentation
//! comments of these types are the user reference: `explain KEY`, the JSON Schema for editors and the
//! README's tables are generated from them.

#[macro_use]
mod table;

pub mod answer;
pub mod auth;
pub mod autoscaling;
pub mod cert_manager;
pub mod chart;
pub mod cilium;
pub mod codes;
pub mod delivery;
pub mod description;
pub mod dns;
pub mod external;
pub mod extra;
pub mod flux;
pub mod gateway;
pub mod layout;
pub mod listener_set;
pub mod load;
pub mod lua;
pub mod monitoring;
pub mod network_policy;
pub mod overrides;
pub mod policy;
pub mod proxy;
pub mod proxy_pods;
pub mod rate_limit;
pub mod reference;
pub mod route;
pub mod rules;
pub mod schema;
pub mod test;
pub mod traffic;
pub mod tunnel;
pub mod types;
pub mod validate;
pub mod values;
pub mod versions;

pub use load::load;
pub use types::{Count, Named, Namespaces, Pairs, Text, Texts, Toggle};

table! {
    /// The Envoy Gateway configuration of one cluster.
    pub struct Cluster {
        /// The domain that the gateways serve. Default hostnames are derived from it, such as the gateways'
        /// DNS names (`external.example.com` for `envoy-external`). It may contain a Flux variable.
        pub domain: Option<Text>,
        /// The Secret, or several, with the TLS certificate for every `https` listener that doesn't name its
        /// own.
        pub certificates: Texts,
        /// The versions of the CRDs in the cluster, by project.
        pub versions: versions::Versions,
        /// The `gateway-helm` chart. Its version determines most other versions and defaults.
        pub chart: chart::Chart,
        /// The GatewayClass that the gateways share. It is not written if every gateway uses another class.
        pub class: proxy::Class,
        /// Additional GatewayClasses, by name. A gateway selects one with its `class`.
        pub classes: Named<proxy::FurtherClass>,
        /// The EnvoyProxy that the gateways share.
        pub proxy: proxy::Proxy,
        /// The gateways, by name.
        pub gateways: Named<gateway::Gateway>,
        /// Listeners of teams in namespaces of their own, by the names of their ListenerSets.
        pub listener_sets: Named<listener_set::ListenerSet>,
        /// The gateways' DNS records, and who publishes them.
        pub dns: dns::Dns,
        /// A Cloudflare tunnel that leads to gateways.
        pub tunnel: Option<tunnel::Tunnel>,
        /// The ClientTrafficPolicy that the gateways share.
        pub client_traffic: Option<traffic::ClientTraffic>,
        /// The BackendTrafficPolicy that the gateways share.
        pub backend_traffic: Option<traffic::BackendTraffic>,
        /// Lua that runs on every request: user agent blocking, or your own script.
        pub lua: Option<lua::Lua>,
        /// SecurityPolicies that target gateways, by name.
        pub security_policies: Named<policy::Policy>,
        /// EnvoyPatchPolicies that target gateways, by name.
        pub patch_policies: Named<policy::Policy>,
        /// Additional EnvoyExtensionPolicies (Wasm, external processing) that target gateways, by name.
        pub extension_policies: Named<policy::Policy>,
        /// Who may pass the gateways, by the names of the SecurityPolicies: logins, passwords, tokens, keys, networks.
        pub auth: Named<auth::Auth>,
        /// The HTTPRoute that redirects HTTP to HTTPS.
        pub redirect: route::Redirect,
        /// Redirects to other URLs, by the names of their routes.
        pub redirects: Named<answer::RedirectTo>,
        /// Requests that the gateways answer themselves, by the names of their routes.
        pub responses: Named<answer::Response>,
        /// SSH through the gateways. It is a shorthand for `tcp.ssh` with port 22.
        pub ssh: Option<route::Stream>,
        /// TCP through the gateways, by the name of the listener.
        pub tcp: Named<route::Stream>,
        /// UDP through the gateways, by the name of the listener.
        pub udp: Named<route::Stream>,
        /// Hosts outside the cluster that the gateways serve, by name.
        pub external: Named<external::External>,
        /// KEDA ScaledObjects for the controller and the proxies.
        pub autoscaling: Option<autoscaling::Autoscaling>,
        /// What may reach the proxies and the controller: NetworkPolicies.
        pub network_policies: Option<network_policy::NetworkPolicies>,
        /// Prometheus monitors and Grafana dashboards.
        pub monitoring: Option<monitoring::Monitoring>,
        /// What applies the rendered files to the cluster: Flux, Argo CD, or you with `kubectl apply -k`.
        pub delivery: delivery::Delivery,
        /// The Flux Kustomizations.
        pub flux: flux::Flux,
        /// The Applications of Argo CD, with `delivery.kind = "argocd"`.
        pub argocd: delivery::ArgoCd,
        /// The namespace and its kustomization.
        pub namespace: flux::Namespace,
        /// Where files are written and how they are named.
        pub layout: layout::Layout,
        /// Load balancer address pools and how addresses are announced.
        pub cilium: Option<cilium::Cilium>,
        /// Certificates made by cert-manager.
        pub cert_manager: Option<cert_manager::CertManager>,
        /// Your own manifests beside the generated ones.
        pub extra: extra::Extra,
        /// What `validate` reports: findings that are not reported, and severities.
        pub validate: validate::Validate,
        /// What must never be merged. `validate` reports it with the codes of the group `guard`.
        pub rules: rules::Rules,
        /// Tests of requests, which `gatewayctl test` runs. More of them can be in `tests/*.toml` beside this file.
        pub test: Vec<test::Test>,
        /// Networks that the tests name, each with one CIDR or several.
        pub networks: Named<Texts>,
        /// Other files whose settings count where this one has none, as paths relative to this file. Tables are
        /// merged; any other value of this file, and so a list, replaces theirs. Of several files, the later one
        /// counts more.
        pub extends: Texts,
        /// Keys with dots that are taken away from what `extends` brings, or, in the table of a cluster, from what
        /// the clusters have in common: `remove = ["gateways.envoy-internal"]`.
        pub remove: Texts,
        /// Several clusters, by name. The table of a cluster has the same keys as this file, for what differs from
        /// what is written above for all. It is merged in the same way as a file over those that it extends.
        pub clusters: Named<manifest::value::Node>,
    }
}
