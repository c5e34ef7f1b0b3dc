//! `[tunnel]`

use super::types::{Text, Texts};
use manifest::diagnostic::Spanned;

object_table! {
    /// A Cloudflare tunnel that brings requests from the Internet to a gateway: a DNSEndpoint that leads the gateway's
    /// hostname to the tunnel. cloudflared itself is managed elsewhere. `trace` and `exposure` take the tunnel as a
    /// fact.
    pub struct Tunnel {
        /// The identifier of the tunnel, or a Flux variable.
        pub id: Option<Text>,
        /// The DNS name of the tunnel, instead of `ID.cfargotunnel.com`.
        pub target: Option<Text>,
        /// The gateways at its end, to which cloudflared forwards requests. It has a default only if there is a single
        /// gateway, so that nothing becomes public by accident.
        pub gateways: Texts,
        /// The hostnames that lead to the tunnel. Default: the targets of these gateways' DNS records.
        pub hostnames: Texts,
        /// `false` writes no DNSEndpoint, because the record is made elsewhere.
        pub endpoint: Option<Spanned<bool>>,
        /// The name of the DNSEndpoint. Default: `cloudflare-tunnel`.
        pub name: Option<Text>,
        /// `true` or `false`: whether Cloudflare proxies the record, which a tunnel needs. Default: what external-dns'
        /// flag `--cloudflare-proxied` says.
        pub proxied: Option<Spanned<bool>>,
    }
}
