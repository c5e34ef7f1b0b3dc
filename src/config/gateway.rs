//! `[gateways.NAME]`, `[dns]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::proxy::Proxy;
use super::route::Redirect;
use super::traffic::{BackendTraffic, ClientTraffic};
use super::types::{Count, Named, Namespaces, Pairs, Text, Texts};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

/// How a gateway's address is given to the load balancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AddressAs {
    /// The annotation `lbipam.cilium.io/ips` on the Service.
    #[default]
    Annotation,
    /// The annotation `io.cilium/lb-ipam-ips`, of Cilium before 1.15.
    LegacyAnnotation,
    /// `spec.addresses` of the Gateway.
    Spec,
}

object_table! {
    /// A Gateway.
    pub struct Gateway {
        /// The address (or several, IPv4 and IPv6), or a Flux variable. `[]`: any that the load balancer has.
        pub address: Texts,
        /// `annotation` (`lbipam.cilium.io/ips`), `legacy-annotation` (`io.cilium/lb-ipam-ips`) or `spec`
        /// (`spec.addresses`). Default: `annotation`.
        pub address_as: Option<Spanned<AddressAs>>,
        /// How the gateway's name gets into DNS.
        pub dns: GatewayDns,
        /// The Secrets with this gateway's TLS certificates, in place of the cluster's.
        pub certificates: Texts,
        /// Another GatewayClass than the shared one: one of `[classes]`, or one that is made elsewhere.
        pub class: Option<Text>,
        /// An EnvoyProxy of this gateway's own.
        pub proxy: Option<Proxy>,
        /// Labels and annotations of what Envoy Gateway makes for this gateway (Service, Deployment).
        pub infrastructure: Infrastructure,
        /// The listeners, by name. `http` (80) and `https` (443) are there unless switched off; those that
        /// are written here stand in the order written.
        pub listeners: Named<Listener>,
        /// Hostnames whose TLS is passed through undecrypted, by a listener `tls-passthrough` on 443.
        pub passthrough: Texts,
        /// A ClientTrafficPolicy of this gateway's own, in place of the shared one.
        pub client_traffic: Option<ClientTraffic>,
        /// A BackendTrafficPolicy of this gateway's own, in place of the shared one.
        pub backend_traffic: Option<BackendTraffic>,
        /// A redirect of this gateway's own, in place of its part in the shared one.
        pub redirect: Option<Redirect>,
    }
}

table! {
    /// Labels and annotations of what Envoy Gateway makes for a gateway.
    pub struct Infrastructure {
        /// Labels.
        pub labels: Pairs,
        /// Annotations.
        pub annotations: Pairs,
    }
}

table! {
    /// How one gateway's name gets into DNS.
    pub struct GatewayDns {
        /// `false`: no annotations for external-dns.
        pub enabled: Option<Spanned<bool>>,
        /// What the records of this gateway's routes point to. Default: the hostname.
        pub target: Option<Text>,
        /// The name that leads to the gateway's address. Default: the gateway's name without `envoy-`, under
        /// the domain.
        pub hostname: Option<Text>,
    }
}

table! {
    /// How the gateways' names get into DNS.
    pub struct Dns {
        /// `false`: no annotations for external-dns, but where a gateway has its own.
        pub enabled: Option<Spanned<bool>>,
        /// The prefix of the annotations. Default: `external-dns.alpha.kubernetes.io`.
        pub annotation_prefix: Option<Text>,
    }
}

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// Plain HTTP.
    Http,
    /// HTTP inside TLS that ends here.
    Https,
    /// TLS that is passed through, or ends here.
    Tls,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What a TLS listener does with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TlsMode {
    /// TLS ends at the gateway.
    Terminate,
    /// TLS goes through to the backend.
    Passthrough,
}

table! {
    /// A listener of a gateway.
    pub struct Listener {
        /// `false` takes a default listener away.
        pub enabled: Option<Spanned<bool>>,
        /// `HTTP`, `HTTPS`, `TLS`, `TCP` or `UDP`. Default: by the name `http` or `https`.
        pub protocol: Option<Spanned<Protocol>>,
        /// The port, 1 to 65535. Default: 80 of HTTP, 443 of HTTPS and TLS.
        pub port: Option<Spanned<Count>>,
        /// The hostname that it takes requests for; `*.` in front takes all names one level or more below.
        pub hostname: Option<Text>,
        /// `Terminate` or `Passthrough`. Default: `Terminate` of HTTPS, `Passthrough` of TLS.
        pub tls_mode: Option<Spanned<TlsMode>>,
        /// The Secrets with this listener's certificates, in place of the gateway's.
        pub certificates: Texts,
        /// The kinds of route that may attach (`TCPRoute`). Default: what the protocol implies.
        pub kinds: Texts,
        /// The namespaces whose routes may attach: `"Same"`, `"All"`, names, or a table of labels. Default:
        /// `Same` of HTTP (its one route is the redirect), `All` of HTTPS and TLS.
        pub namespaces: Option<Namespaces>,
        /// Laid over the listener: the Gateway API's own keys.
        pub spec: Option<Node>,
    }
}
