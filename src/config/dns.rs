//! `[dns]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::{Count, Named, Pairs, Text, Texts, Toggle};
use manifest::diagnostic::Spanned;

table! {
    /// The DNS records of one gateway, which external-dns creates from annotations.
    pub struct GatewayDns {
        /// `false` writes no annotations for external-dns.
        pub enabled: Option<Spanned<bool>>,
        /// The target of the DNS records of this gateway's routes. Default: `hostname`.
        pub target: Option<Text>,
        /// The hostname whose record points to the gateway's address. Default: the gateway's name without
        /// `envoy-`, below the domain (`external.example.com`).
        pub hostname: Option<Text>,
        /// `true` writes the record of `hostname` as a DNSEndpoint, instead of the annotation of the gateway's Service.
        /// external-dns reads it with the source `crd`. A table has settings for it.
        pub endpoint: Option<Toggle<DnsEndpoint>>,
    }
}

object_table! {
    /// The DNSEndpoint with the record of a gateway's hostname.
    pub struct DnsEndpoint {
        /// The name of the DNSEndpoint. Default: the name of the gateway.
        pub name: Option<Text>,
        /// What the hostname leads to: addresses, such as the public address of a router, or a DNS name. Default: the
        /// addresses of the gateway.
        pub targets: Texts,
        /// How long resolvers may keep the record, in seconds. Default: that of the provider.
        pub ttl: Option<Spanned<Count>>,
    }
}

table! {
    /// The DNS records of the gateways, which external-dns creates from annotations.
    pub struct Dns {
        /// `false` writes no annotations for external-dns, except for gateways that set their own.
        pub enabled: Option<Spanned<bool>>,
        /// The prefix of the annotations. Default: the one that the version of external-dns in [versions] reads
        /// (`external-dns.kubernetes.io` since 0.22, before `external-dns.alpha.kubernetes.io`); without a version, both.
        pub annotation_prefix: Option<Text>,
        /// Who publishes the names of which gateways, by name. Publishers are managed elsewhere; what is written here
        /// decides the annotations of each gateway, and `trace`, `exposure` and the checks of DNS records take it as a
        /// fact. Default: one external-dns for all gateways, of which nothing is known.
        pub publishers: Named<Publisher>,
    }
}

/// The program that publishes DNS records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PublisherKind {
    /// external-dns, which writes records to a provider.
    #[default]
    ExternalDns,
    /// k8s-gateway, which answers queries by itself.
    K8sGateway,
}

table! {
    /// A publisher of DNS records that is managed elsewhere.
    pub struct Publisher {
        /// `external-dns` or `k8s-gateway`, which reads no annotations. Default: `external-dns`.
        pub kind: Option<Spanned<PublisherKind>>,
        /// The gateways whose names it publishes. Default: all.
        pub gateways: Texts,
        /// The version of this external-dns, which decides the prefix of its annotations. Default: the one in
        /// [versions].
        pub version: Option<Text>,
        /// The prefix of its annotations, if its settings say another one than its version.
        pub annotation_prefix: Option<Text>,
        /// The labels of gateways by which it selects them (`--gateway-label-filter`). They are written to its gateways.
        pub gateway_labels: Pairs,
        /// The target of its records, instead of the gateways' own targets. For this, it needs a prefix that no other
        /// publisher of these gateways reads.
        pub target: Option<Text>,
        /// Where it writes the records: `cloudflare`, `unifi`, `adguard`.
        pub provider: Option<Text>,
        /// The domains whose names it publishes. Default: all.
        pub domains: Texts,
        /// What it reads, by external-dns' names: `gateway-httproute`, `gateway-grpcroute`, `gateway-tlsroute`,
        /// `service`, `crd`. Default: the routes for HTTP, gRPC and TLS, `service` and `crd`.
        pub sources: Texts,
    }
}
