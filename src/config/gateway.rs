//! `[gateways.NAME]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dns::GatewayDns;
use super::network_policy::GatewayNetworkPolicy;
use super::proxy::Proxy;
use super::route::Redirect;
use super::traffic::{BackendTraffic, ClientTraffic};
use super::types::{Count, Named, Namespaces, Pairs, Text, Texts};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

/// How a gateway requests its address from the load balancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AddressAs {
    /// The annotation `lbipam.cilium.io/ips` on the Service.
    #[default]
    Annotation,
    /// The annotation `io.cilium/lb-ipam-ips`, for Cilium before 1.15.
    LegacyAnnotation,
    /// The field `spec.addresses` of the Gateway.
    Spec,
}

object_table! {
    /// A Gateway.
    pub struct Gateway {
        /// The address, or several (IPv4 and IPv6), or a Flux variable. With `[]` the load balancer picks
        /// one.
        pub address: Texts,
        /// `annotation` (`lbipam.cilium.io/ips`), `legacy-annotation` (`io.cilium/lb-ipam-ips`) or `spec`
        /// (`spec.addresses`). Default: `annotation`.
        pub address_as: Option<Spanned<AddressAs>>,
        /// The DNS records of the gateway.
        pub dns: GatewayDns,
        /// The Secrets with this gateway's TLS certificates, instead of the cluster-wide `certificates`.
        pub certificates: Texts,
        /// The GatewayClass, if it is not the shared one: one of `[classes]`, or one that is defined
        /// elsewhere.
        pub class: Option<Text>,
        /// An EnvoyProxy for this gateway only.
        pub proxy: Option<Proxy>,
        /// Labels and annotations for the objects that Envoy Gateway creates for this gateway (Service,
        /// Deployment).
        pub infrastructure: Infrastructure,
        /// The listeners, by name. `http` (80) and `https` (443) exist unless they are disabled; the
        /// listeners that are written here keep their order.
        pub listeners: Named<Listener>,
        /// Domains with a certificate of their own, by name. Each gets a listener for the names below it. They take the place
        /// of the listener `https`, unless that, or the gateway's own `certificates`, is written, too.
        pub domains: Named<Domain>,
        /// The namespaces whose ListenerSets may add listeners: `"Same"`, `"All"`, a list of names, or a table of labels.
        /// Default: those of [listener_sets].
        pub allowed_listeners: Option<Namespaces>,
        /// Hostnames whose TLS connections are passed through without decryption, by a listener
        /// `tls-passthrough` on port 443. The listener of each further hostname is named after it, as in
        /// `tls-passthrough-vault.example.com`. While a name has no TLSRoute, Envoy refuses port 443 if another
        /// listener there has no hostname, so `listeners.https` should have one.
        pub passthrough: Texts,
        /// A ClientTrafficPolicy for this gateway only, instead of the shared one.
        pub client_traffic: Option<ClientTraffic>,
        /// A BackendTrafficPolicy for this gateway only, instead of the shared one.
        pub backend_traffic: Option<BackendTraffic>,
        /// The NetworkPolicy of this gateway's proxies.
        pub network_policy: Option<GatewayNetworkPolicy>,
        /// A redirect route for this gateway only, instead of the shared one.
        pub redirect: Option<Redirect>,
    }
}

table! {
    /// Labels and annotations for the objects that Envoy Gateway creates for a gateway.
    pub struct Infrastructure {
        /// Labels for these objects.
        pub labels: Pairs,
        /// Annotations for these objects.
        pub annotations: Pairs,
    }
}

table! {
    /// A domain with a certificate of its own.
    pub struct Domain {
        /// The Secrets with its certificates. Default: the name of the domain, with `-` for each dot, and `-tls` after
        /// it (`example-net-tls`), which is also what [cert_manager.certificates] makes.
        pub certificates: Texts,
        /// Whether the domain itself has a listener. Two listeners with the same certificate offer HTTP/2 only if
        /// `client_traffic.tls.alpn` names it. Default: `false`.
        pub apex: Option<Spanned<bool>>,
        /// Whether the names below it have a listener (`*.example.net`). Default: `true`.
        pub wildcard: Option<Spanned<bool>>,
        /// The namespaces whose routes may attach. Default: `All`.
        pub namespaces: Option<Namespaces>,
    }
}

/// The protocol of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// HTTP without TLS.
    Http,
    /// HTTP over TLS that the gateway terminates.
    Https,
    /// TLS that the gateway passes through or terminates.
    Tls,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Whether a listener decrypts TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TlsMode {
    /// The gateway decrypts TLS.
    Terminate,
    /// The gateway passes TLS through to the backend.
    Passthrough,
}

table! {
    /// A listener of a gateway.
    pub struct Listener {
        /// `false` removes a default listener.
        pub enabled: Option<Spanned<bool>>,
        /// `HTTP`, `HTTPS`, `TLS`, `TCP` or `UDP`. Default: `HTTP` and `HTTPS` for the listeners `http` and
        /// `https`.
        pub protocol: Option<Spanned<Protocol>>,
        /// The port, 1 to 65535. Default: 80 for HTTP, 443 for HTTPS and TLS.
        pub port: Option<Spanned<Count>>,
        /// The hostname that the listener serves; a leading `*.` matches all names one or more levels below.
        pub hostname: Option<Text>,
        /// `Terminate` or `Passthrough`. Default: `Terminate` for HTTPS, `Passthrough` for TLS.
        pub tls_mode: Option<Spanned<TlsMode>>,
        /// The Secrets with this listener's certificates, instead of the gateway's.
        pub certificates: Texts,
        /// The kinds of route that may attach (`TCPRoute`). Default: those that the protocol allows.
        pub kinds: Texts,
        /// The namespaces whose routes may attach: `"Same"`, `"All"`, a list of names, or a table of labels.
        /// Default: `Same` for HTTP (its only route is the redirect), `All` for HTTPS and TLS.
        pub namespaces: Option<Namespaces>,
        /// Merged over the listener, with the Gateway API's own keys.
        pub spec: Option<Node>,
    }
}
