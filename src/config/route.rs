//! `[redirect]`, `[ssh]`, `[tcp.NAME]`, `[udp.NAME]`

use super::types::{Count, Text, Texts};
use manifest::diagnostic::Spanned;

object_table! {
    /// The HTTPRoute that sends plain HTTP to HTTPS.
    pub struct Redirect {
        /// `false`: no redirect. Default: on where a gateway has an `http` listener.
        pub enabled: Option<Spanned<bool>>,
        /// The route's name. Default: `https-redirect`; of a gateway's own, the gateway's name.
        pub name: Option<Text>,
        /// The gateways whose `http` listener redirects, in this order. Default: all that have one, and no redirect of
        /// their own.
        pub gateways: Texts,
        /// The status: 301, 302, 303, 307 or 308. Default: 301.
        pub status: Option<Spanned<Count>>,
    }
}

object_table! {
    /// TCP or UDP through the gateways: a listener, and the route where a backend is given.
    pub struct Stream {
        /// The port, 1 to 65535. Default of `ssh`: 22.
        pub port: Option<Spanned<Count>>,
        /// The namespace whose routes may attach; the route itself is put there.
        pub namespace: Option<Text>,
        /// The gateways that listen. Default: all.
        pub gateways: Texts,
        /// The Service behind it. Without one the route is left to the application.
        pub backend: Option<Backend>,
    }
}

table! {
    /// A Service.
    pub struct Backend {
        /// Its name.
        pub name: Option<Text>,
        /// Its port. Default: the listener's.
        pub port: Option<Spanned<Count>>,
    }
}
