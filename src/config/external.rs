//! `[external.NAME]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::traffic::CaKind;
use super::types::{Count, Pairs, Text, Texts, Toggle};
use manifest::diagnostic::Spanned;

/// What the address of a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AddressType {
    /// An IP address.
    Ip,
    /// A DNS name.
    Name,
}

object_table! {
    /// A host outside the cluster: an HTTPRoute, and the Backend that it forwards to.
    pub struct External {
        /// The hostnames under which the gateways serve the host. Default: the table's name below the domain
        /// (`nas.example.com` for `[external.nas]`).
        pub hostnames: Texts,
        /// The gateways that serve the host. It has a default only if there is a single gateway, so that nothing
        /// becomes public by accident.
        pub gateways: Texts,
        /// The listener of these gateways, or `*` for all listeners. Default: their listeners for HTTPS.
        pub listener: Option<Text>,
        /// The host's IP address or DNS name, or several of one kind.
        pub address: Texts,
        /// `ip` or `name`: what `address` is. It is only needed for a Flux variable.
        pub address_type: Option<Spanned<AddressType>>,
        /// The port of the host. Default: 443 with `tls`, otherwise 80.
        pub port: Option<Spanned<Count>>,
        /// The beginning of the paths that are forwarded. Default: all paths.
        pub path: Option<Text>,
        /// The `Host` header that the host gets. Default: the one of the request.
        pub host_header: Option<Text>,
        /// Request headers that are set before the request is forwarded.
        pub headers: Pairs,
        /// The time in which the response must be complete; `0s` means no limit.
        pub timeout: Option<Text>,
        /// TLS between the gateway and the host. `true` validates the host's certificate with the authorities that
        /// the proxy's image trusts. Default: no TLS.
        pub tls: Option<Toggle<ExternalTls>>,
        /// The Backend with the host's address.
        pub backend: ExternalBackend,
    }
}

object_table! {
    /// The Backend of an external host.
    pub struct ExternalBackend {
        /// The name of the Backend. Default: the name of the route.
        pub name: Option<Text>,
        /// The protocols that the host speaks: `gateway.envoyproxy.io/h2c`, `gateway.envoyproxy.io/ws`, `gateway.envoyproxy.io/wss`.
        pub protocols: Texts,
    }
}

object_table! {
    /// TLS to an external host: a BackendTLSPolicy, unless `insecure` is set.
    pub struct ExternalTls {
        /// The name on the host's certificate, which is also sent as server name (SNI). Default: `address` if it is a
        /// DNS name.
        pub hostname: Option<Text>,
        /// The ConfigMaps with the authorities (`ca.crt`) that sign the host's certificate. Default: the authorities
        /// that the proxy's image trusts.
        pub ca: Texts,
        /// `ConfigMap` or `Secret`: what `ca` names. Default: `ConfigMap`.
        pub ca_kind: Option<Spanned<CaKind>>,
        /// `true` accepts any certificate of the host. Then the connection is encrypted, but anybody between the
        /// gateway and the host can read it. Default: `false`.
        pub insecure: Option<Spanned<bool>>,
        /// The name of the BackendTLSPolicy. Default: the name of the Backend.
        pub name: Option<Text>,
    }
}
