//! `[redirect]`, `[ssh]`, `[tcp.NAME]`, `[udp.NAME]`

use super::types::{Count, Text, Texts};
use manifest::diagnostic::Spanned;

object_table! {
    /// The HTTPRoute that redirects HTTP to HTTPS.
    pub struct Redirect {
        /// `false` doesn't write a redirect. Default: `true` if a gateway has an `http` listener.
        pub enabled: Option<Spanned<bool>>,
        /// The route's name. Default: `https-redirect`, or the gateway's name if it belongs to one gateway.
        pub name: Option<Text>,
        /// The gateways whose `http` listener redirects, in this order. Default: all that have an `http`
        /// listener and no redirect of their own.
        pub gateways: Texts,
        /// The HTTP status: 301, 302, 303, 307 or 308. Default: 301.
        pub status: Option<Spanned<Count>>,
    }
}

object_table! {
    /// TCP or UDP through the gateways: a listener, and a route if a backend is given.
    pub struct Stream {
        /// The port, 1 to 65535. Default for `ssh`: 22.
        pub port: Option<Spanned<Count>>,
        /// The namespace whose routes may attach. The route itself is written to this namespace.
        pub namespace: Option<Text>,
        /// The gateways that get the listener. Default: all.
        pub gateways: Texts,
        /// The Service that receives the traffic. Without it no route is written, so that the application can
        /// bring its own.
        pub backend: Option<Backend>,
    }
}

table! {
    /// The Service that a route forwards to.
    pub struct Backend {
        /// The name of the Service.
        pub name: Option<Text>,
        /// The port of the Service. Default: the port of the listener.
        pub port: Option<Spanned<Count>>,
    }
}
