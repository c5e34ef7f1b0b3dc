//! Which objects are written to the same file.

use crate::config::delivery::DeliveryKind;

/// A group of objects that are written to the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The EnvoyProxies.
    Proxy,
    /// The GatewayClasses.
    Class,
    /// The Gateways.
    Gateways,
    /// The EnvoyExtensionPolicies that run Lua.
    Lua,
    /// The SecurityPolicies, EnvoyPatchPolicies and other EnvoyExtensionPolicies.
    Policies,
    /// The BackendTrafficPolicies.
    BackendTraffic,
    /// The ClientTrafficPolicies.
    ClientTraffic,
    /// The redirect HTTPRoutes.
    Redirect,
    /// The TCPRoutes and UDPRoutes.
    Routes,
    /// The routes and Backends of external hosts.
    External,
    /// The ReferenceGrants.
    Grants,
    /// The ListenerSets.
    ListenerSets,
    /// The Certificates.
    Certificates,
    /// The DNSEndpoints.
    Dns,
    /// The NetworkPolicies.
    NetworkPolicies,
    /// Cilium's address pools and announcements.
    Addresses,
    /// The HelmRelease.
    Release,
    /// The OCIRepository.
    Source,
    /// The proxies' PodMonitor.
    PodMonitor,
    /// The controller's ServiceMonitor.
    ServiceMonitor,
    /// The GrafanaDashboards.
    Dashboards,
    /// The ScaledObjects.
    Autoscaling,
}

/// The groups, each with its key in `layout.files`, its default file, and whether it stays in the first
/// folder if there are two.
pub const GROUPS: [(Group, &str, &str, bool); 22] = [
    (Group::Proxy, "proxy", "envoy.yaml", false),
    (Group::Class, "class", "envoy.yaml", false),
    (Group::Gateways, "gateways", "envoy.yaml", false),
    (Group::Lua, "lua", "envoy.yaml", false),
    (Group::Policies, "policies", "envoy.yaml", false),
    (
        Group::BackendTraffic,
        "backend_traffic",
        "envoy.yaml",
        false,
    ),
    (Group::ClientTraffic, "client_traffic", "envoy.yaml", false),
    (Group::Redirect, "redirect", "envoy.yaml", false),
    (Group::Routes, "routes", "routes.yaml", false),
    (Group::External, "external", "external.yaml", false),
    (Group::Grants, "grants", "referencegrant.yaml", false),
    (
        Group::ListenerSets,
        "listener_sets",
        "listenerset.yaml",
        false,
    ),
    (
        Group::Certificates,
        "certificates",
        "certificate.yaml",
        false,
    ),
    (Group::Dns, "dns", "dnsendpoint.yaml", false),
    (
        Group::NetworkPolicies,
        "network_policies",
        "networkpolicy.yaml",
        false,
    ),
    (Group::Addresses, "addresses", "addresses.yaml", false),
    (Group::Release, "release", "helmrelease.yaml", true),
    (Group::Source, "source", "ocirepository.yaml", true),
    (
        Group::PodMonitor,
        "pod_monitor",
        "observability.yaml",
        false,
    ),
    (
        Group::ServiceMonitor,
        "service_monitor",
        "observability.yaml",
        true,
    ),
    (
        Group::Dashboards,
        "dashboards",
        "grafanadashboard.yaml",
        true,
    ),
    (
        Group::Autoscaling,
        "autoscaling",
        "scaledobject.yaml",
        false,
    ),
];

/// The key in `layout.files` that names the file of two groups.
pub(super) const TRAFFIC: (&str, [Group; 2]) =
    ("traffic", [Group::BackendTraffic, Group::ClientTraffic]);

/// For each kind of delivery, the key in `layout.files` for its file in the app's folder, and the default name.
pub(super) const DELIVERY_FILES: [(DeliveryKind, &str, &str); 3] = [
    (DeliveryKind::Flux, "flux", "ks.yaml"),
    (DeliveryKind::ArgoCd, "argocd", "application.yaml"),
    (DeliveryKind::Kustomize, "values", "values.yaml"),
];

/// File names that kustomize reserves in a folder.
pub(super) const TAKEN: [&str; 2] = ["kustomization.yaml", "kustomization.yml"];
